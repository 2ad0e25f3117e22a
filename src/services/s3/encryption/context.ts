import { type ServiceError, s3Error } from '../../../base/errors.ts'
import { decodeBase64 } from '../../../wire/json/base64.ts'

const name = 'x-amz-server-side-encryption-context'

/** What S3 itself puts into every encryption context. */
export const arnOfContext = 'aws:s3:arn'

export type Context = Readonly<Record<string, string>>

/**
 * The encryption context of a header, without the ARN that S3 adds; undefined for one without pairs. Throws
 * 'InvalidArgument' for anything but Base64 of a map of strings, and where it gives another ARN than `arn`.
 */
export function parseContext(text: string, arn: string): Context | undefined {
  const pairs = Object.entries(mapOf(text))
  const given = pairs.find(([key]) => key === arnOfContext)
  if (given !== undefined && given[1] !== arn) {
    throw refusal(text, `The encryption context can have no other ${arnOfContext} than ${arn}.`)
  }
  const own = pairs.filter((pair) => pair !== given)
  return own.length === 0 ? undefined : Object.fromEntries(own)
}

function mapOf(text: string): Context {
  const value = jsonOf(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (Object.values(value).every((each) => typeof each === 'string')) return value as Context
  }
  throw malformed(text)
}

function jsonOf(text: string): unknown {
  const source = Buffer.from(text, 'latin1')
  const bytes = decodeBase64(source, 0, source.length)
  if (bytes === undefined) throw malformed(text)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw malformed(text)
  }
}

function malformed(text: string): ServiceError {
  return refusal(
    text,
    `The header '${name}' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map`,
  )
}

function refusal(value: string, text: string): ServiceError {
  const members = { ArgumentName: name, ArgumentValue: value.slice(0, 255) }
  return s3Error('InvalidArgument', members, { text })
}
