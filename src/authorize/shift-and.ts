const wordBits = 32
/** Characters up to U+00FF have a row of their own; the next row is for those that the pattern does not name. */
const unnamedRow = 256

/**
 * The leftmost place from `start` on where the pattern fits before `end`, or -1. `codes` are UTF-16 units, or -1 where
 * any may stand.
 *
 * The Shift-And method (R. Baeza-Yates, G. Gonnet, 1992): bit i of the state says that the last i + 1 characters match
 * the first i + 1 places. It takes one step for each character and 32 places, whatever the text is.
 */
export function shiftAnd(
  codes: readonly number[],
  text: string,
  start: number,
  end: number,
): number {
  const words = Math.ceil(codes.length / wordBits)
  const rows = rowsOf(codes)
  const masks = masksOf(codes, words, rows)
  const accept = 1 << ((codes.length - 1) % wordBits)
  const rowAt = (position: number): number => {
    const code = text.charCodeAt(position)
    return code < unnamedRow ? code : (rows.get(code) ?? unnamedRow)
  }
  if (words === 1) {
    let bits = 0
    for (let position = start; position < end; position++) {
      bits = ((bits << 1) | 1) & (masks[rowAt(position)] ?? 0)
      if ((bits & accept) !== 0) return position + 1 - codes.length
    }
    return -1
  }
  const state = new Int32Array(words)
  for (let position = start; position < end; position++) {
    const row = rowAt(position) * words
    let carry = 1
    let last = 0
    for (let word = 0; word < words; word++) {
      const before = state[word] ?? 0
      last = ((before << 1) | carry) & (masks[row + word] ?? 0)
      state[word] = last
      carry = before >>> (wordBits - 1)
    }
    if ((last & accept) !== 0) return position + 1 - codes.length
  }
  return -1
}

/** The rows of the characters beyond U+00FF. */
function rowsOf(codes: readonly number[]): ReadonlyMap<number, number> {
  const rows = new Map<number, number>()
  for (const code of codes) {
    if (code >= unnamedRow && !rows.has(code)) rows.set(code, unnamedRow + 1 + rows.size)
  }
  return rows
}

/** A row of bits for each character: the places where it may stand. */
function masksOf(
  codes: readonly number[],
  words: number,
  rows: ReadonlyMap<number, number>,
): Int32Array {
  const masks = new Int32Array((unnamedRow + 1 + rows.size) * words)
  codes.forEach((code, place) => {
    const word = Math.floor(place / wordBits)
    const bit = 1 << (place % wordBits)
    if (code === -1) {
      for (let at = word; at < masks.length; at += words) masks[at] = (masks[at] ?? 0) | bit
    } else {
      const at = (code < unnamedRow ? code : (rows.get(code) ?? unnamedRow)) * words + word
      masks[at] = (masks[at] ?? 0) | bit
    }
  })
  return masks
}
