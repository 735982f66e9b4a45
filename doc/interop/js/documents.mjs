// The documents that make.mjs writes. Everything is fixed: actors, times, order, and a random number generator with a seed.
import * as A from "@automerge/automerge"
import { random } from "./xorshift.mjs"

const noon = 1795262400 // 2026-11-21T12:00:00Z; times of changes are in seconds

const actor = (n) => n.toString(16).padStart(2, "0").repeat(16)

/** A document of actor n; fn makes its first change. */
function start(n, fn) {
  return change(A.init({ actor: actor(n) }), "start", fn)
}

function change(doc, message, fn, time = noon) {
  return A.change(doc, { message, time }, fn)
}

/** Copies of one document for several actors, each changed apart by its fn, and merged. */
function apart(doc, first, ...fns) {
  const copies = fns.map((fn, i) => change(A.clone(doc, { actor: actor(first + i) }), `apart ${i}`, fn))
  return copies.reduce((all, copy) => A.merge(all, copy), doc)
}

function prose(length, seed) {
  const words = "the quick brown fox jumps over a lazy dog é 漢字 😀 and naps\n".split(" ")
  const next = random(seed)
  let text = ""
  while (text.length < length) text += words[next(words.length)] + " "
  return Array.from(text.slice(0, length)).filter((c) => c.codePointAt(0) < 0xd800 || c.length === 2).join("")
}

function types() {
  return start(1, (d) => {
    d.map = { nested: { deeper: {} } }
    d.list = [1, [2, [3, []]], { in: "a map" }]
    d.text = "collaborative"
    d.noText = ""
    d.string = new A.ImmutableString("replaced as a whole")
    d.noString = new A.ImmutableString("")
    d.counter = new A.Counter(10)
    d.counterBelow = new A.Counter(-10)
    d.bytes = new Uint8Array([0, 1, 127, 128, 255])
    d.noBytes = new Uint8Array()
    d.date = new Date("2026-11-21T12:00:00.123Z")
    d.null = null
    d.true = true
    d.false = false
    d.inList = [new A.ImmutableString("s"), new A.Counter(1), new Uint8Array([1]), new Date(0), null, true, 1.5, "text"]
    d.inList.push(2n ** 63n, -0)
  })
}

function numbers() {
  return start(1, (d) => {
    d.zero = 0
    d.int = -42
    d.safe = Number.MAX_SAFE_INTEGER
    d.overSafe = 2n ** 53n
    d.underSafe = -(2n ** 53n)
    d.maxInt = 2n ** 63n - 1n
    d.minInt = -(2n ** 63n)
    d.uint = new A.Uint(42)
    d.overInt = 2n ** 63n
    d.maxUint = 2n ** 64n - 1n
    d.float = 0.1
    d.wholeFloat = new A.Float64(3)
    d.minusZero = [-0] // directly under a key it loses its sign
    d.e20 = new A.Float64(1e20)
    d.e21 = new A.Float64(1e21)
    d.small = new A.Float64(1e-6)
    d.smaller = new A.Float64(1e-7)
    d.largest = new A.Float64(Number.MAX_VALUE)
    d.smallest = new A.Float64(5e-324)
    d.nan = NaN
    d.infinite = Infinity
    d.minusInfinite = -Infinity
    d.times = [new Date(-1), new Date("0000-01-01T00:00:00Z"), new Date("9999-12-31T23:59:59.999Z"), new Date(253402300800000), new Date(-8.64e15)]
  })
}

function keys() {
  let doc = start(1, (d) => {
    d[""] = "the empty key"
    d.map = { "": { "": 1 } }
    d["$text"] = 1
    d["$$"] = 2
    d["/"] = 3
    d["~"] = 4
    d["-"] = 5
    d["0"] = 6
    d["\0"] = 7
    d["\u2028 \" \\ \n \u001f \u007f"] = 8
    d["\u00e9"] = "composed"
    d["e\u0301"] = "with a combining mark"
    d["👩‍👩‍👧"] = 9
    d["\uffff"] = 10 // UTF-16 sorts it behind the one above, UTF-8 before
    d.constructor = 11
    d["long ".repeat(60)] = 12
  })
  doc = change(doc, "over the empty keys", (d) => {
    d[""] = "again"
    delete d.map[""]
    d.map[""] = 2
  })
  return apart(doc, 2, (d) => (d[""] = "two"), (d) => (d[""] = "three"))
}

