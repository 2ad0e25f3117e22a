import { hash } from 'node:crypto'
import { mismatch } from './refusals.ts'

/**
 * The canonical request of Signature Version 4. Strings hold bytes (Latin-1), as node:http hands them over.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * Answers its SHA-256 in lower-case hexadecimal. Throws 'invalid-signature'.
 */
export function canonicalRequestHash(parts: {
  readonly method: string
  readonly target: string
  readonly normalizePath: boolean
  /** Lines of `canonicalHeaders`. */
  readonly headers: string
  readonly signedHeaders: string
  readonly bodyHash: string
}): string {
  const { method, target, normalizePath, headers, signedHeaders, bodyHash } = parts
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  const text =
    `${method}\n${canonicalPath(path, normalizePath)}\n${canonicalQuery(query)}\n` +
    `${headers}\n${signedHeaders}\n${bodyHash}`
  // Hashing a string hashes its UTF-8, which for ASCII alone is the bytes that arrived.
  if (Buffer.byteLength(text) === text.length) return hash('sha256', text, 'hex')
  if (/[^\0-\xff]/.test(text)) throw mismatch('characters that are no bytes')
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex')
}

/**
 * `normalize` removes empty and dot segments, as every service but S3 does. Then all bytes but unreserved ones and
 * slashes are percent-encoded, those of percent-encoded bytes once more.
 */
export function canonicalPath(path: string, normalize: boolean): string {
  if (path === '/') return '/'
  if (!path.startsWith('/')) throw mismatch('the request target is no absolute path')
  return encodeBytes(normalize ? normalizedPath(path) : path, pathBytes)
}

/** S3's: nothing is removed, and what the path means is percent-encoded once, however it was sent. */
export function objectPath(path: string): string {
  if (!path.startsWith('/')) throw mismatch('the request target is no absolute path')
  return encodeBytes(decodeBytes(path), pathBytes)
}

function normalizedPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${segments.join('/')}${end}`
}

/**
 * Names and values percent-encoded once, in ascending order of both. A plus sign that is not encoded is refused: it is
 * signed as a plus and read as a space, so `%2B` could be changed into it on the way. No SDK sends one.
 */
export function canonicalQuery(query: string): string {
  if (query === '') return ''
  if (query.includes('+')) throw mismatch('a plus sign in the query')
  const pairs: [name: string, value: string][] = []
  for (const parameter of query.split('&')) {
    if (parameter === '') continue
    const equals = parameter.indexOf('=')
    const name = equals < 0 ? parameter : parameter.slice(0, equals)
    const value = equals < 0 ? '' : parameter.slice(equals + 1)
    pairs.push([
      encodeBytes(decodeBytes(name), queryBytes),
      encodeBytes(decodeBytes(value), queryBytes),
    ])
  }
  pairs.sort(([nameA, valueA], [nameB, valueB]) => order(nameA, nameB) || order(valueA, valueB))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const queryBytes = encodings('-._~')
const pathBytes = encodings('-._~/')

/** How each of the 256 bytes is written when letters, digits and `plain` stand for themselves. */
function encodings(plain: string): readonly string[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const character = String.fromCharCode(byte)
    if (/[A-Za-z0-9]/.test(character) || plain.includes(character)) return character
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  })
}

function encodeBytes(text: string, table: readonly string[]): string {
  let encoded = ''
  for (let index = 0; index < text.length; index++) {
    const written = table[text.charCodeAt(index)]
    if (written === undefined) throw mismatch('characters that are no bytes')
    encoded += written
  }
  return encoded
}

/** A lone percent sign is refused: it and its encoding would have one canonical form and two meanings. */
function decodeBytes(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%([0-9A-Fa-f]{2})?/g, (_, hex: string | undefined) => {
    if (hex === undefined) throw mismatch('malformed percent-encoding')
    return String.fromCharCode(Number.parseInt(hex, 16))
  })
}
