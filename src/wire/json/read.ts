import { internalError } from '../../base/errors.ts'
import type { Schema, StructureSchema, Value } from '../schema.ts'
import { wipeSensitive } from '../wipe.ts'
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  isDigit,
  letterF,
  letterN,
  letterT,
  minus,
  openBrace,
  openBracket,
  quoteMark,
  Scanner,
  serializationError,
} from './scanner.ts'

/**
 * Reads the body of an AWS JSON request straight into the values of its schema. Every failure is ServiceError
 * 'serialization'; bounds are `validate`'s business.
 *
 * - An empty body is `{}`. Anything else must be one JSON object and nothing after it.
 * - Members that the schema does not name are skipped, as AWS does, once they are known to be JSON.
 * - A member named twice in one object that is read is refused: two readers could disagree on which one counts.
 * - `null` for a member is the same as no member; in a list or a map it is refused.
 * - Numbers follow their value, not their spelling: `1.0` and `1e0` are the integer 1. Integers have 32 bits.
 * - Blobs are canonical base64 and are decoded from the bytes; neither form of them becomes a string.
 * - Maps have no prototype, so that `__proto__` is a key like any other.
 *
 * What was decoded of a body that is then refused is overwritten where the schema calls it sensitive.
 */
export function readJson<S extends StructureSchema>(schema: S, body: Buffer): Value<S> {
  const result: Structure = {}
  try {
    if (body.length > 0) {
      const scanner = new Scanner(body)
      if (scanner.next() !== openBrace) throw typeError(scanner, 'Structure')
      readMembers(scanner, planOf(schema.members), result, 1)
      if (scanner.next() !== -1) throw scanner.malformed()
    }
    return result as Value<S>
  } catch (error) {
    wipeSensitive(schema, result)
    throw error
  }
}

type Structure = Record<string, unknown>

type Member = { readonly name: string; readonly bytes: Uint8Array; readonly schema: Schema }
type Plan = { readonly members: readonly Member[]; readonly byName: ReadonlyMap<string, Member> }

const plans = new WeakMap<object, Plan>()

function planOf(members: Readonly<Record<string, Schema>>): Plan {
  const known = plans.get(members)
  if (known !== undefined) return known
  const list = Object.entries(members).map(([name, schema]) => {
    if (name in Object.prototype) throw new Error(`'${name}' cannot be the name of a member`)
    return { name, bytes: Buffer.from(name), schema }
  })
  const plan = { members: list, byName: new Map(list.map((member) => [member.name, member])) }
  plans.set(members, plan)
  return plan
}

/** Reads an object into `result`, member by member. The next byte is its brace. */
function readMembers(scanner: Scanner, plan: Plan, result: Structure, depth: number): void {
  scanner.enter(depth)
  if (scanner.take(closeBrace)) return
  // Names that came but left no value: unknown ones, and those that were null.
  let valueless: Set<string> | undefined
  do {
    if (scanner.next() !== quoteMark) throw scanner.malformed()
    const found = memberHere(scanner, plan)
    const name = typeof found === 'string' ? found : found.name
    if (valueless?.has(name)) throw duplicate()
    scanner.expect(colon)
    if (typeof found === 'string') scanner.skip(depth + 1)
    else if (result[name] !== undefined) throw duplicate()
    else result[name] = readMember(scanner, found.schema, depth + 1)
    if (typeof found === 'string' || result[name] === undefined) {
      valueless ??= new Set()
      valueless.add(name)
    }
  } while (scanner.take(comma))
  scanner.expect(closeBrace)
}

/** Takes a member's name; answers the text of one that the schema does not know. */
function memberHere(scanner: Scanner, plan: Plan): Member | string {
  for (const member of plan.members) if (scanner.takeName(member.bytes)) return member
  const name = scanner.string()
  return plan.byName.get(name) ?? name
}

function readMember(scanner: Scanner, schema: Schema, depth: number): unknown {
  if (scanner.next() !== letterN) return readValue(scanner, schema, depth)
  scanner.literal('null')
  return undefined
}

