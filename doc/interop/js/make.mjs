// Makes the documents in ../testdata, or in the directory given: the same bytes every time. ../README.md says what each is for.
import { mkdirSync, writeFileSync } from "node:fs"
import { join as path } from "node:path"
import { fileURLToPath } from "node:url"
import { deflateRawSync } from "node:zlib"
import * as A from "@automerge/automerge"
import { summary } from "./canonical.mjs"
import { documents } from "./documents.mjs"
import { join, split, uvarint } from "./frames.mjs"

const out = process.argv[2] ?? fileURLToPath(new URL("../testdata", import.meta.url))
mkdirSync(out, { recursive: true })

/** A change chunk in its deflated form; the checksum stays that of the plain one. */
function deflated(change) {
  const magicAndSum = change.subarray(0, 8)
  let at = 9 // behind the type
  while (change[at++] >= 0x80);
  const body = deflateRawSync(change.subarray(at), { level: 9 })
  return new Uint8Array(Buffer.concat([magicAndSum, Buffer.from([2, ...uvarint(body.length)]), body]))
}

for (const [name, { doc, deflate }] of Object.entries(documents())) {
  const changes = A.getAllChanges(doc).map((c) => (deflate && c.length > 256 ? deflated(c) : c))
  const saved = A.save(doc)
  const said = summary(doc)
  const run = join(changes)
  const [applied] = A.applyChanges(A.init(), split(run))
  for (const again of [A.load(saved), applied]) {
    if (summary(again) !== said) throw new Error(`${name}: the library reads something else than it wrote`)
  }
  writeFileSync(path(out, name + ".automerge"), saved)
  writeFileSync(path(out, name + ".changes"), run)
  writeFileSync(path(out, name + ".json"), said)
}
