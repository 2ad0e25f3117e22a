import { shiftAnd } from './shift-and.ts'

/**
 * Wildcard patterns: `*` is any run of characters, `?` exactly one (a UTF-16 unit). A pattern is cut at its stars; the
 * first and the last piece are anchored, each piece between them is sought leftmost. There is no backtracking: a match
 * of a long text takes at most one step for each character and 32 places of the pattern, whoever wrote either.
 */
export const anyRun = Symbol('*')
export const anyOne = Symbol('?')
/** Literal text and wildcards apart, so that literal text may itself contain `*` and `?`. */
export type Pattern = readonly (string | typeof anyRun | typeof anyOne)[]

export type TextTest = (text: string) => boolean

export function parseGlob(text: string): Pattern {
  if (!text.includes('*') && !text.includes('?')) return [text]
  const pieces = text.split(/([*?])/)
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) => (piece === '*' ? anyRun : piece === '?' ? anyOne : piece))
}

/** Whether any of the patterns matches: exact texts are looked up, wildcards tried one after the other. */
export function compileAnyGlob(patterns: readonly Pattern[]): TextTest {
  const literals: string[] = []
  const tests: TextTest[] = []
  for (const pattern of patterns) {
    const literal = literalOf(pattern)
    if (literal === undefined) tests.push(compileGlob(pattern))
    else literals.push(literal)
  }
  return anyTest(literals, tests)
}

export function anyTest(literals: readonly string[], tests: readonly TextTest[]): TextTest {
  const isLiteral = oneOf(literals)
  const [only] = tests
  if (only === undefined) return isLiteral
  if (literals.length === 0 && tests.length === 1) return only
  return (text) => isLiteral(text) || tests.some((test) => test(text))
}

function oneOf(literals: readonly string[]): TextTest {
  const [only] = literals
  if (only !== undefined && literals.length === 1) return equals(only)
  const known = new Set(literals)
  return (text) => known.has(text)
}

/** The text when the pattern has no wildcards. */
export function literalOf(pattern: Pattern): string | undefined {
  return pattern.every((piece) => typeof piece === 'string') ? pattern.join('') : undefined
}

export function compileGlob(pattern: Pattern): TextTest {
  const segments = segmentsOf(pattern)
  const first = segments[0] ?? new Segment([])
  if (segments.length === 1) {
    return first.literal === undefined
      ? (text) => text.length === first.length && first.matchesAt(text, 0)
      : equals(first.literal)
  }
  const last = segments[segments.length - 1] ?? first
  const middle = segments.slice(1, -1).filter((segment) => segment.length > 0)
  if (middle.length === 0 && last.length === 0) {
    if (first.length === 0) return () => true
    const prefix = first.literal
    if (prefix !== undefined) return (text) => text.startsWith(prefix)
  }
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !first.matchesAt(text, 0) || !last.matchesAt(text, end)) return false
    let position = first.length
    for (let i = 0; i < middle.length; i++) {
      const segment = middle[i] ?? first
      const found = segment.find(text, position, end)
      if (found < 0) return false
      position = found + segment.length
    }
    return true
  }
}

function equals(literal: string): TextTest {
  return (text) => text === literal
}

function segmentsOf(pattern: Pattern): Segment[] {
  const segments: (string | typeof anyOne)[][] = [[]]
  for (const piece of pattern) {
    if (piece === anyRun) segments.push([])
    else segments[segments.length - 1]?.push(piece)
  }
  return segments.map((pieces) => new Segment(pieces))
}

/** Up to this length of text, or of the piece, the plain search is the fastest and its worst case is small. */
const plainTextMax = 256
const plainPieceMax = 2

/** A piece of a pattern between two stars: characters, and places where any character may stand. */
class Segment {
  readonly length: number
  /** The text, when no place is open. */
  readonly literal: string | undefined
  /** UTF-16 units; -1 is an open place. Empty when all is literal. */
  readonly #codes: readonly number[]

  constructor(pieces: readonly (string | typeof anyOne)[]) {
    this.literal = literalOf(pieces)
    this.#codes = this.literal === undefined ? codesOf(pieces) : []
    this.length = this.literal?.length ?? this.#codes.length
  }

  matchesAt(text: string, position: number): boolean {
    if (this.length === 0) return true
    if (this.literal !== undefined) return text.startsWith(this.literal, position)
    for (let i = 0; i < this.#codes.length; i++) {
      const code = this.#codes[i]
      if (code !== -1 && code !== text.charCodeAt(position + i)) return false
    }
    return true
  }

  /** The leftmost place from `start` on where the piece fits before `end`, or -1. */
  find(text: string, start: number, end: number): number {
    if (start + this.length > end) return -1
    if (text.length > plainTextMax && this.length > plainPieceMax) {
      const codes = this.literal === undefined ? this.#codes : codesOf([this.literal])
      return shiftAnd(codes, text, start, end)
    }
    if (this.literal !== undefined) {
      const found = text.indexOf(this.literal, start)
      return found + this.length <= end ? found : -1
    }
    for (let position = start; position + this.length <= end; position++) {
      if (this.matchesAt(text, position)) return position
    }
    return -1
  }
}

function codesOf(pieces: readonly (string | typeof anyOne)[]): number[] {
  return pieces.flatMap((piece) =>
    piece === anyOne ? [-1] : Array.from({ length: piece.length }, (_, i) => piece.charCodeAt(i)),
  )
}
