import { createHmac, type KeyObject } from 'node:crypto'
import { internalError, ServiceError } from '../base/errors.ts'
import { binding, fromBase64, unwrap, wrap } from './wrap.ts'

/** Secret access keys: sealed once, and afterwards only used, never given back. */
const secretBytesMax = 1024

/** What can be derived from a sealed secret; text from a request's credential scope. */
export type DerivationScope = {
  readonly accessKeyId: string
  readonly sealedSecret: string
  readonly date: string
  readonly region: string
  readonly service: string
}

/** Base64. Opens only for the same access key id. */
export function sealSecret(secretsKey: KeyObject, accessKeyId: string, secret: Buffer): string {
  if (secret.length === 0 || secret.length > secretBytesMax) {
    throw internalError('a secret access key of impossible length')
  }
  return wrap(secretsKey, 0, secret, bindingOf(accessKeyId)).toString('base64')
}

/**
 * The Signature Version 4 signing key: HMAC-SHA-256 over date, region, service and `aws4_request` in turn, begun with
 * `AWS4` and the secret. The 32 bytes are the caller's to wipe.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function deriveSigningKey(secretsKey: KeyObject, scope: DerivationScope): Buffer {
  const { accessKeyId, sealedSecret, date, region, service } = scope
  const sealed = fromBase64(sealedSecret)
  const secret = sealed && unwrap(secretsKey, sealed, bindingOf(accessKeyId))
  if (secret === undefined) {
    const detail = `the secret of access key ${accessKeyId} does not open`
    throw new ServiceError('key-unavailable', undefined, { detail })
  }
  let key: Buffer = Buffer.concat([Buffer.from('AWS4'), secret])
  secret.fill(0)
  for (const part of [date, region, service, 'aws4_request']) {
    const next = createHmac('sha256', key).update(part, 'utf8').digest()
    key.fill(0)
    key = next
  }
  return key
}

function bindingOf(accessKeyId: string): Buffer {
  return binding('access-key-secret', accessKeyId)
}
