import type { IncomingHttpHeaders } from 'node:http'
import { OperatorError } from '../src/operator/socket.ts'
import { type S3Client, S3Failure, textIn, xmlOf } from './s3-client.ts'

/** What a bucket's default encryption says, and which key that is. */
export type Rule = {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  /** As the rule names it; undefined: the AWS managed key of S3. */
  readonly keyName: string | undefined
  /** ARN or id; undefined without a KMS key. */
  readonly key: string | undefined
  readonly bucketKey: boolean
}

/** How an object is encrypted, as an answer about it says. */
export type Encryption = {
  readonly mode: string
  readonly key: string | undefined
  readonly bucketKey: boolean
}

const algorithms = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

/** Throws S3Failure, and OperatorError for a key that cannot be told. */
export async function readRule(client: S3Client, bucket: string): Promise<Rule> {
  const answer = xmlOf(await client.bucket('GET', bucket, { query: { encryption: '' } }))
  const rule = answer.children.find(({ name }) => name === 'Rule')
  const byDefault = rule?.children.find(({ name }) => name === 'ApplyServerSideEncryptionByDefault')
  const text = textIn(byDefault, 'SSEAlgorithm')
  const algorithm = algorithms.find((each) => each === text)
  if (algorithm === undefined) {
    throw new OperatorError(`The bucket's rule asks for '${text ?? ''}', which is not known here.`)
  }
  const keyName = textIn(byDefault, 'KMSMasterKeyID')
  const bucketKey = textIn(rule, 'BucketKeyEnabled') === 'true'
  if (algorithm === 'AES256') {
    return { algorithm, keyName: undefined, key: undefined, bucketKey: false }
  }
  return { algorithm, keyName, key: await keyNamed(client, keyName), bucketKey }
}

/** Objects name their key by its ARN, and rules in any form: what an alias means, KMS alone knows. */
async function keyNamed(client: S3Client, keyName = 'alias/aws/s3'): Promise<string> {
  if (!/(?:^|:)alias\//.test(keyName)) return keyName
  try {
    const { KeyMetadata } = await client.kms('DescribeKey', { KeyId: keyName })
    return (KeyMetadata as { readonly Arn: string }).Arn
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error
    throw new OperatorError(
      `Which key the bucket's rule means by ${keyName} could not be learnt (kms:DescribeKey): ${error.code}: ${error.message}`,
    )
  }
}

export function encryptionIn(headers: IncomingHttpHeaders): Encryption {
  const text = (name: string) => {
    const value = headers[`x-amz-server-side-encryption${name}`]
    return typeof value === 'string' ? value : undefined
  }
  return {
    mode: text('') ?? '',
    key: text('-aws-kms-key-id'),
    bucketKey: text('-bucket-key-enabled') === 'true',
  }
}

/** `weaker`: the rule asks for less than the object has. */
export function standingOf(
  { mode, key, bucketKey }: Encryption,
  rule: Rule,
): 'right' | 'other' | 'weaker' {
  const [has, asked] = [strengths.indexOf(mode), strengths.indexOf(rule.algorithm)]
  if (has > asked) return 'weaker'
  if (has < asked) return 'other'
  if (rule.algorithm === 'AES256') return 'right'
  const isKey = key !== undefined && (key === rule.key || key.endsWith(`:key/${rule.key}`))
  const isBucketKey = rule.algorithm === 'aws:kms:dsse' || bucketKey === rule.bucketKey
  return isKey && isBucketKey ? 'right' : 'other'
}

const strengths: readonly string[] = algorithms

/**
 * What asks for it. It is said in full, since a copy of an object onto itself is refused unless it says what is to
 * change.
 */
export function ruleHeaders({ algorithm, keyName, key, bucketKey }: Rule) {
  const name = 'x-amz-server-side-encryption'
  return {
    [name]: algorithm,
    ...(keyName !== undefined && key !== undefined && { [`${name}-aws-kms-key-id`]: key }),
    ...(algorithm === 'aws:kms' && { [`${name}-bucket-key-enabled`]: String(bucketKey) }),
  }
}
