import { ServiceError } from '../base/errors.ts'
import { compilePattern } from './pattern.ts'
import type { Schema, StructureSchema } from './schema.ts'

/**
 * Checks a decoded value against the bounds of its schema. Throws ServiceError 'validation' with AWS's own text, for
 * example `1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have
 * value less than or equal to 1024`. Every broken constraint counts; their order is the schema's.
 *
 * The length of a string is in Unicode code points, as in Smithy's `length` trait, and that of a blob in bytes. A
 * string that is too long is not matched against its pattern. Sensitive values and blobs are never echoed.
 */
export function validate(schema: StructureSchema, value: unknown): void {
  const failures: Failures = { count: 0, text: '' }
  checkStructure(schema.members, value, '', failures)
  if (failures.count === 0) return
  const errors = failures.count === 1 ? 'error' : 'errors'
  throw new ServiceError(
    'validation',
    cut(`${failures.count} validation ${errors} detected: ${failures.text}`, messageMax),
  )
}

/** Bounds of what a message repeats of the request, in UTF-16 units. */
const messageMax = 4096
const echoMax = 1024

type Failures = { count: number; text: string }

function fail(
  failures: Failures,
  path: string,
  echo: string | undefined,
  constraint: string,
): void {
  failures.count++
  if (failures.text.length > messageMax) return
  if (failures.text !== '') failures.text += '; '
  failures.text += echo === undefined ? 'Value' : `Value ${echo}`
  failures.text += ` at '${path}' failed to satisfy constraint: ${constraint}`
}

/** A rule of one schema, and AWS's words for it. */
type Constraint = { readonly text: string; readonly holds: (value: unknown) => boolean }
type MemberPlan = {
  readonly name: string
  readonly path: string
  readonly required: boolean
  readonly schema: Schema
  readonly constraints: readonly Constraint[]
  /** Whether its value holds structures, whose members have paths of their own. */
  readonly nested: boolean
}

const plans = new WeakMap<object, readonly MemberPlan[]>()

function planOf(members: StructureSchema['members']): readonly MemberPlan[] {
  const known = plans.get(members)
  if (known !== undefined) return known
  const plan = Object.entries(members).map(([name, schema]) => ({
    name,
    path: name.charAt(0).toLowerCase() + name.slice(1),
    required: schema.required === true,
    schema,
    constraints: constraintsOf(schema),
    nested: isNested(schema),
  }))
  plans.set(members, plan)
  return plan
}

function isNested(schema: Schema): boolean {
  return schema.type === 'structure' || (schema.type === 'list' && isNested(schema.member))
}

function checkStructure(
  members: StructureSchema['members'],
  value: unknown,
  parent: string,
  failures: Failures,
): void {
  const structure = value as Readonly<Record<string, unknown>>
  for (const member of planOf(members)) {
    const held = structure[member.name]
    if (held === undefined) {
      if (member.required) fail(failures, parent + member.path, 'null', 'Member must not be null')
      continue
    }
    for (const constraint of member.constraints) {
      if (constraint.holds(held)) continue
      fail(failures, parent + member.path, echoOf(member.schema, held), constraint.text)
    }
    if (member.nested) checkNested(member.schema, held, parent + member.path, failures)
  }
}

function checkNested(schema: Schema, value: unknown, path: string, failures: Failures): void {
  if (schema.type === 'structure') checkStructure(schema.members, value, `${path}.`, failures)
  if (schema.type !== 'list') return
  for (const [index, element] of (value as readonly unknown[]).entries()) {
    checkNested(schema.member, element, `${path}.${index + 1}.member`, failures)
  }
}

function constraintsOf(schema: Schema): readonly Constraint[] {
  switch (schema.type) {
    case 'string':
      return stringConstraints(schema)
    case 'blob':
      return bounds('length', schema, (value) => (value as Buffer).length)
    case 'integer':
      return bounds('value', schema, (value) => value as number)
    case 'list':
      return [
        ...bounds('length', schema, (value) => (value as readonly unknown[]).length),
        ...elementConstraints(schema.member),
      ]
    default:
      return []
  }
}

/** AWS words what holds for the elements of a list of simple values as one constraint of the list. */
function elementConstraints(member: Schema): readonly Constraint[] {
  const constraints = constraintsOf(member)
  if (constraints.length === 0) return []
  const holdsFor = (element: unknown) => constraints.every(({ holds }) => holds(element))
  return [
    {
      text: `Member must satisfy constraint: [${constraints.map(({ text }) => text).join(', ')}]`,
      holds: (value) => (value as readonly unknown[]).every(holdsFor),
    },
  ]
}

type Bounds = { readonly min?: number | undefined; readonly max?: number | undefined }

function bounds(
  what: 'length' | 'value',
  { min, max }: Bounds,
  measure: (value: unknown) => number,
): readonly Constraint[] {
  const constraints: Constraint[] = []
  if (max !== undefined) {
    const text = `Member must have ${what} less than or equal to ${max}`
    constraints.push({ text, holds: (value) => measure(value) <= max })
  }
  if (min !== undefined && (what === 'value' || min > 0)) {
    const text = `Member must have ${what} greater than or equal to ${min}`
    constraints.push({ text, holds: (value) => measure(value) >= min })
  }
  return constraints
}

function stringConstraints(schema: Extract<Schema, { type: 'string' }>): readonly Constraint[] {
  const { min, max, values, pattern } = schema
  const constraints: Constraint[] = []
  for (const { text, holds } of bounds('length', { min, max }, codePoints)) {
    constraints.push({ text, holds })
  }
  if (values !== undefined) {
    const set = new Set<unknown>(values)
    const text = `Member must satisfy enum value set: [${values.join(', ')}]`
    constraints.push({ text, holds: (value) => set.has(value) })
  }
  if (pattern !== undefined) {
    if (max === undefined)
      throw new Error(`pattern '${pattern}' needs a length that it is bounded by`)
    const compiled = compilePattern(pattern)
    const text = `Member must satisfy regular expression pattern: ${pattern}`
    const holds = (value: unknown) => codePoints(value) > max || compiled.test(value as string)
    constraints.push({ text, holds })
  }
  return constraints
}

const highSurrogate = /[\ud800-\udbff]/

function codePoints(value: unknown): number {
  const text = value as string
  if (!highSurrogate.test(text)) return text.length
  let count = text.length
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) count--
  return count
}

/** The value as a message shows it; undefined where it shows none. */
function echoOf(schema: Schema, value: unknown): string | undefined {
  switch (schema.type) {
    case 'string':
      return schema.sensitive === true ? undefined : `'${cut(value as string, echoMax)}'`
    case 'integer':
      return `'${value as number}'`
    case 'list':
      return echoOfList(schema.member, value as readonly unknown[])
    default:
      return undefined
  }
}

function echoOfList(member: Schema, elements: readonly unknown[]): string | undefined {
  if (member.type !== 'string' && member.type !== 'integer') return undefined
  if (member.type === 'string' && member.sensitive === true) return undefined
  return `'${cut(`[${elements.slice(0, echoMax).join(', ')}]`, echoMax)}'`
}

/** At most `max` UTF-16 units, never half a surrogate pair. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, (last & 0xfc00) === 0xd800 ? max - 1 : max)
}
