import { parseDate } from '../conditions/date.ts'
import { parseIpRange } from '../conditions/ip.ts'
import { parseNumber } from '../conditions/number.ts'
import type { ComparedAs, ConditionTerm } from './term.ts'

/**
 * Values that stand for all others: comparisons of numbers, dates and addresses change their truth only where a value
 * of a policy stands, so that one text for each such place and for each gap between two is enough to try.
 */
export function pointsOf(kind: ComparedAs, conditions: readonly ConditionTerm[]): Points {
  const values = conditions.flatMap((condition) =>
    condition.kind === kind ? condition.values : [],
  )
  switch (kind) {
    case 'number':
      return lineOf(values, parseNumber, 1, decimalText)
    case 'date':
      return lineOf(values, parseDate, 1000, dateText)
    case 'address':
      return { texts: addressPoints(values), complete: true }
    default:
      return { texts: [], complete: false }
  }
}

/** `complete`: no other readable value can do what none of these does. */
export type Points = { readonly texts: readonly string[]; readonly complete: boolean }

function lineOf(
  values: readonly string[],
  parse: (text: string) => number | undefined,
  unit: number,
  write: (value: number) => string | undefined,
): Points {
  const marks = [...new Set(values.map(parse).filter((value) => value !== undefined))]
  marks.sort((a, b) => a - b)
  const first = marks[0] ?? 0
  const last = marks[marks.length - 1] ?? 0
  const points = [...marks, first - unit, last + unit]
  for (const [i, mark] of marks.entries()) {
    const next = marks[i + 1]
    if (next !== undefined) points.push(next - mark > 2 * unit ? mark + unit : (mark + next) / 2)
  }
  const texts = points.map((point) => {
    const text = write(point)
    return text !== undefined && parse(text) === point ? text : undefined
  })
  return {
    texts: texts.filter((text) => text !== undefined),
    complete: texts.every((text) => text !== undefined),
  }
}

function decimalText(value: number): string | undefined {
  const text = String(value)
  return text.includes('e') ? undefined : text
}

function dateText(value: number): string | undefined {
  if (Math.abs(value) > 8e15) return undefined
  return new Date(value).toISOString().replace('.000Z', 'Z')
}

/** Whole numbers around every number and every time that a policy names, within bounds. */
export function wholePoints(
  conditions: readonly ConditionTerm[],
  { min, max }: { readonly min: number; readonly max: number },
): Points {
  const points = new Set<number>([min, max])
  for (const { kind, values } of conditions) {
    for (const text of values) {
      const seconds = parseDate(text)
      const value = kind === 'date' && seconds !== undefined ? seconds / 1000 : parseNumber(text)
      if (value === undefined) continue
      const [floor, ceil] = [Math.floor(value), Math.ceil(value)]
      for (const point of [floor - 1, floor, ceil, ceil + 1]) {
        if (point >= min && point <= max) points.add(point)
      }
    }
  }
  const complete = conditions.every(({ kind }) => kind === 'number' || kind === 'date')
  return { texts: [...points].map(String), complete }
}

/** The first address of every range and the first behind it, of both families; 203.0.113.1 is for documentation. */
function addressPoints(values: readonly string[]): string[] {
  const starts = new Set<bigint>()
  const texts = ['203.0.113.1', '0.0.0.0', '::']
  for (const range of values.map(parseIpRange)) {
    if (range === undefined) continue
    const bits = range.address.length * 8
    const size = 1n << BigInt(bits - range.prefixLength)
    let address = 0n
    for (const byte of range.address) address = (address << 8n) | BigInt(byte)
    const start = address - (address % size)
    const tag = 1n << BigInt(bits)
    for (const point of [start, start + size]) {
      if (point < tag) starts.add(tag + point)
    }
  }
  for (const tagged of starts) texts.push(addressText(tagged))
  return texts
}

/** The leading bit says which family it is. */
function addressText(tagged: bigint): string {
  const v4 = tagged >> 33n === 0n
  const groups: string[] = []
  const [count, bits] = v4 ? [4, 8n] : [8, 16n]
  for (let i = count - 1; i >= 0; i--) {
    const group = (tagged >> (BigInt(i) * bits)) & ((1n << bits) - 1n)
    groups.push(group.toString(v4 ? 10 : 16))
  }
  return groups.join(v4 ? '.' : ':')
}
