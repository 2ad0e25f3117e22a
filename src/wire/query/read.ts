import { internalError } from '../../base/errors.ts'
import { decodeBase64 } from '../json/base64.ts'
import type { Schema, StructureSchema, Value } from '../schema.ts'
import { type Field, malformedInput } from './form.ts'

/**
 * Reads the fields of a form into the values of a schema: `Name`, `Name.member.N`, `Name.entry.N.key` and `.value`,
 * `Name.Field`. Fields that the schema does not name are ignored, as AWS does. Throws 'serialization'.
 */
export function readForm<S extends StructureSchema>(schema: S, form: Field): Value<S> {
  return readStructure(schema.members, form) as Value<S>
}

function readStructure(
  members: StructureSchema['members'],
  { text, fields }: Field,
): Record<string, unknown> {
  if (text !== undefined && text !== '')
    throw malformedInput('Unexpected complex element termination')
  const result: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(members)) {
    const field = fields?.get(name)
    if (field !== undefined) result[name] = readField(schema, field)
  }
  return result
}

function readField(schema: Schema, field: Field): unknown {
  switch (schema.type) {
    case 'list':
      return numbered(field, 'member').map((element) => readField(schema.member, element))
    case 'map':
      return readMap(field)
    case 'structure':
      return readStructure(schema.members, field)
    case 'stream':
      throw internalError('a stream in AWS Query')
    default:
      return readSimple(schema.type, simpleText(field))
  }
}

function simpleText({ text, fields }: Field): string {
  if (text === undefined || fields !== undefined) {
    throw malformedInput('Unexpected complex element termination')
  }
  return text
}

function readSimple(type: 'string' | 'blob' | 'integer' | 'boolean' | 'timestamp', text: string) {
  switch (type) {
    case 'string':
      return text
    case 'integer':
      return readInteger(text)
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw malformedInput('Invalid boolean')
      return text === 'true'
    case 'timestamp':
      return readTimestamp(text)
    case 'blob': {
      const bytes = Buffer.from(text, 'utf8')
      const decoded = decodeBase64(bytes, 0, bytes.length)
      if (decoded === undefined) throw malformedInput('Invalid base64')
      return decoded
    }
  }
}

function readInteger(text: string): number {
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) + 0 : Number.NaN
  if (!(value >= -(2 ** 31) && value < 2 ** 31)) throw malformedInput('Invalid integer')
  return value
}

const isoDateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

function readTimestamp(text: string): number {
  const value = isoDateTime.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(value)) throw malformedInput('Invalid timestamp')
  return value
}

/** The elements `Name.<label>.1`, `.2` and so on, without gaps. `Name=` alone is the empty list. */
function numbered({ text, fields }: Field, label: 'member' | 'entry'): readonly Field[] {
  const elements = fields?.get(label)?.fields
  if (fields === undefined && text === '') return []
  if (elements === undefined || fields?.size !== 1 || text !== undefined) {
    throw malformedInput('Unexpected list element termination')
  }
  return Array.from({ length: elements.size }, (_, index) => {
    const element = elements.get(String(index + 1))
    if (element === undefined) throw malformedInput('Unexpected list element termination')
    return element
  })
}

function readMap(field: Field): Record<string, string> {
  const entries = Object.create(null) as Record<string, string>
  for (const { text, fields } of numbered(field, 'entry')) {
    const key = fields?.get('key')
    const value = fields?.get('value')
    if (key === undefined || value === undefined || text !== undefined) {
      throw malformedInput('Unexpected complex element termination')
    }
    const name = simpleText(key)
    if (entries[name] !== undefined) throw malformedInput('Duplicate key')
    entries[name] = simpleText(value)
  }
  return entries
}
