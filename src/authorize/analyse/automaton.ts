import { anyOne, anyRun, type Pattern } from '../glob.ts'

/**
 * Languages of texts, as unions of patterns, and the shortest text that is in some of them and outside others. Patterns
 * are automata without being built: their states are sets of places, met one by one, so that a complement is a set of
 * places without an end among them. The search is bounded, and says so when it gives up.
 */
export type Language = {
  readonly patterns: readonly CodePattern[]
  /** Whether texts are compared in lower case; the patterns are in lower case then. */
  readonly folded: boolean
}

/** UTF-16 units, and the wildcards below. */
export type CodePattern = readonly number[]

const one = -1
const run = -2
/** The same in the first five parts of an ARN, where no colon fits. */
const oneOfPart = -3
const runOfPart = -4
const colon = 58

/** Whether it is a wildcard that an empty text fits. */
export function isRun(code: number): boolean {
  return code === run || code === runOfPart
}

export type Membership = { readonly language: Language; readonly wanted: boolean }

export type Search =
  | { readonly found: string }
  /** 'none' is a proof. 'too-much': the bound was met first. */
  | 'none'
  | 'too-much'

export function textPattern(pattern: Pattern): CodePattern {
  return codesOf(pattern, one, run)
}

/** Undefined when nothing can match it: it has no six parts. */
export function arnPattern(pattern: Pattern): CodePattern | undefined {
  const codes: number[] = []
  let colons = 0
  for (const code of codesOf(pattern, one, run)) {
    if (code === colon) colons++
    const within = colons < 5
    codes.push(within && code === one ? oneOfPart : within && code === run ? runOfPart : code)
  }
  return colons < 5 ? undefined : codes
}

function codesOf(pattern: Pattern, single: number, several: number): number[] {
  const codes: number[] = []
  for (const piece of pattern) {
    if (piece === anyRun) codes.push(several)
    else if (piece === anyOne) codes.push(single)
    else for (let i = 0; i < piece.length; i++) codes.push(piece.charCodeAt(i))
  }
  return codes
}

/** The texts of a language that has finitely many and heeds case; undefined for any other. */
export function textsOf({ patterns, folded }: Language): readonly string[] | undefined {
  if (folded || patterns.some((codes) => codes.some((code) => code < 0))) return undefined
  return patterns.map((codes) => String.fromCharCode(...codes))
}

/** How many steps a search may take: states met, times what each of them looks at. */
const searchMax = 400_000
const textMax = 2048

/** The shortest text of at least `lengthMin` units that each membership wants so. */
export function shortestText(
  memberships: readonly Membership[],
  lengthMin: number,
  stepsMax = searchMax,
): Search {
  if (memberships.some(({ language }) => language.folded && hasOddLetters(language))) {
    return 'too-much'
  }
  const symbols = symbolsOf(memberships)
  let steps = 0
  let layer: Node[] = [{ state: memberships.map(startOf), before: undefined, symbol: 0 }]
  const met = new Set<string>()
  for (let length = 0; layer.length > 0 && length <= textMax; length++) {
    const next: Node[] = []
    for (const node of layer) {
      if (length >= lengthMin && accepts(node.state, memberships)) return { found: textOf(node) }
      for (const symbol of symbols) {
        const state = node.state.map((places, i) => step(places, symbol, memberships[i]))
        for (const places of state) steps += places.length + 1
        if (steps > stepsMax) return 'too-much'
        if (isDead(state, memberships)) continue
        const name = `${Math.min(length + 1, lengthMin)}|${state.join('|')}`
        if (met.has(name)) continue
        met.add(name)
        next.push({ state, before: node, symbol })
      }
    }
    layer = next
  }
  return layer.length === 0 ? 'none' : 'too-much'
}

/** For each language the places that patterns have come to, as `pattern * width + place`, in ascending order. */
type State = readonly (readonly number[])[]
type Node = { readonly state: State; readonly before: Node | undefined; readonly symbol: number }

const width = 1 << 16

