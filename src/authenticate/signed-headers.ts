import { invalidSignature, mismatch, nonconforming } from './refusals.ts'
import type { RequestHeaders } from './request-headers.ts'

/** A SignedHeaders list that was read: names in lower case, in ascending order, `host` among them. */
export type SignedHeaders = {
  readonly text: string
  readonly names: readonly string[]
  readonly positions: ReadonlyMap<string, number>
}

const signedHeadersMax = 64
const cachedListsMax = 256

/** Lists that were read, since a client sends the same one each time. Bounded; emptied when full. */
export class SignedHeadersCache {
  readonly #lists = new Map<string, SignedHeaders>()

  read(text: string): SignedHeaders {
    let list = this.#lists.get(text)
    if (list === undefined) {
      list = parseSignedHeaders(text)
      if (this.#lists.size >= cachedListsMax) this.#lists.clear()
      this.#lists.set(text, list)
    }
    return list
  }
}

/** Throws 'incomplete-signature' for a list too long, else 'invalid-signature'. */
export function parseSignedHeaders(text: string): SignedHeaders {
  const names = text.split(';', signedHeadersMax + 1)
  if (names.length > signedHeadersMax) throw nonconforming('too many signed headers')
  if (!names.includes('host')) {
    throw invalidSignature(
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    )
  }
  const positions = new Map<string, number>()
  let before = ''
  for (const name of names) {
    // Ascending order means that no name is empty and none stands twice.
    if (name <= before || name !== name.toLowerCase()) throw mismatch('SignedHeaders not canonical')
    positions.set(name, positions.size)
    before = name
  }
  return { text, names, positions }
}

/**
 * The canonical headers: one line `name:value` for each signed name. Throws 'invalid-signature' when a signed header
 * is not there, and when a header is there that decides something and was not signed: every `x-amz-*`, and Date
 * where it stands in for X-Amz-Date.
 *
 * Content-Type need not be signed, because some SDKs do not sign it; so nothing that it says may be believed beyond
 * what the signed target and the scope's service say.
 */
export function canonicalHeaders(
  headers: RequestHeaders,
  signed: SignedHeaders,
  refuse: (name: string) => Error = unsignedHeader,
): string {
  const { names, values } = headers
  const { positions } = signed
  const found: (string | undefined)[] = new Array(signed.names.length)
  for (let index = 0; index < names.length; index++) {
    const name = names[index] ?? ''
    const position = positions.get(name)
    if (position !== undefined) {
      const value = canonicalValue(values[index] ?? '')
      const before = found[position]
      found[position] = before === undefined ? value : `${before},${value}`
    } else if (name.startsWith('x-amz-') || (name === 'date' && headers.amzDate === undefined)) {
      throw refuse(name)
    }
  }
  let lines = ''
  for (let position = 0; position < found.length; position++) {
    const value = found[position]
    if (value === undefined) throw mismatch(`signed header ${signed.names[position]} is not there`)
    lines += `${signed.names[position]}:${value}\n`
  }
  return lines
}

function unsignedHeader(name: string): Error {
  return invalidSignature(
    'There were headers present in the request which were not signed',
    `unsigned header ${name}`,
  )
}

const space = 0x20

/** Trimmed, with each run of blanks as one space. */
function canonicalValue(value: string): string {
  let blankBefore = true
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code <= space && (blankBefore || code !== space)) return squeezed(value)
    blankBefore = code === space
  }
  return blankBefore ? squeezed(value) : value
}

function squeezed(value: string): string {
  return value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')
}