function unicode() {
  let doc = start(1, (d) => {
    d.emoji = "a😀b👍🏼c👩‍👩‍👧‍👦d🇨🇭e"
    d.combining = "e\u0301 o\u0302\u0323 Z\u0351\u036b\u0343"
    d.scripts = "עברית العربية हिन्दी 漢字 한국어 \u202etfel"
    d.control = "\0\u0001\t\n\r\u001f\u007f\u0085\u2028\ufeff\uffff\u{10ffff}"
    d.strings = [new A.ImmutableString("😀\0"), new A.ImmutableString("e\u0301")]
  })
  doc = change(doc, "😀 in a message, e\u0301 too", (d) => {
    A.splice(d, ["emoji"], 1, 2, "🙃") // over a surrogate pair
    A.splice(d, ["combining"], 1, 1, "\u0300") // another accent on the same letter
    A.splice(d, ["control"], 0, 1, "")
    A.updateText(d, ["scripts"], "עברית हिंदी 漢字 한국어")
  })
  return apart(
    doc,
    2,
    (d) => A.splice(d, ["emoji"], 4, 4, ""),
    (d) => A.splice(d, ["emoji"], 6, 0, "🏳️‍🌈"),
  )
}

function richText() {
  const text = "The quick brown fox jumps over the lazy dog"
  let doc = start(1, (d) => {
    d.body = text
    d.plain = text
  })
  doc = change(doc, "mark", (d) => {
    const at = (start, end, expand) => ({ start, end, expand })
    A.mark(d, ["body"], at(4, 9, "both"), "bold", true)
    A.mark(d, ["body"], at(6, 15, "after"), "italic", true)
    A.mark(d, ["body"], at(16, 19, "none"), "link", "https://example.org/fox")
    A.mark(d, ["body"], at(20, 25, "before"), "size", 12)
    A.mark(d, ["body"], at(26, 30, "none"), "ratio", 1.5)
    A.mark(d, ["body"], at(0, text.length, "none"), "comment", "é 😀")
    A.mark(d, ["body"], at(31, 34, "both"), "at", new Date(0))
  })
  doc = change(doc, "write at the edges", (d) => {
    for (const at of [31, 26, 25, 20, 19, 16, 15, 9, 6, 4, 0]) A.splice(d, ["body"], at, 0, "*")
  })
  doc = change(doc, "take off", (d) => {
    A.unmark(d, ["body"], { start: 5, end: 8, expand: "none" }, "bold")
    A.mark(d, ["body"], { start: 10, end: 20, expand: "none" }, "comment", null)
    A.splice(d, ["body"], 3, 20, "")
  })
  return apart(
    doc,
    2,
    (d) => A.mark(d, ["body"], { start: 2, end: 12, expand: "both" }, "bold", true),
    (d) => A.unmark(d, ["body"], { start: 6, end: 20, expand: "both" }, "bold"),
    (d) => A.mark(d, ["body"], { start: 8, end: 14, expand: "none" }, "link", "https://example.org/a"),
    (d) => A.mark(d, ["body"], { start: 10, end: 16, expand: "none" }, "link", "https://example.org/b"),
    (d) => A.splice(d, ["body"], 9, 4, "moved"),
  )
}

function blocks() {
  let doc = start(1, (d) => {
    d.body = "A heading and a paragraph and an item"
  })
  doc = change(doc, "split", (d) => {
    A.splitBlock(d, ["body"], 0, { type: "heading", parents: [], attrs: { level: 1 } })
    A.splitBlock(d, ["body"], 10, { type: "paragraph", parents: [], attrs: {} })
    A.splitBlock(d, ["body"], 28, { type: "item", parents: ["list"], attrs: { done: false } })
    A.mark(d, ["body"], { start: 1, end: 12, expand: "both" }, "bold", true)
  })
  doc = apart(
    doc,
    2,
    (d) => A.updateBlock(d, ["body"], 0, { type: "heading", parents: [], attrs: { level: 2 } }),
    (d) => A.joinBlock(d, ["body"], 10),
    (d) => A.splitBlock(d, ["body"], 20, { type: "paragraph", parents: [], attrs: {} }),
  )
  return change(doc, "write it anew", (d) => {
    A.updateSpans(d, ["body"], [
      { type: "block", value: { type: "heading", parents: [], attrs: { level: 3 } } },
      { type: "text", value: "A heading" },
      { type: "block", value: { type: "paragraph", parents: [], attrs: {} } },
      { type: "text", value: "and " },
      { type: "text", value: "bold", marks: { bold: true } },
    ])
  })
}