function readValue(scanner: Scanner, schema: Schema, depth: number): unknown {
  switch (schema.type) {
    case 'string':
      if (scanner.next() !== quoteMark) throw typeError(scanner, 'String')
      return scanner.string()
    case 'blob':
      if (scanner.next() !== quoteMark) throw typeError(scanner, 'Blob')
      return scanner.blob()
    case 'integer':
      return readInteger(scanner)
    case 'boolean':
      return readBoolean(scanner)
    case 'timestamp':
      return readTimestamp(scanner)
    case 'list':
      return readList(scanner, schema.member, depth)
    case 'map':
      return readMap(scanner, depth)
    case 'structure':
      return readStructure(scanner, schema.members, depth)
    case 'stream':
      throw internalError('a stream in AWS JSON')
  }
}

function readStructure(
  scanner: Scanner,
  members: Readonly<Record<string, Schema>>,
  depth: number,
): Structure {
  if (scanner.next() !== openBrace) throw typeError(scanner, 'Structure')
  const result: Structure = {}
  readMembers(scanner, planOf(members), result, depth)
  return result
}

const integerMin = -(2 ** 31)
const integerMax = 2 ** 31 - 1

function readInteger(scanner: Scanner): number {
  const value = readNumber(scanner, 'Integer')
  if (!Number.isInteger(value) || value < integerMin || value > integerMax) {
    throw serializationError('NUMBER_VALUE cannot be converted to Integer')
  }
  // Adding zero makes zero of minus zero.
  return value + 0
}

/** The last instant that a Date can hold, in milliseconds since the epoch. */
const timestampMax = 8.64e15

/** Epoch seconds, with a fraction or without, to whole milliseconds. */
function readTimestamp(scanner: Scanner): number {
  const milliseconds = Math.round(readNumber(scanner, 'Timestamp') * 1000)
  if (!(Math.abs(milliseconds) <= timestampMax)) {
    throw serializationError('NUMBER_VALUE cannot be converted to Timestamp')
  }
  return milliseconds + 0
}

function readNumber(scanner: Scanner, wanted: string): number {
  const byte = scanner.next()
  if (byte !== minus && !isDigit(byte)) throw typeError(scanner, wanted)
  return scanner.number()
}

function readBoolean(scanner: Scanner): boolean {
  const byte = scanner.next()
  if (byte !== letterT && byte !== letterF) throw typeError(scanner, 'Boolean')
  scanner.literal(byte === letterT ? 'true' : 'false')
  return byte === letterT
}

function readList(scanner: Scanner, member: Schema, depth: number): unknown[] {
  if (scanner.next() !== openBracket) throw typeError(scanner, 'List')
  scanner.enter(depth)
  const values: unknown[] = []
  if (scanner.take(closeBracket)) return values
  do values.push(readValue(scanner, member, depth + 1))
  while (scanner.take(comma))
  scanner.expect(closeBracket)
  return values
}

function readMap(scanner: Scanner, depth: number): Record<string, string> {
  if (scanner.next() !== openBrace) throw typeError(scanner, 'Map')
  scanner.enter(depth)
  const entries = Object.create(null) as Record<string, string>
  if (scanner.take(closeBrace)) return entries
  do {
    if (scanner.next() !== quoteMark) throw scanner.malformed()
    const key = scanner.string()
    if (entries[key] !== undefined) throw duplicate()
    scanner.expect(colon)
    if (scanner.next() !== quoteMark) throw typeError(scanner, 'String')
    entries[key] = scanner.string()
  } while (scanner.take(comma))
  scanner.expect(closeBrace)
  return entries
}

function duplicate() {
  return serializationError('Duplicate member in request body')
}

/** Says what came instead of what the schema asks for. */
function typeError(scanner: Scanner, wanted: string) {
  const byte = scanner.next()
  if (byte === openBrace) {
    return serializationError('Start of structure or map found where not expected.')
  }
  if (byte === openBracket) return serializationError('Start of list found where not expected')
  const kind = kindOf(byte)
  if (kind === undefined) return scanner.malformed()
  return serializationError(`${kind} cannot be converted to ${wanted}`)
}

function kindOf(byte: number): string | undefined {
  if (byte === quoteMark) return 'STRING_VALUE'
  if (byte === letterT) return 'TRUE_VALUE'
  if (byte === letterF) return 'FALSE_VALUE'
  if (byte === letterN) return 'NULL_VALUE'
  return byte === minus || isDigit(byte) ? 'NUMBER_VALUE' : undefined
}
