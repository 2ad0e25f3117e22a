import { createHash } from 'node:crypto'
import { type ServiceError, s3Error } from '../../../base/errors.ts'
import { decodeBase64 } from '../../../wire/json/base64.ts'
import type { CallContext } from '../../operation.ts'

/** A customer's key: 32 bytes, to be wiped by whoever asked for it. `md5` is in Base64. */
export type CustomerKey = { readonly key: Buffer; readonly md5: string }

/** The three headers of SSE-C, of an object or of the source of a copy. */
export type CustomerHeaders = {
  readonly algorithm: string | undefined
  readonly key: string | undefined
  readonly md5: string | undefined
}

const keyBytes = 32
const algorithmServed = 'AES256'
/** What AWS names, whichever of the headers is wrong. */
const argument = 'x-amz-server-side-encryption'
const requests = 'Requests specifying Server Side Encryption with Customer provided keys must'

/** As records and policies see it: who confuses the headers has sent the key here. */
export function shownAlgorithm(algorithm: string | undefined): string | undefined {
  return algorithm === undefined || algorithm === algorithmServed ? algorithm : 'invalid'
}

/** Whether any of the three is there. */
export function bringsKey({ algorithm, key, md5 }: CustomerHeaders): boolean {
  return algorithm !== undefined || key !== undefined || md5 !== undefined
}

/**
 * The key that a request brings, undefined if it brings none. Throws S3's refusals, in AWS's order: the algorithm, the
 * key, its MD5, its length.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
 */
export function parseCustomerKey(
  call: CallContext,
  headers: CustomerHeaders,
): CustomerKey | undefined {
  if (!bringsKey(headers)) return undefined
  const { algorithm, key: text, md5 } = headers
  if (algorithm === undefined) throw refusal(`${requests} provide a valid encryption algorithm.`)
  if (algorithm !== algorithmServed) {
    throw s3Error('InvalidEncryptionAlgorithmError', {
      ArgumentName: argument,
      ArgumentValue: algorithm.slice(0, 255),
    })
  }
  if (text === undefined) throw refusal(`${requests} provide an appropriate secret key.`)
  if (md5 === undefined) {
    throw refusal(`${requests} provide the client calculated MD5 of the secret key.`)
  }
  requirePrivate(call)
  return { key: decodeKey(text, md5), md5 }
}

function decodeKey(text: string, md5: string): Buffer {
  const source = Buffer.from(text, 'latin1')
  const key = decodeBase64(source, 0, source.length)
  source.fill(0)
  if (key === undefined) throw refusal('The secret key was invalid for the specified algorithm.')
  const isSame = createHash('md5').update(key).digest('base64') === md5
  if (isSame && key.length === keyBytes) return key
  key.fill(0)
  throw refusal(
    isSame
      ? 'The secret key was invalid for the specified algorithm.'
      : 'The calculated MD5 hash of the key did not match the hash that was provided.',
  )
}

/** AWS wants TLS. A program on this very machine shows its key to nobody without it. */
function requirePrivate({ globalConditions }: CallContext): void {
  if (globalConditions['aws:SecureTransport'] === 'true') return
  const address = globalConditions['aws:SourceIp']
  if (typeof address === 'string' && (address.startsWith('127.') || address === '::1')) return
  throw s3Error('InvalidRequest', undefined, {
    text: `${requests} be made over a secure connection.`,
  })
}

function refusal(text: string): ServiceError {
  return s3Error('InvalidArgument', { ArgumentName: argument, ArgumentValue: 'null' }, { text })
}

/** Of a key that a request brought and that is of no more use. */
export function wipeCustomerKey(customer: CustomerKey | undefined): void {
  customer?.key.fill(0)
}