function startOf({ language }: Membership): readonly number[] {
  const places = new Set<number>()
  for (const [index, codes] of language.patterns.entries()) addPlace(places, index, 0, codes)
  return [...places].sort(ascending)
}

/** A run may be empty: whoever stands before one stands behind it as well. */
function addPlace(places: Set<number>, index: number, place: number, codes: CodePattern): void {
  for (let at = place; ; at++) {
    places.add(index * width + at)
    const code = codes[at]
    if (code === undefined || !isRun(code)) return
  }
}

function step(
  places: readonly number[],
  symbol: number,
  membership: Membership | undefined,
): readonly number[] {
  if (membership === undefined || places.length === 0) return places
  const { patterns, folded } = membership.language
  const unit = folded ? lowerUnit(symbol) : symbol
  const next = new Set<number>()
  for (const position of places) {
    const index = Math.floor(position / width)
    const place = position % width
    const codes = patterns[index] ?? []
    const code = codes[place]
    if (code === undefined) continue
    const fits = code === unit || code === one || code === run
    const fitsPart = (code === oneOfPart || code === runOfPart) && unit !== colon
    if (!fits && !fitsPart) continue
    addPlace(next, index, code === run || code === runOfPart ? place : place + 1, codes)
  }
  return [...next].sort(ascending)
}

function accepts(state: State, memberships: readonly Membership[]): boolean {
  return memberships.every(({ language, wanted }, i) => {
    const atEnd = (state[i] ?? []).some((position) => {
      const codes = language.patterns[Math.floor(position / width)] ?? []
      return position % width === codes.length
    })
    return atEnd === wanted
  })
}

/** No text can come into a wanted language any more. */
function isDead(state: State, memberships: readonly Membership[]): boolean {
  return memberships.some(({ wanted }, i) => wanted && (state[i] ?? []).length === 0)
}

function textOf(node: Node): string {
  const units: number[] = []
  for (let at: Node = node; at.before !== undefined; at = at.before) units.push(at.symbol)
  return String.fromCharCode(...units.reverse())
}

/**
 * One symbol for each kind of unit that a pattern can tell from others: those that are written in one, the colon, and
 * one that is written in none. Where case is folded, every unit that becomes a written one is a symbol too.
 */
function symbolsOf(memberships: readonly Membership[]): readonly number[] {
  const written = new Set<number>([colon])
  for (const { language } of memberships) {
    for (const codes of language.patterns) {
      for (const code of codes) {
        if (code < 0) continue
        written.add(code)
        if (language.folded) for (const unit of unitsWithLower(code)) written.add(unit)
      }
    }
  }
  const symbols = [...written]
  for (const plain of 'xyzabcdefghijklmnopqrstuvw0123456789') {
    const unit = plain.charCodeAt(0)
    if (written.has(unit)) continue
    return [unit, ...symbols]
  }
  for (let unit = 0xa1; unit < 0xffff; unit++) {
    if (!written.has(unit) && lowerUnit(unit) === unit) return [unit, ...symbols]
  }
  return symbols
}

function ascending(a: number, b: number): number {
  return a - b
}

/** Letters whose lower case takes more than one unit to tell: σ, ς, i with a dot, and what is written in surrogates. */
function hasOddLetters({ patterns }: Language): boolean {
  const isOdd = (code: number) =>
    code === 0x3c3 || code === 0x3c2 || code === 0x307 || (code >= 0xd800 && code < 0xe000)
  return patterns.some((codes) => codes.some(isOdd))
}

function lowerUnit(unit: number): number {
  const lower = String.fromCharCode(unit).toLowerCase()
  return lower.length === 1 ? lower.charCodeAt(0) : unit
}

let upperUnits: Map<number, readonly number[]> | undefined

/** Every unit of which this is the lower case. */
function unitsWithLower(lower: number): readonly number[] {
  if (upperUnits === undefined) {
    const units = new Map<number, number[]>()
    for (let unit = 0; unit < 0x10000; unit++) {
      const of = lowerUnit(unit)
      if (of !== unit) units.set(of, [...(units.get(of) ?? []), unit])
    }
    upperUnits = units
  }
  return upperUnits.get(lower) ?? []
}
