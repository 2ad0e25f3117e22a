import type { ResourceView } from '../view.ts'

/** What a bucket's item says of its default encryption and its policy, in the members of AWS Config. */
type Encryption = {
  readonly rules?: readonly {
    readonly applyServerSideEncryptionByDefault?: {
      readonly sseAlgorithm?: string
      readonly kmsMasterKeyID?: string
    }
  }[]
}

function defaultOf({ supplementary }: ResourceView) {
  const text = supplementary['ServerSideEncryptionConfiguration']
  const { rules = [] } = (text === undefined ? {} : JSON.parse(text)) as Encryption
  return rules[0]?.applyServerSideEncryptionByDefault
}

/** Why its default encryption is not one with a KMS key of the list; undefined when it is. Without keys any will do. */
export function notUnderKey(bucket: ResourceView, keys: readonly string[]): string | undefined {
  const { sseAlgorithm, kmsMasterKeyID = '' } = defaultOf(bucket) ?? {}
  if (sseAlgorithm !== 'aws:kms' && sseAlgorithm !== 'aws:kms:dsse') {
    return 'The default encryption is not with a KMS key.'
  }
  if (keys.length === 0 || keys.includes(kmsMasterKeyID)) return undefined
  return 'The key of the default encryption is not one of kmsKeyArns.'
}

/** Why objects may be stored in clear; undefined when the bucket encrypts, or refuses those that are not. */
export function notEncrypted(bucket: ResourceView): string | undefined {
  if (defaultOf(bucket)?.sseAlgorithm !== undefined) return undefined
  const text = bucket.supplementary['BucketPolicy']
  const { policyText } = (text === undefined ? {} : JSON.parse(text)) as { policyText?: string }
  if (typeof policyText === 'string' && deniesUnencrypted(policyText)) return undefined
  return 'There is no default encryption, and no policy that refuses what is not encrypted.'
}

type PolicyJson = { readonly Statement?: unknown }
type StatementJson = {
  readonly Effect?: unknown
  readonly Action?: unknown
  readonly Condition?: Readonly<Record<string, object>>
}

function deniesUnencrypted(policy: string): boolean {
  const { Statement: found } = JSON.parse(policy) as PolicyJson
  const statements = (Array.isArray(found) ? found : [found]) as readonly StatementJson[]
  return statements.some(({ Effect, Action, Condition = {} }) => {
    const actions = (Array.isArray(Action) ? Action : [Action]) as readonly unknown[]
    const isPut = actions.some((each) => ['s3:PutObject', 's3:*', '*'].includes(String(each)))
    const asks = Object.values(Condition).some((keys) =>
      Object.keys(keys).some((key) => key.toLowerCase() === 's3:x-amz-server-side-encryption'),
    )
    return Effect === 'Deny' && isPut && asks
  })
}
