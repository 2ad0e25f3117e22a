import { internalError, s3Error } from '../../base/errors.ts'
import { decodeBase64 } from '../json/base64.ts'
import type { Member, Members, Schema } from '../schema.ts'
import type { Element } from './xml.ts'

/** The value of an element. Throws 'MalformedXML' for what the schema does not have. */
export function readElement(schema: Schema, element: Element): unknown {
  switch (schema.type) {
    case 'structure':
      return readStructure(schema.members, element)
    case 'list':
      if (schema.each === undefined) throw internalError('a list without elements of its own')
      return element.children.map((child) => {
        if (child.name !== schema.each) throw malformed()
        return readElement(schema.member, child)
      })
    case 'map':
    case 'stream':
      throw internalError(`a ${schema.type} in XML`)
    default:
      if (element.children.length > 0) throw malformed()
      return readText(schema, element.text, malformed)
  }
}

function readStructure(members: Members, element: Element): Record<string, unknown> {
  if (element.text.trim() !== '') throw malformed()
  const named = byElement(members)
  const found: Record<string, unknown> = {}
  for (const child of element.children) {
    const known = named.get(child.name)
    if (known === undefined) throw malformed()
    const [name, schema] = known
    if (schema.type === 'list' && schema.each === undefined) {
      const before = (found[name] ?? []) as unknown[]
      before.push(readElement(schema.member, child))
      found[name] = before
    } else if (found[name] === undefined) found[name] = readElement(schema, child)
    else throw malformed()
  }
  return found
}

const plans = new WeakMap<Members, ReadonlyMap<string, readonly [string, Member]>>()

function byElement(members: Members): ReadonlyMap<string, readonly [string, Member]> {
  let plan = plans.get(members)
  if (plan === undefined) {
    plan = new Map(
      Object.entries(members).map(([name, member]) => [member.element ?? name, [name, member]]),
    )
    plans.set(members, plan)
  }
  return plan
}

const integerPattern = /^-?\d{1,15}$/
const isoPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** A simple value from its text: of an element, a header or a parameter. Throws what `refuse` makes. */
export function readText(schema: Schema, text: string, refuse: () => Error): unknown {
  switch (schema.type) {
    case 'string':
      return text
    case 'integer': {
      if (!integerPattern.test(text.trim())) throw refuse()
      return Number(text) + 0
    }
    case 'boolean': {
      const lower = text.trim().toLowerCase()
      if (lower !== 'true' && lower !== 'false') throw refuse()
      return lower === 'true'
    }
    case 'timestamp': {
      const parsed = isoPattern.test(text) ? Date.parse(text) : httpDate(text)
      if (Number.isNaN(parsed)) throw refuse()
      return parsed
    }
    case 'blob': {
      const bytes = Buffer.from(text, 'latin1')
      const decoded = decodeBase64(bytes, 0, bytes.length)
      if (decoded === undefined) throw refuse()
      return decoded
    }
    case 'list':
      return text.split(',').map((each) => readText(schema.member, each.trim(), refuse))
    default:
      throw internalError(`a ${schema.type} as a text`)
  }
}

function httpDate(text: string): number {
  const parsed = Date.parse(text)
  return !Number.isNaN(parsed) && new Date(parsed).toUTCString() === text ? parsed : Number.NaN
}

function malformed() {
  return s3Error('MalformedXML')
}
