// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies have variables of their own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId, Region } from '../../base/ids.ts'
import type { ResourceView } from '../view.ts'
import { blockedAction } from './blocked-actions.ts'
import { notEncrypted, notUnderKey } from './buckets.ts'
import { publicStatement } from './public-policy.ts'

const account = '111122223333' as AccountId
const region = 'us-east-1' as Region
const arn = `arn:aws:iam::${account}:root`

test('a key policy is public where no condition names who, or where from, by fixed values', () => {
  const isPublic = (statement: object) =>
    publicStatement(
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', ...statement }],
      }),
    ) === 0
  const everybody = { Principal: '*' }
  const where = (Condition: object) => ({ ...everybody, Condition })
  for (const [statement, expected] of [
    [{ Principal: { AWS: arn } }, false],
    [everybody, true],
    [{ Principal: { AWS: [arn, '*'] } }, true],
    [{ NotPrincipal: { AWS: arn } }, true],
    [{ ...everybody, Effect: 'Deny' }, false],
    [where({ StringEquals: { 'kms:CallerAccount': account } }), false],
    [where({ StringEquals: { 'kms:callerAccount': [account, '*'] } }), true],
    [where({ StringLike: { 'kms:CallerAccount': '*' } }), true],
    [where({ StringLike: { 'aws:PrincipalArn': 'arn:aws:iam::${aws:PrincipalAccount}:x' } }), true],
    [where({ StringEqualsIfExists: { 'kms:CallerAccount': account } }), true],
    [where({ 'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': 'o-1' } }), true],
    [where({ StringNotEquals: { 'kms:CallerAccount': account } }), true],
    [where({ StringEquals: { 'kms:EncryptionContext:a': 'b' } }), true],
    [where({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }), false],
    [where({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }), true],
    [where({ StringLike: { 'aws:userid': 'AROAAAAAAAAAAAAAAAAAA:*' } }), false],
  ] as const) {
    assert.equal(isPublic(statement), expected, JSON.stringify(statement))
  }
})

test('an identity policy allows a blocked action where it reaches every key', () => {
  const blocked = (statement: object, ...patterns: string[]) =>
    blockedAction(
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] }),
      patterns.length === 0 ? ['kms:Decrypt', 'kms:ReEncryptFrom'] : patterns,
      account,
      [region],
    )
  const key = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
  for (const [statement, expected] of [
    [{ Action: 'kms:Decrypt', Resource: '*' }, 'kms:decrypt'],
    [{ Action: 'kms:*', Resource: '*' }, 'kms:decrypt'],
    [{ Action: '*', Resource: `arn:aws:kms:*:${account}:key/*` }, 'kms:decrypt'],
    [{ Action: 'kms:ReEncrypt*', Resource: `arn:aws:kms:${region}:*:*` }, 'kms:reencryptfrom'],
    [{ NotAction: 'kms:Encrypt', Resource: '*' }, 'kms:decrypt'],
    [{ Action: 'kms:Decrypt', NotResource: key }, 'kms:decrypt'],
    [
      {
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'true' } },
      },
      'kms:decrypt',
    ],
    [{ Action: 'kms:Decrypt', Resource: key }, undefined],
    [{ Action: 'kms:Encrypt', Resource: '*' }, undefined],
    [{ Action: 's3:*', Resource: '*' }, undefined],
    [{ NotAction: 'kms:*', Resource: '*' }, undefined],
    [{ Action: 'kms:Decrypt', Resource: `arn:aws:kms:${region}:444455556666:key/*` }, undefined],
    [{ Effect: 'Deny', Action: 'kms:Decrypt', Resource: '*' }, undefined],
  ] as const) {
    assert.equal(blocked(statement), expected, JSON.stringify(statement))
  }
  assert.equal(blocked({ Action: 'kms:Encrypt', Resource: '*' }, 'kms:Enc*'), 'kms:encrypt')
})

test('a bucket by its default encryption and its policy', () => {
  const bucket = (supplementary: Record<string, string>) => ({ supplementary }) as ResourceView
  const encrypted = (applyServerSideEncryptionByDefault: object) =>
    bucket({
      ServerSideEncryptionConfiguration: JSON.stringify({
        rules: [{ applyServerSideEncryptionByDefault }],
      }),
    })
  const underKey = encrypted({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: 'k' })
  assert.equal(notUnderKey(underKey, []), undefined)
  assert.equal(notUnderKey(underKey, ['k']), undefined)
  assert.match(notUnderKey(underKey, ['other']) ?? '', /not one of kmsKeyArns/)
  assert.match(notUnderKey(encrypted({ sseAlgorithm: 'AES256' }), []) ?? '', /not with a KMS key/)
  assert.match(notUnderKey(bucket({}), []) ?? '', /not with a KMS key/)
  assert.equal(notEncrypted(encrypted({ sseAlgorithm: 'AES256' })), undefined)
  assert.match(notEncrypted(bucket({})) ?? '', /no default encryption/)
  const Condition = { Null: { 's3:x-amz-server-side-encryption': 'true' } }
  const policy = (statement: object) =>
    bucket({
      BucketPolicy: JSON.stringify({ policyText: JSON.stringify({ Statement: [statement] }) }),
    })
  const deny = { Effect: 'Deny', Action: 's3:PutObject', Condition }
  assert.equal(notEncrypted(policy(deny)), undefined)
  assert.match(notEncrypted(policy({ ...deny, Effect: 'Allow' })) ?? '', /no policy/)
  assert.match(notEncrypted(policy({ ...deny, Action: 's3:GetObject' })) ?? '', /no policy/)
})
