// Says what the JavaScript library makes of documents:
//
//	node check.mjs FILE...              one line for each: {"heads":[…],"value":…}, the value as canonical.mjs writes it
//	node check.mjs --edit OUT FILE      edits the document, saves it to OUT, and says what it is then
//
// A FILE is a saved document, or, named *.changes, a run of changes (frames.mjs).
import { readFileSync, writeFileSync } from "node:fs"
import * as A from "@automerge/automerge"
import { summary } from "./canonical.mjs"
import { split } from "./frames.mjs"

const actor = "ee".repeat(16)
const time = 1795262400

function open(file) {
  const bytes = readFileSync(file)
  if (!file.endsWith(".changes")) return A.load(bytes, { actor })
  const [doc] = A.applyChanges(A.init({ actor }), split(bytes))
  return doc
}

/** Writes every kind of value, and changes the kinds that merge: body (text), items (list), stock (counter). */
function edit(doc) {
  doc = A.change(doc, { message: "written in JavaScript", time }, (d) => {
    d.js = {
      "": "the empty key",
      text: "\u00e9 is not e\u0301; 👩‍🚀",
      string: new A.ImmutableString("a string"),
      int: -7,
      big: 2n ** 63n - 1n,
      biggest: 2n ** 64n - 1n,
      float: 1.5,
      yes: true,
      nothing: null,
      bytes: new Uint8Array([0, 255]),
      at: new Date("2026-11-21T12:00:00.250Z"),
      counter: new A.Counter(3),
      list: [[], {}, "text in a list"],
    }
    d.js.uint = new A.Uint(7)
    d.js.whole = new A.Float64(2)
    A.splice(d, ["body"], 1, 2, "𝄞 in the midst ")
    d.items.push(new A.ImmutableString("from JavaScript"))
    A.deleteAt(d.items, 0)
    d.stock.increment(-3)
    delete d.title
  })
  return A.change(doc, { message: "made rich in JavaScript", time: time + 1 }, (d) => {
    A.mark(d, ["body"], { start: 0, end: 5, expand: "both" }, "bold", true)
    A.splitBlock(d, ["body"], 3, { type: "paragraph", parents: [], attrs: {} })
    d.js.counter.increment(4)
  })
}

const args = process.argv.slice(2)
if (args[0] === "--edit") {
  const [, out, file] = args
  const doc = edit(open(file))
  writeFileSync(out, A.save(doc))
  process.stdout.write(summary(doc))
} else {
  for (const file of args) process.stdout.write(summary(open(file)))
}
