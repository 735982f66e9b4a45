// Makes documents at random, several actors apart and together, into a directory, as make.mjs does: NAME is the seed.
//
//	node random.mjs DIRECTORY FIRST COUNT
import { writeFileSync } from "node:fs"
import { join as path } from "node:path"
import * as A from "@automerge/automerge"
import { summary } from "./canonical.mjs"
import { join } from "./frames.mjs"
import { random } from "./xorshift.mjs"

const keys = ["a", "b", "", "$k", "é", "😀", "0"]
const words = ["a", "é", "e\u0301", "😀👍🏼", "漢", "", "xyz", "\0", "𝄞"]

function make(seed) {
  const below = random((seed + 1) * 2654435761)
  const one = (list) => list[below(list.length)]
  const start = A.change(A.init({ actor: "0f".repeat(16) }), { time: 0 }, (d) => {
    d.text = "start text"
    d.list = [1, "x", {}]
    d.map = {}
    d.count = new A.Counter(1)
  })
  const docs = Array.from({ length: 2 + below(6) }, (_, i) => {
    const actor = [1 + below(250), ...Array(1 + below(20)).fill(i + 1)] // of any length and order
    return A.clone(start, { actor: Buffer.from(actor).toString("hex") })
  })
  for (let time = 0; time < 40; time++) {
    const i = below(docs.length)
    if (below(20) === 0) docs[i] = A.emptyChange(docs[i], { time })
    else
      docs[i] = A.change(docs[i], { time, message: one(words) }, (d) => {
        for (let n = 1 + below(4); n > 0; n--) step(d)
      })
    if (below(2)) docs[i] = A.merge(docs[i], docs[(i + 1 + below(docs.length - 1)) % docs.length])
  }
  return docs.reduce((all, doc) => A.merge(all, doc), start)

  function step(d) {
    const [path, object] = walk(d)
    if (below(2) && typeof d.text === "string") return write(d, ["text"], d.text)
    if (below(4) === 0 && A.isCounter(d.count)) return d.count.increment(below(20) - 10)
    if (Array.isArray(object)) return list(object)
    const held = Object.keys(object).filter((key) => path.length > 0 || key !== "text" || below(10) === 0)
    if (below(4) === 0 && held.length) delete object[one(held)]
    else object[one(keys)] = value(2)
  }

  /** A map or list somewhere in the document, and the way there. */
  function walk(d) {
    const way = []
    let at = d
    while (below(3)) {
      const key = one(Array.isArray(at) ? [...at.keys()] : Object.keys(at))
      if (key === undefined || !isContainer(at[key])) break
      way.push(key)
      at = at[key]
    }
    return [way, at]
  }

  function list(l) {
    const at = below(l.length + 1)
    if (at === l.length || below(2)) A.insertAt(l, at, value(2))
    else if (below(2) || A.isCounter(l[at])) A.deleteAt(l, at) // the library does not replace counters in lists
    else l[at] = value(1)
  }

  function write(d, path, text) {
    const from = boundary(text, below(text.length + 1))
    const to = boundary(text, Math.min(text.length, from + 1 + below(5)))
    const range = { start: from, end: to, expand: one(["before", "after", "both", "none"]) }
    switch (below(7)) {
      case 0:
        return A.splice(d, path, from, to - from, below(2) ? one(words) : "")
      case 1:
        return to > from && A.mark(d, path, range, one(["bold", "link"]), one([true, "u", null, 3]))
      case 2:
        return to > from && A.unmark(d, path, range, "bold")
      case 3:
        return A.splitBlock(d, path, from, { type: "p", parents: [], attrs: { n: below(3) } })
      case 4:
        return below(3) === 0 && A.updateText(d, path, one(words) + text.slice(from) + one(words))
    }
    return A.splice(d, path, from, 0, one(words) + one(words))
  }

  function value(depth) {
    const kinds = [
      () => null,
      () => true,
      () => below(100),
      () => -below(1e9),
      () => below(1000) / 8 + 1 / 16,
      () => one(words),
      () => new A.ImmutableString(one(words)),
      () => new A.Counter(below(10)),
      () => new Date(below(1e9) * 1000),
      () => new Uint8Array([below(256)]),
      () => 2n ** 63n + BigInt(below(5)),
      () => Array.from({ length: below(4) }, () => value(depth - 1)),
      () => Object.fromEntries(Array.from({ length: below(4) }, () => [one(keys), value(depth - 1)])),
    ]
    return one(depth > 0 ? kinds : kinds.slice(0, -2))()
  }
}

function isContainer(v) {
  return Array.isArray(v) || (typeof v === "object" && v !== null && Object.getPrototypeOf(v) === Object.prototype)
}

/** The end of the character that index at is in. */
function boundary(text, at) {
  const within = at > 0 && at < text.length && text.codePointAt(at - 1) > 0xffff
  return within ? at + 1 : at
}

const [directory, first, count] = process.argv.slice(2)
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const doc = make(seed)
  writeFileSync(path(directory, seed + ".automerge"), A.save(doc))
  writeFileSync(path(directory, seed + ".changes"), join(A.getAllChanges(doc)))
  writeFileSync(path(directory, seed + ".json"), summary(doc))
}
