import { internalError } from '../../base/errors.ts'
import type { Schema, StructureSchema } from '../schema.ts'

/** Writes the members of an output as XML elements, in ASCII. Undefined members are left out. */
export function writeXml(members: StructureSchema['members'], output: unknown): string {
  const structure = output as Readonly<Record<string, unknown>>
  let text = ''
  for (const [name, schema] of Object.entries(members)) {
    const value = structure[name]
    if (value !== undefined) text += `<${name}>${content(schema, value)}</${name}>`
  }
  return text
}

function content(schema: Schema, value: unknown): string {
  switch (schema.type) {
    case 'string':
      return escapeXml(value as string)
    case 'integer':
    case 'boolean':
      return String(value)
    case 'timestamp':
      return dateTime(value as number)
    case 'blob':
      // This text could not be wiped; AWS JSON is the protocol that carries secrets.
      if (schema.sensitive === true)
        throw internalError('a sensitive blob cannot be answered in XML')
      return (value as Buffer).toString('base64')
    case 'list':
      return (value as readonly unknown[])
        .map((element) => `<member>${content(schema.member, element)}</member>`)
        .join('')
    case 'map':
      return Object.entries(value as Readonly<Record<string, string>>)
        .map(
          ([key, held]) =>
            `<entry><key>${escapeXml(key)}</key><value>${escapeXml(held)}</value></entry>`,
        )
        .join('')
    case 'structure':
      return writeXml(schema.members, value)
    case 'stream':
      throw internalError('a stream in AWS Query')
  }
}

/** ISO 8601 in UTC; with milliseconds only where there are any. */
function dateTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}

const special = /[^\x20-\x7e]|[&<>"']/gu

/**
 * Text as XML 1.0 in ASCII. Characters that XML cannot hold in any spelling (most control characters, half surrogate
 * pairs, U+FFFE and U+FFFF) become U+FFFD.
 */
export function escapeXml(text: string): string {
  return text.replace(special, escapeCharacter)
}

/**
 * The same, but what XML cannot hold is referred to all the same, as S3 does with the names of objects: a strict reader
 * fails where it would otherwise read another name than the object has.
 */
export function referToXml(text: string): string {
  return text.replace(special, (character) => entities[character] ?? reference(character))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

function escapeCharacter(character: string): string {
  const entity = entities[character]
  if (entity !== undefined) return entity
  return reference(isXmlCharacter(character.codePointAt(0) ?? 0) ? character : '\ufffd')
}

function reference(character: string): string {
  return `&#x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`
}

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d
  if (code >= 0xd800 && code <= 0xdfff) return false
  return code !== 0xfffe && code !== 0xffff
}
