import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicPolicy } from './public-policy.ts'

const base = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }
const policyOf = (...Statement: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement })
const under = (Condition: object) => policyOf({ ...base, Principal: '*', Condition })
const account = '111122223333'

test('public is who lets in whom he does not name', () => {
  const named = { ...base, Principal: { AWS: account } }
  const policies = {
    star: policyOf({ ...base, Principal: '*' }),
    'AWS star': policyOf({ ...base, Principal: { AWS: [account, '*'] } }),
    'all but some': policyOf({ ...base, NotPrincipal: { AWS: account } }),
    'one statement of two': policyOf(named, { ...base, Principal: '*' }),
    'no policy at all': 'nonsense',
    'a condition that says nothing of who': under({ Bool: { 'aws:SecureTransport': 'true' } }),
    'what a client chooses': under({ StringEquals: { 'aws:Referer': 'https://example.com' } }),
    negated: under({ StringNotEquals: { 'aws:SourceAccount': account } }),
    'if exists': under({ StringEqualsIfExists: { 'aws:SourceVpce': 'vpce-1' } }),
    'all of none': under({ 'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': 'o-1' } }),
    'a wildcard': under({ StringLike: { 'aws:SourceVpc': 'vpc-*' } }),
    'a variable': under({ StringEquals: { 'aws:userid': `\${aws:userid}` } }),
    'one of two is a wildcard': under({ ArnLike: { 'aws:SourceArn': ['arn:aws:x', '*'] } }),
    'any address': under({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }),
    'half of them': under({ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '0.0.0.0/1'] } }),
    'half of them, in small parts': under({
      IpAddress: { 'aws:SourceIp': Array.from({ length: 128 }, (_, at) => `${2 * at}.0.0.0/8`) },
    }),
    'many of version 6': under({ IpAddress: { 'aws:SourceIp': '2001::/31' } }),
    'none of some': under({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }),
    'access points of any account': under({
      StringLike: { 's3:DataAccessPointArn': 'arn:aws:s3:*:*:accesspoint/*' },
    }),
  }
  for (const [name, policy] of Object.entries(policies)) {
    assert.equal(isPublicPolicy(policy), true, name)
    assert.equal(isPublicPolicy(policy), true, `${name}, once more`)
  }
})

test('not public is who names all, or leaves only fixed ones', () => {
  const policies = {
    account: policyOf({ ...base, Principal: { AWS: account } }),
    service: policyOf({ ...base, Principal: { Service: 'cloudtrail.amazonaws.com' } }),
    'a denial of everyone': policyOf({ ...base, Effect: 'Deny', Principal: '*' }),
    organisation: under({ StringEquals: { 'AWS:principalorgid': 'o-1' } }),
    'source account': under({ StringEquals: { 'aws:SourceAccount': [account, '444455556666'] } }),
    'source ARN': under({ ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::other' } }),
    'two conditions, of which one limits': under({
      Bool: { 'aws:SecureTransport': 'true' },
      StringEquals: { 'aws:SourceVpce': 'vpce-1' },
    }),
    addresses: under({
      IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'] },
    }),
    'less than half of the addresses': under({
      IpAddress: { 'aws:SourceIp': Array.from({ length: 127 }, (_, at) => `${at}.0.0.0/8`) },
    }),
    'any of them': under({ 'ForAnyValue:StringEquals': { 'aws:PrincipalOrgPaths': 'o-1/r-1/' } }),
    'the KMS key': under({
      StringEquals: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:x' },
    }),
    'access points of one account': under({
      StringLike: { 's3:DataAccessPointArn': `arn:aws:s3:us-east-1:${account}:accesspoint/*` },
    }),
  }
  for (const [name, policy] of Object.entries(policies)) {
    assert.equal(isPublicPolicy(policy), false, name)
  }
})

test('what is known of policies is bounded, and does not change', () => {
  const open = policyOf({ ...base, Principal: '*' })
  for (let at = 0; at < 1500; at++) {
    const one = policyOf({ ...base, Sid: `s${at}`, Principal: { AWS: account } })
    assert.equal(isPublicPolicy(one), false)
    if (at % 100 === 0) assert.equal(isPublicPolicy(open), true)
  }
})
