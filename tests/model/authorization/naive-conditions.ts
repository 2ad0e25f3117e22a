import { isIPv4, isIPv6 } from 'node:net'
import { matchesGlob, type Pattern, substitute } from './naive-text.ts'
import { type Found, type Values, valuesFor } from './naive-values.ts'

export type { Values } from './naive-values.ts'

type Block = Readonly<Record<string, Readonly<Record<string, unknown>>>>
type Comparison = (request: string, policy: string, values: Values, version: string) => boolean

/** All operators and all keys must hold. */
export function conditionsHold(
  block: Block,
  values: Values,
  effect: 'Allow' | 'Deny',
  version: string,
): boolean {
  return Object.entries(block).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const texts = (Array.isArray(wanted) ? wanted : [wanted]).map(String)
      return holds(operator, texts, valuesFor(values, key), values, effect, version)
    }),
  )
}

function holds(
  operator: string,
  wanted: readonly string[],
  found: Found | undefined,
  values: Values,
  effect: 'Allow' | 'Deny',
  version: string,
): boolean {
  if (operator === 'Null') {
    return wanted.some((text) => (text.toLowerCase() === 'true') === (found === undefined))
  }
  const [, quantifier, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(operator) ?? []
  const negated = name.includes('Not')
  const compare = comparisons[name.replace('Not', '')]
  if (compare === undefined) throw new Error(`no operator ${operator}`)
  const test = (value: string) =>
    wanted.some((text) => compare(value, text, values, version)) !== negated
  if (found?.kind === 'ambiguous' && quantifier !== undefined) {
    // Each of the values might be meant, and is a set of its own.
    const one = (value: string) => (quantifier === 'ForAllValues' && value === '') || test(value)
    return effect === 'Deny' ? found.values.some(one) : found.values.every(one)
  }
  if (quantifier === 'ForAllValues') {
    if (found === undefined || found.values.every((value) => value === '')) return true
    return found.values.every(test)
  }
  if (found === undefined) return ifExists !== undefined || (quantifier === undefined && negated)
  if (quantifier === 'ForAnyValue') return found.values.some(test)
  if (found.kind === 'several') return false
  return effect === 'Deny' ? found.values.some(test) : found.values.every(test)
}

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: (value, text, values, version) =>
    sameText(substituteWithout(text, values, version), value),
  StringEqualsIgnoreCase: (value, text, values, version) =>
    sameText(substituteWithout(text, values, version)?.toLowerCase(), value.toLowerCase()),
  StringLike: (value, text, values, version) => {
    const pattern = substitute(text, values, version)
    return pattern !== undefined && matchesGlob(pattern, value)
  },
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: (value, text, values, version) =>
    sameText(substituteWithout(text, values, version)?.toLowerCase(), value.toLowerCase()),
  BinaryEquals: (value, text) =>
    isBase64(value) && Buffer.from(value, 'base64').equals(Buffer.from(text, 'base64')),
  NumericEquals: numeric((a, b) => a === b),
  NumericLessThan: numeric((a, b) => a < b),
  NumericLessThanEquals: numeric((a, b) => a <= b),
  NumericGreaterThan: numeric((a, b) => a > b),
  NumericGreaterThanEquals: numeric((a, b) => a >= b),
  DateEquals: dated((a, b) => a === b),
  DateLessThan: dated((a, b) => a < b),
  DateLessThanEquals: dated((a, b) => a <= b),
  DateGreaterThan: dated((a, b) => a > b),
  DateGreaterThanEquals: dated((a, b) => a >= b),
  IpAddress: (value, text) => inRange(value, text),
}

function sameText(text: string | undefined, value: string): boolean {
  return text === value
}

/** Variables are put in, and wildcards are characters like any other. */
function substituteWithout(text: string, values: Values, version: string): string | undefined {
  const pattern = substitute(text, values, version)
  return pattern
    ?.map((piece) => (typeof piece === 'string' ? piece : piece.any === 'run' ? '*' : '?'))
    .join('')
}

/** Six parts, each a pattern of its own; the last keeps all further colons. */
function arnMatches(value: string, text: string, values: Values, version: string): boolean {
  const pattern = substitute(text, values, version)
  if (pattern === undefined) return false
  const wanted = partsOf(pattern)
  const parts = value.split(':')
  if (wanted === undefined || parts.length < 6) return false
  const given = [...parts.slice(0, 5), parts.slice(5).join(':')]
  return given.every((part, index) => matchesGlob(wanted[index] ?? [], part))
}

/**
 * Undefined for what is no ARN. Values of variables may bring colons: the generator lets them stand in the last part.
 */
function partsOf(pattern: Pattern): readonly Pattern[] | undefined {
  const parts: Pattern[number][][] = [[]]
  for (const piece of pattern) {
    if (piece === ':' && parts.length < 6) parts.push([])
    else parts.at(-1)?.push(piece)
  }
  return parts.length === 6 ? parts : undefined
}

function numeric(compare: (a: number, b: number) => boolean): Comparison {
  return (value, text) => /^[+-]?\d+(\.\d+)?$/.test(value) && compare(Number(value), Number(text))
}

function dated(compare: (a: number, b: number) => boolean): Comparison {
  return (value, text) => {
    const [a, b] = [timeOf(value), timeOf(text)]
    return a !== undefined && b !== undefined && compare(a, b)
  }
}

function timeOf(text: string): number | undefined {
  if (/^\d+$/.test(text) && text.length > 4) return Number(text) * 1000
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}

function inRange(value: string, range: string): boolean {
  const [network = '', length] = range.split('/')
  if (isIPv4(value) !== isIPv4(network) || isIPv6(value) !== isIPv6(network)) return false
  const [a, b] = [bitsOf(value), bitsOf(network)]
  if (a === undefined || b === undefined) return false
  const count = length === undefined ? b.length : Number(length)
  return a.slice(0, count) === b.slice(0, count)
}

function bitsOf(address: string): string | undefined {
  if (isIPv4(address)) {
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  }
  if (!isIPv6(address)) return undefined
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [
    ...groups(head),
    ...Array.from({ length: tail === undefined ? 0 : missing }, () => '0'),
    ...groups(tail),
  ]
  return all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}
