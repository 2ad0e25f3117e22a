import { type CopyLimits, copyOntoItself } from './reencrypt-copy.ts'
import { encryptionIn, type Rule, standingOf } from './reencrypt-rule.ts'
import { type S3Answer, type S3Client, S3Failure } from './s3-client.ts'

export type Wanted = {
  readonly bucket: string
  readonly rule: Rule
  readonly dryRun: boolean
  /** Also objects that have more than the rule asks for. */
  readonly allowWeaker: boolean
  readonly limits: CopyLimits
}

export type Outcome = {
  /** `todo`: it would be copied; `customer`: it is under a customer's key (SSE-C); `gone`: it was deleted meanwhile. */
  readonly kind: 'right' | 'copied' | 'todo' | 'gone' | 'customer' | 'weaker'
  /** Of what was copied, or would be. */
  readonly bytes: number
  /** The bucket keeps versions. */
  readonly versioned: boolean
}

/** Looks at an object and copies it if it is not as the rule says. Throws S3Failure, Unreachable. */
export async function bringUnderRule(
  client: S3Client,
  key: string,
  wanted: Wanted,
): Promise<Outcome> {
  const found = await lookedAt(client, key, wanted)
  if (found === 'gone' || found === 'customer') return { kind: found, bytes: 0, versioned: false }
  const { headers } = found
  const versioned = headers['x-amz-version-id'] !== undefined
  const standing = standingOf(encryptionIn(headers), wanted.rule)
  if (standing === 'right') return { kind: 'right', bytes: 0, versioned }
  if (standing === 'weaker' && !wanted.allowWeaker) return { kind: 'weaker', bytes: 0, versioned }
  const bytes = Number(headers['content-length'])
  if (wanted.dryRun) return { kind: 'todo', bytes, versioned }
  const { bucket, rule, limits } = wanted
  const { etag } = headers
  // It is what ties the copy to what was looked at.
  if (etag === undefined || !Number.isSafeInteger(bytes)) {
    throw new S3Failure(200, 'NotUnderstood', 'The answer has no ETag, or no length.')
  }
  try {
    await copyOntoItself(client, { bucket, key, size: bytes, etag }, rule, limits)
    return { kind: 'copied', bytes, versioned }
  } catch (error) {
    if (!(error instanceof S3Failure) || !changedMeanwhile.includes(error.code)) throw error
    // Who changed it was somebody else, or this very copy, whose answer was lost on the way.
    const again = await lookedAt(client, key, wanted)
    if (again === 'gone') return { kind: 'gone', bytes: 0, versioned }
    if (again === 'customer') return { kind: 'customer', bytes: 0, versioned }
    if (standingOf(encryptionIn(again.headers), rule) !== 'right') throw error
    return { kind: 'right', bytes: 0, versioned }
  }
}

const changedMeanwhile = ['PreconditionFailed', 'NoSuchKey', 'ConditionalRequestConflict']

/** What HEAD says. Its failures have no text, so that one byte is asked for, to learn why. */
async function lookedAt(
  client: S3Client,
  key: string,
  { bucket }: Wanted,
): Promise<S3Answer | 'gone' | 'customer'> {
  try {
    return await client.object('HEAD', bucket, key)
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error
    if (error.status === 404) return 'gone'
    const why = await reasonOf(client, bucket, key)
    if (why?.status === 404) return 'gone'
    if (why?.code === 'InvalidRequest' && /form of Server Side Encryption/.test(why.message)) {
      return 'customer'
    }
    throw why ?? error
  }
}

async function reasonOf(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<S3Failure | undefined> {
  try {
    await client.object('GET', bucket, key, { headers: { range: 'bytes=0-0' } })
    return undefined
  } catch (error) {
    if (error instanceof S3Failure) return error
    throw error
  }
}