function conflicts() {
  const doc = start(1, (d) => {
    d.key = "nobody's"
    d.count = new A.Counter(1)
    d.map = { a: 1 }
    d.list = ["a", "b", "c", "d"]
    d.dropped = { inner: { n: 1 } }
  })
  return apart(
    doc,
    2,
    (d) => ((d.key = new A.ImmutableString("two")), (d.fresh = { two: 2 }), (d.list[0] = 2), d.count.increment(2)),
    (d) => ((d.key = 3), (d.fresh = { three: 3 }), (d.list[0] = { three: 3 }), d.count.increment(30)),
    (d) => ((d.key = [4]), (d.fresh = ["four"]), A.deleteAt(d.list, 0), d.count.increment(-400)),
    (d) => ((d.key = new A.Counter(5)), (d.fresh = new A.Counter(5)), A.insertAt(d.list, 0, 5), delete d.dropped),
    (d) => (delete d.key, (d.fresh = "six"), (d.list[1] = 6), (d.dropped.inner.n = 6)),
    (d) => ((d.count = new A.Counter(700)), (d.map = { b: 7 }), (d.dropped = 7)),
    (d) => ((d.map.a = 8), delete d.count, (d.key = null)),
  )
}

function counters() {
  let doc = start(1, (d) => {
    d.a = new A.Counter(0)
    d.list = [new A.Counter(0), new A.Counter(100)]
  })
  const add = (by) => (d) => {
    d.a.increment(by)
    d.list[0].increment(by)
    d.list[1].decrement(by)
  }
  doc = apart(doc, 2, add(1), add(20), add(-300), (d) => (d.a = new A.Counter(1000)), (d) => (d.a = 7))
  doc = change(doc, "the winner and those below it", (d) => (d.b = new A.Counter(1)))
  doc = apart(doc, 2, (d) => (d.b = new A.Counter(10)), (d) => (d.b = new A.Counter(20)), (d) => d.b.increment(5))
  return apart(doc, 2, (d) => d.b.increment(100), (d) => d.b.increment(200), (d) => d.list[0].increment(2 ** 40))
}

function actors() {
  const next = random(42)
  const ids = Array.from({ length: 20 }, (_, i) => actor(i + 2))
  ids[3] = "01" // one byte
  ids[7] = "ab".repeat(64) // as many as the gate takes
  ids[11] = "00".repeat(16)
  const letters = "abcdefghijklmnopqrstuvwxyz"
  const base = start(1, (d) => {
    d.text = "A text for everyone."
    d.list = [1, 2, 3]
    d.map = {}
    d.sum = new A.Counter(0)
  })
  const docs = ids.map((id) => A.clone(base, { actor: id }))
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < docs.length; i++) {
      docs[i] = change(docs[i], `round ${round}`, (d) => {
        A.splice(d, ["text"], next(d.text.length + 1), 0, letters[i] + round)
        if (d.text.length > 3 && next(2) === 0) A.splice(d, ["text"], next(d.text.length - 2), 2, "")
        A.insertAt(d.list, next(d.list.length + 1), i * 10 + round)
        if (d.list.length > 2 && next(3) === 0) A.deleteAt(d.list, next(d.list.length))
        d.map[letters[next(5)]] = i
        if (next(4) === 0) delete d.map[letters[next(5)]]
        d.sum.increment(next(10))
      }, noon + round)
    }
    for (let i = 0; i < docs.length; i++) docs[i] = A.merge(docs[i], docs[(i + 1 + next(docs.length - 1)) % docs.length])
  }
  return docs.reduce((all, doc) => A.merge(all, doc), base)
}

function typed() {
  const next = random(7)
  const text = prose(5000, 1)
  let doc = start(1, (d) => (d.text = ""))
  let written = 0
  while (written < text.length) {
    let n = 8 + next(12)
    if (text.codePointAt(written + n - 1) > 0xffff) n++ // keep a surrogate pair together
    const piece = text.slice(written, written + n)
    doc = change(doc, undefined, (d) => {
      A.splice(d, ["text"], d.text.length, 0, piece)
      if (next(8) === 0) A.splice(d, ["text"], d.text.length - 1, 1, " ") // mends a typo
    }, noon + written)
    written += n
  }
  return doc
}

function pasted() {
  const doc = start(1, (d) => (d.text = prose(20000, 2)))
  return change(doc, "cut out the middle", (d) => A.splice(d, ["text"], 5000, 10000, "…"))
}

