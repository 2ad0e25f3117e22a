import { ServiceError } from '../../base/errors.ts'
import { hasMediaType } from '../header.ts'
import type { HttpRequest } from '../protocol.ts'

/** Bounds of a form; no operation needs more. */
const pairsMax = 1024
const nameLengthMax = 256
const segmentsMax = 12

/** Parameters by the segments of their names: `Tags.member.1.Key=a` is three fields inside one another and a text. */
export type Field = { text?: string; fields?: Map<string, Field> }

export function malformedInput(text: string): ServiceError {
  return new ServiceError('serialization', text)
}

/**
 * The parameters of an AWS Query request: of the body in a POST, of the query string in a GET, never of both, so that
 * a parameter has one place. Throws 'serialization' for what is not
 * `application/x-www-form-urlencoded` in UTF-8, for a name that comes twice, and beyond the bounds.
 */
export function parseForm(request: HttpRequest): Field {
  const root: Field = {}
  const text = formText(request)
  if (text === '') return root
  const pairs = text.split('&', pairsMax + 1)
  if (pairs.length > pairsMax) throw malformedInput('Too many parameters')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decodeText(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decodeText(pair.slice(equals + 1))
    put(root, name, value)
  }
  return root
}

function formText(request: HttpRequest): string {
  if (request.method === 'GET') {
    const mark = request.target.indexOf('?')
    return mark < 0 ? '' : request.target.slice(mark + 1)
  }
  if (request.method !== 'POST' || !hasMediaType(request, 'application/x-www-form-urlencoded')) {
    throw malformedInput('Request is not a form')
  }
  return request.body.toString('latin1')
}

const printableAscii = /^[!-~]*$/

function decodeText(encoded: string): string {
  if (!printableAscii.test(encoded)) throw malformedInput('Request is not URL-encoded')
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    throw malformedInput('Request is not URL-encoded')
  }
}

function put(root: Field, name: string, value: string): void {
  if (name === '' || name.length > nameLengthMax) throw malformedInput('Invalid parameter name')
  const segments = name.split('.', segmentsMax + 1)
  if (segments.length > segmentsMax) throw malformedInput('Invalid parameter name')
  let field = root
  for (const segment of segments) {
    field.fields ??= new Map()
    let next = field.fields.get(segment)
    if (next === undefined) {
      next = {}
      field.fields.set(segment, next)
    }
    field = next
  }
  if (field.text !== undefined) throw malformedInput('Duplicate parameter')
  field.text = value
}
