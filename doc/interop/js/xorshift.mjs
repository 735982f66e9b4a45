/** Marsaglia's xorshift32: a function that gives numbers below n, the same ones for the same seed (not 0). */
export function random(seed) {
  return (n) => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) % n
  }
}
