// The value of a document in the canonical form "json 1" of docs/format.md, read below the proxies of the library: those do not
// tell 1 from 1.0, nor a whole number from a uint.
import * as A from "@automerge/automerge"

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

// The key of the root map that belongs to Tombolo, and the map in it that names removed containers.
const marks = "$m"
const gone = "gone"

/** One line about a document: its heads and its value. */
export function summary(doc) {
  return `{"heads":${JSON.stringify([...A.getHeads(doc)].sort())},"value":${canonical(doc)}}\n`
}

/** The canonical JSON of the whole document, without what belongs to Tombolo. */
export function canonical(doc) {
  const core = A.getBackend(doc)
  const keep = (key) => key !== marks
  return show(core, removed(core), ["map", "_root"], "", keep).text
}

/** The JSON Pointers of containers that were removed: not shown while they are empty. */
function removed(core) {
  const [type, id] = core.getWithType("_root", marks) ?? []
  if (type !== "map") return new Set()
  const [inner, pointers] = core.getWithType(id, gone) ?? []
  return new Set(inner === "map" ? core.keys(pointers) : [])
}

/** show gives a value's text and how much it holds. path is its JSON Pointer, or null below a list. */
function show(core, hidden, [type, v], path, keep = () => true) {
  switch (type) {
    case "map": {
      const parts = []
      for (const key of core.keys(v).filter(keep).sort(byBytes)) {
        const below = path === null ? null : path + "/" + key.replaceAll("~", "~0").replaceAll("/", "~1")
        const { text, size } = show(core, hidden, core.getWithType(v, key), below)
        if (size === 0 && hidden.has(below)) continue
        parts.push(JSON.stringify(key.startsWith("$") ? "$" + key : key) + ":" + text)
      }
      return { text: `{${parts.join(",")}}`, size: parts.length }
    }
    case "list": {
      const items = Array.from({ length: core.length(v) }, (_, i) => show(core, hidden, core.getWithType(v, i), null).text)
      return { text: `[${items.join(",")}]`, size: items.length }
    }
    case "text": {
      const text = core.text(v)
      return { text: mark("$text", text), size: text.length }
    }
  }
  return { text: scalar(type, v), size: 1 }
}

function scalar(type, v) {
  switch (type) {
    case "str":
    case "boolean":
    case "null":
      return JSON.stringify(v)
    case "int":
    case "uint":
      return whole(v)
    case "f64":
      return float(v)
    case "counter":
      return `{"$counter":${whole(v)}}`
    case "timestamp":
      return mark("$time", time(v))
    case "bytes":
      return mark("$bytes", Buffer.from(v).toString("base64"))
  }
  return `{"$unknown":null}`
}

function mark(name, text) {
  return `{"${name}":${JSON.stringify(text)}}`
}

function whole(v) {
  const n = BigInt(v)
  return n > maxSafe || n < -maxSafe ? mark("$int", String(n)) : String(n)
}

function float(v) {
  if (!Number.isFinite(v)) return mark("$float", String(v))
  const digits = Object.is(v, -0) ? "-0" : String(v)
  return /[.e]/.test(digits) ? digits : digits + ".0"
}

function time(date) {
  const year = date.getUTCFullYear()
  return year < 0 || year > 9999 ? String(date.getTime()) : date.toISOString()
}

function byBytes(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