function deletions() {
  let doc = start(1, (d) => {
    d.map = { a: { b: { c: "text in it" } }, x: 1 }
    d.list = ["a", { b: 1 }, ["c"], new A.Counter(4), 5]
    d.text = "all of this goes"
    d.part = "some of this goes"
    d.count = new A.Counter(1)
    d.again = 1
  })
  doc = change(doc, "delete", (d) => {
    delete d.map.a
    A.deleteAt(d.list, 0, 4)
    A.splice(d, ["text"], 0, d.text.length, "")
    A.splice(d, ["part"], 5, 8, "")
    delete d.count
    delete d.again
  })
  doc = change(doc, "and again", (d) => {
    d.again = 2
    d.map.a = new A.ImmutableString("something else")
    d.list.push(6)
    delete d.text
  })
  doc = apart(
    doc,
    2,
    (d) => delete d.map,
    (d) => (d.map.x = 2),
    (d) => A.deleteAt(d.list, 0),
    (d) => (d.list[0] = "kept?"),
    (d) => A.splice(d, ["part"], 0, 4, ""),
    (d) => A.splice(d, ["part"], 2, 0, "inside"),
  )
  return change(doc, "delete what was in conflict", (d) => {
    delete d.map
    A.deleteAt(d.list, 0)
  })
}

function histories() {
  let doc = A.emptyChange(A.init({ actor: actor(1) }), { message: "nothing yet", time: 0 })
  doc = A.change(doc, { message: "before 1970", time: -1 }, (d) => (d.a = 1))
  doc = A.change(doc, { time: undefined }, (d) => (d.a = 2))
  doc = A.change(doc, { message: "", time: 1 }, (d) => (d.a = 3))
  doc = A.change(doc, { message: "far ahead", time: 2 ** 45 }, (d) => (d.a = 4))
  doc = A.change(doc, { message: "a long message ".repeat(40), time: noon }, (d) => (d.a = 5))
  const left = A.emptyChange(A.clone(doc, { actor: actor(2) }), { time: noon })
  const right = A.change(A.clone(doc, { actor: actor(3) }), { time: noon }, (d) => (d.b = 1))
  return A.emptyChange(A.merge(A.merge(doc, left), right), { message: "joins two heads", time: noon })
}

/** Changes made at old versions of the document. */
function past() {
  let doc = start(1, (d) => ((d.text = "one"), (d.list = [1])))
  const old = A.getHeads(doc)
  doc = change(doc, "forward", (d) => (A.splice(d, ["text"], 3, 0, " two"), d.list.push(2)))
  doc = A.changeAt(doc, old, { message: "at the old version", time: noon }, (d) => (A.splice(d, ["text"], 0, 0, "zero "), (d.x = 1))).newDoc
  return change(doc, "on top", (d) => (d.list.push(3), (d.x = 2)))
}

/** Signed changes. The library gives an author a random actor, so the randomness is fixed meanwhile. */
function authors() {
  let n = 0
  crypto.getRandomValues = (bytes) => bytes.fill(++n)
  try {
    let doc = A.init({ author: "a0".repeat(16) })
    doc = change(doc, "signed", (d) => (d.a = 1))
    const other = change(A.clone(doc, { author: "b0".repeat(16) }), "signed too", (d) => (d.b = 2))
    return change(A.merge(doc, other), "both", (d) => (d.a = 3))
  } finally {
    delete crypto.getRandomValues
  }
}

function deep() {
  return start(1, (d) => {
    d.down = {}
    let at = d.down
    for (let i = 0; i < 100; i++) {
      at.list = [{}]
      at = at.list[0]
    }
    at.bottom = "reached"
  })
}

function large() {
  let doc = start(1, (d) => {
    d.text = prose(3000, 3)
    d.bytes = new Uint8Array(30000).fill(7)
    d.same = new A.ImmutableString("abc".repeat(5000))
  })
  doc = change(doc, "many keys", (d) => {
    d.map = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, i]))
    d.list = Array.from({ length: 1000 }, (_, i) => i % 10)
  })
  return change(doc, "small", (d) => (d.map["key 1"] = "one"))
}

/** Each document by the name of its files; deflate has its larger changes compressed. */
export function documents() {
  return {
    actors: { doc: actors() },
    authors: { doc: authors() },
    blocks: { doc: blocks() },
    conflicts: { doc: conflicts() },
    counters: { doc: counters() },
    deep: { doc: deep() },
    deletions: { doc: deletions() },
    histories: { doc: histories() },
    keys: { doc: keys() },
    large: { doc: large(), deflate: true },
    numbers: { doc: numbers() },
    past: { doc: past() },
    pasted: { doc: pasted(), deflate: true },
    "rich-text": { doc: richText() },
    typed: { doc: typed() },
    types: { doc: types() },
    unicode: { doc: unicode() },
  }
}
