import { internalError } from '../../base/errors.ts'
import { type AccountId, aliasArn, parseKeyId, type Region, rootArn } from '../../base/ids.ts'
import type { Put } from '../../storage/port.ts'
import type { CallContext } from '../operation.ts'
import type { KmsDeps } from './deps.ts'
import type { KeyRecord } from './key.ts'

/**
 * AWS managed keys: keys that a service uses for an account which named none. They come into being when they are first
 * asked for, rotate every year, and only the service may use them, on behalf of callers of that account: the key
 * policy says so, and lets nobody change it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
 */
type ManagedKey = {
  /** As in `kms:ViaService`, before the Region. */
  readonly service: string
  readonly protects: string
  readonly policyId: string
  /** Whether the service works by grants. */
  readonly grants: boolean
}

const byAlias: Readonly<Record<string, ManagedKey>> = {
  'alias/aws/acm': managed('acm', 'ACM private keys', true),
  'alias/aws/dynamodb': managed('dynamodb', 'DynamoDB data', true),
  'alias/aws/ebs': managed('ec2', 'EBS volumes', true, 'auto-ebs-2'),
  'alias/aws/lambda': managed('lambda', 'Lambda environment variables', true),
  'alias/aws/rds': managed('rds', 'RDS databases', true),
  'alias/aws/redshift': managed('redshift', 'Redshift clusters', true),
  'alias/aws/s3': managed('s3', 'S3 objects', false, 'auto-s3-2'),
  'alias/aws/secretsmanager': managed('secretsmanager', 'Secrets Manager data', true),
  'alias/aws/ssm': managed('ssm', 'SSM parameters', false),
}

function managed(
  service: string,
  protects: string,
  grants: boolean,
  policyId = `auto-${service}-1`,
): ManagedKey {
  return { service, protects, policyId, grants }
}

export const rotationDays = 365
const dayMs = 86_400_000

/** The predefined alias that `text` names in the caller's account, by name or by ARN; undefined for any other. */
export function predefinedAlias({ caller, region }: CallContext, text: string): string | undefined {
  const prefix = aliasArn(region, caller.account, '')
  const name = text.startsWith(prefix) ? text.slice(prefix.length) : text
  return Object.hasOwn(byAlias, name) ? name : undefined
}

/** The record of the key that `aliasName` is to name, without material. The name has to be a predefined one. */
export function draftManagedKey(
  aliasName: string,
  owner: { readonly account: AccountId; readonly region: Region },
  now: number,
  { random }: Pick<KmsDeps, 'random'>,
): KeyRecord {
  const kind = byAlias[aliasName]
  const keyId = parseKeyId(random.uuid())
  if (kind === undefined || keyId === undefined) throw internalError(`no key for ${aliasName}`)
  return {
    ...owner,
    keyId,
    createdAt: now,
    description: `Default key that protects my ${kind.protects} when no other key is defined`,
    state: 'Enabled',
    ...{ keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' },
    manager: 'AWS',
    multiRegion: false,
    policy: policyOf(kind, owner.account, owner.region),
    tags: [],
    rotation: { periodInDays: rotationDays, nextDate: now + rotationDays * dayMs },
  }
}

/** The key with its material, and what makes key and alias: a conflict when somebody else was first. */
export async function makeManagedKey(
  aliasName: string,
  draft: KeyRecord,
  { state, hsm }: Pick<KmsDeps, 'state' | 'hsm'>,
): Promise<{ readonly key: KeyRecord; readonly changes: readonly Put[] }> {
  const { region, account, keyId, createdAt } = draft
  const { material } = await hsm.createMaterial({ region, account, keyId }, draft.keySpec)
  const key: KeyRecord = { ...draft, currentMaterialId: material.materialId }
  const alias = {
    ...{ region, account, aliasName, targetKeyId: keyId },
    ...{ createdAt, updatedAt: createdAt },
  }
  return { key, changes: [state.addKey(key), state.addMaterial(material), state.addAlias(alias)] }
}

function policyOf(kind: ManagedKey, account: AccountId, region: Region): string {
  const through = `${kind.service}.${region}.amazonaws.com`
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Id: kind.policyId,
      Statement: [
        {
          Sid: `Allow access through ${kind.service} for all principals in the account that are authorized to use it`,
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: [
            ...['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'],
            ...(kind.grants ? ['kms:CreateGrant'] : []),
            'kms:DescribeKey',
          ],
          Resource: '*',
          Condition: {
            StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': through },
          },
        },
        {
          Sid: 'Allow direct access to key metadata to the account',
          Effect: 'Allow',
          Principal: { AWS: rootArn(account) },
          Action: [
            ...['kms:Describe*', 'kms:Get*', 'kms:List*'],
            ...(kind.grants ? ['kms:RevokeGrant'] : []),
          ],
          Resource: '*',
        },
      ],
    },
    undefined,
    2,
  )
}
