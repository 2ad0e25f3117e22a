import { internalError } from '../../base/errors.ts'
import { referToXml } from '../query/xml.ts'
import type { Members, Schema } from '../schema.ts'

/** The members that are elements of the body, as XML in ASCII. Undefined ones are left out. */
export function writeElements(members: Members, output: unknown): string {
  const values = output as Readonly<Record<string, unknown>>
  let text = ''
  for (const [name, member] of Object.entries(members)) {
    const value = values[name]
    if (value === undefined || member.http !== undefined) continue
    const element = member.element ?? name
    if (member.type === 'list' && member.each === undefined) {
      for (const each of value as readonly unknown[]) text += write(element, member.member, each)
    } else text += write(element, member, value)
  }
  return text
}

function write(element: string, schema: Schema, value: unknown): string {
  return `<${element}>${content(schema, value)}</${element}>`
}

function content(schema: Schema, value: unknown): string {
  switch (schema.type) {
    case 'structure':
      return writeElements(schema.members, value)
    case 'list': {
      const { each, member } = schema
      if (each === undefined) throw internalError('a list without elements of its own')
      return (value as readonly unknown[]).map((one) => write(each, member, one)).join('')
    }
    case 'timestamp':
      return new Date(value as number).toISOString()
    default:
      return referToXml(writeText(schema, value))
  }
}

/** A simple value as a header has it; times in the form of RFC 9110 §5.6.7. */
export function writeText(schema: Schema, value: unknown): string {
  switch (schema.type) {
    case 'string':
      return value as string
    case 'integer':
    case 'boolean':
      return String(value)
    case 'timestamp':
      return new Date(value as number).toUTCString()
    case 'blob':
      if (schema.sensitive === true) throw internalError('a sensitive blob cannot be a text')
      return (value as Buffer).toString('base64')
    default:
      throw internalError(`a ${schema.type} as a text`)
  }
}
