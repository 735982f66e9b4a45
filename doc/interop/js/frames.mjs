// A run of changes in a file: for each, its length as unsigned LEB128 and its bytes.

/** Joins changes into one run. */
export function join(changes) {
  return Buffer.concat(changes.flatMap((c) => [Buffer.from(uvarint(c.length)), c]))
}

/** Splits what join made. */
export function split(run) {
  const changes = []
  for (let at = 0; at < run.length; ) {
    let length = 0
    for (let scale = 1; ; scale *= 128) {
      const b = run[at++]
      length += (b & 0x7f) * scale
      if (b < 0x80) break
      if (at >= run.length) throw new Error("the run of changes ends within a length")
    }
    if (at + length > run.length) throw new Error("the run of changes ends within a change")
    changes.push(new Uint8Array(run.subarray(at, at + length)))
    at += length
  }
  return changes
}

/** An unsigned LEB128. */
export function uvarint(n) {
  const bytes = []
  for (; n > 0x7f; n = Math.floor(n / 128)) bytes.push((n & 0x7f) | 0x80)
  return [...bytes, n]
}
