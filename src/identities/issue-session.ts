import { ServiceError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { encodeSession, type SessionGrant } from './session-token.ts'
import { newSecretAccessKey, newUniqueId } from './unique-id.ts'

/** The header that carries it shares 16 KiB with the others. */
export const tokenCharactersMax = 8192
/** What sealing adds to a text, in bytes. */
const sealBytes = 49

export type IssuedSession = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** ms since the epoch */
  readonly expiration: number
  /** Of the longest token that there can be, in per cent. */
  readonly tokenUtilization: number
}

/**
 * Temporary credentials. Nothing of them is kept: the token, sealed by the key core, says all there is to know.
 * `minimumTokenSize` in characters. Throws 'packed-policy-too-large' when tags and policies do not fit.
 */
export async function issueSession(
  { hsm, random }: { readonly hsm: Pick<Hsm, 'sealSecret' | 'seal'>; readonly random: Random },
  grant: SessionGrant,
  minimumTokenSize = 0,
): Promise<IssuedSession> {
  const accessKeyId = newUniqueId('ASIA', random)
  const secretAccessKey = newSecretAccessKey(random)
  const secret = Buffer.from(secretAccessKey, 'latin1')
  const sealedSecret = await hsm.sealSecret(accessKeyId, secret)
  secret.fill(0)
  const text = encodedIn({ ...grant, sealedSecret }, minimumTokenSize)
  const utilization = Math.ceil((100 * charactersOf(text)) / tokenCharactersMax)
  if (utilization > 100) {
    throw new ServiceError(
      'packed-policy-too-large',
      `Packed policy consumes ${utilization}% of allotted space, please use smaller policy.`,
    )
  }
  const sealed = await hsm.seal('session', accessKeyId, text)
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: sealed.toString('base64'),
    expiration: grant.expiresAt,
    tokenUtilization: utilization,
  }
}

function encodedIn(says: Parameters<typeof encodeSession>[0], minimum: number): Buffer {
  const text = encodeSession(says)
  const missing = Math.ceil((minimum * 3) / 4) - sealBytes - text.length
  return missing <= 0 ? text : encodeSession(says, missing)
}

function charactersOf(text: Buffer): number {
  return Math.ceil((text.length + sealBytes) / 3) * 4
}
