import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { admitIdentityPolicy, admitTrustPolicy } from './admit-identity.ts'
import { compilePolicy } from './policy/compile.ts'
import {
  abroad,
  home,
  names,
  own,
  policyText,
  providerArn,
  refused,
  root,
  type StatementJson,
  session,
  statement,
  user,
} from './test-samples.ts'

const exactly = (text: string) => (error: unknown) => {
  refused('malformed-policy')(error)
  assert.equal(Reflect.get(Object(error), 'publicMessage'), text)
  return true
}

const version = 'Policy document must be version 2012-10-17 or greater.'
const syntax = 'Syntax errors in policy.'
const legacy = 'The policy failed legacy parsing'
const vendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'
const regexes = 'Resource vendor must be fully qualified and cannot contain regexes.'

describe("identity policies are refused in IAM's words", () => {
  const refusals: readonly [what: string, document: unknown, text: string][] = [
    ['no object', [], syntax],
    ['no statement', {}, syntax],
    ['an empty list', { Statement: [] }, syntax],
    ['an unknown member', { Statement: own(), Extra: 1 }, syntax],
    ['an unknown member of a statement', { Statement: own({ Extra: 1 }) }, syntax],
    ['an unknown version', { Version: '2013-10-17', Statement: own() }, syntax],
    ['an Id', { Id: 'x', Statement: own() }, syntax],
    ['a spaced Sid', { Statement: own({ Sid: 'a b' }) }, syntax],
    ['a bad effect', { Statement: own({ Effect: 'allow' }) }, syntax],
    ['two actions', { Statement: own({ NotAction: 'kms:*' }) }, syntax],
    ['an object of resources', { Statement: own({ Resource: {} }) }, syntax],
    ['a bad operator', { Statement: own({ Condition: { Like: { 'aws:x': 'y' } } }) }, syntax],
    [
      'the same Sid',
      { Statement: [own({ Sid: 'a' }), own({ Sid: 'a' })] },
      'Statement IDs (SID) in a single policy must be unique.',
    ],
    [
      'no action',
      { Statement: own({ Action: undefined }) },
      'Policy statement must contain actions.',
    ],
    ['empty actions', { Statement: own({ Action: [] }) }, 'Policy statement must contain actions.'],
    [
      'no resource',
      { Statement: own({ Resource: undefined }) },
      'Policy statement must contain resources.',
    ],
    [
      'actions are missed before resources',
      { Statement: [own({ Resource: [] }), own({ Action: [] })] },
      'Policy statement must contain actions.',
    ],
    ['a principal', { Statement: statement() }, 'Policy document should not specify a principal.'],
    [
      'a NotPrincipal',
      { Statement: own({ NotPrincipal: '*' }) },
      'Policy document should not specify a principal.',
    ],
    ['an action without vendor', { Statement: own({ Action: 'Decrypt' }) }, vendor],
    ['an empty action', { Statement: own({ Action: '' }) }, vendor],
    ['the same of NotAction', { Statement: own({ Action: undefined, NotAction: 'x' }) }, vendor],
    ['a condition key', { Statement: own({ Condition: { Bool: { mfa: true } } }) }, vendor],
    [
      'two colons',
      { Statement: own({ Action: 'kms:a:b' }) },
      'Actions/Condition can contain only one colon.',
    ],
    ['a bad vendor', { Statement: own({ Action: 'k ms:a' }) }, 'Vendor k ms is not valid'],
    ['a bad name', { Statement: own({ Action: 'kms:$' }) }, legacy],
    [
      'a resource that is no ARN',
      { Statement: own({ Resource: 'key' }) },
      'Resource key must be in ARN format or "*".',
    ],
    [
      'an empty resource',
      { Statement: own({ Resource: '' }) },
      'Resource  must be in ARN format or "*".',
    ],
    [
      'resources are looked at before actions',
      { Statement: own({ Action: 'x', Resource: 'key' }) },
      'Resource key must be in ARN format or "*".',
    ],
    [
      'another partition',
      { Statement: own({ Resource: 'arn:error:s3:::bucket' }) },
      'Partition "error" is not valid for resource "arn:error:s3:::bucket".',
    ],
    [
      'another partition, cut short',
      { Statement: own({ Resource: 'a:b:c' }) },
      'Partition "b" is not valid for resource "arn:b:c:*:*:*".',
    ],
    ['no vendor', { Statement: own({ Resource: 'arn:aws' }) }, regexes],
    ['an empty vendor', { Statement: own({ Resource: 'arn:aws::r:a:x' }) }, regexes],
    ['a wildcard for a vendor', { Statement: own({ Resource: 'arn:aws:*:*:*:x' }) }, regexes],
    ['part of a vendor', { Statement: own({ Resource: 'arn:aws:k?s:r:a:x' }) }, regexes],
    [
      'a Region in IAM',
      { Statement: own({ Resource: 'arn:aws:iam:eu-west-1:1:user/a' }) },
      'IAM resource arn:aws:iam:eu-west-1:1:user/a cannot contain region information.',
    ],
    ['five parts', { Statement: own({ Resource: 'arn:aws:s3::bucket' }) }, legacy],
    ['no prefix', { Statement: own({ Resource: 'x:aws:s3:::bucket' }) }, legacy],
    ['a bad value', { Statement: own({ Condition: { Bool: { 'aws:x': 'maybe' } } }) }, legacy],
    ['a bad date', { Statement: own({ Condition: { DateEquals: { 'aws:x': 'b' } } }) }, legacy],
  ]
  for (const [what, document, text] of refusals) {
    test(what, () => {
      assert.throws(() => admitIdentityPolicy(JSON.stringify(document)), exactly(text))
    })
  }

  test('what is no JSON, or has a member twice', () => {
    for (const text of ['', 'no', '{"Statement":[],"Statement":[]}', '{"Statement":"\u0100"}']) {
      assert.throws(() => admitIdentityPolicy(text), exactly(syntax), text)
    }
  })

  test('a managed policy is of 2012; an inline policy may be older', () => {
    for (const document of [{ Statement: own() }, { Version: '2008-10-17', Statement: own() }]) {
      const text = JSON.stringify(document)
      admitIdentityPolicy(text)
      assert.throws(() => admitIdentityPolicy(text, 'managed'), exactly(version))
    }
    admitIdentityPolicy(policyText(own()), 'managed')
  })

  test('the operator is told where', () => {
    assert.throws(
      () => admitIdentityPolicy('{\n  "Statement": {"Effect": "x"}\n}'),
      (error: unknown) =>
        error instanceof ServiceError &&
        error.detail ===
          'Policy contains a syntax error at line 2, column 27 (Statement.Effect): Effect must be "Allow" or "Deny".',
    )
  })
})

test('identity policies that IAM accepts', () => {
  const accepted: StatementJson[] = [
    own(),
    own({ Sid: '' }),
    own({ Sid: 'Abc123' }),
    own({ Action: ['s3:Get*', 'ec2:?un', 'execute-api:Invoke'] }),
    own({
      Action: undefined,
      NotAction: 'iam:*',
      Resource: undefined,
      NotResource: 'arn:aws:s3:::b',
    }),
    own({ Resource: ['arn:aws:s3:::b/*', 'arn:*:kms:*:*:key/*', 'arn:aws:iam::1:user/a'] }),
    own({ Resource: 'arn:aws:s3:fdsasf' }),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: policy variables are written so.
    own({ Resource: 'arn:aws:s3:::b/${aws:username}/*' }),
    own({ Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } } }),
  ]
  for (const each of accepted) admitIdentityPolicy(policyText(each), 'managed')
  admitIdentityPolicy(policyText([own({ Sid: '' }), own({ Sid: '' })]), 'managed')
  admitIdentityPolicy(policyText(own()) + ' '.repeat(100_000))
})

const trust = (changes: StatementJson = {}) =>
  own({ Principal: { AWS: home }, Action: 'sts:AssumeRole', Resource: undefined, ...changes })

describe("trust policies are refused in IAM's words", () => {
  const principal = (given: string) => `Invalid principal in policy: ${given}`
  const alice = user(home, 'alice')
  const refusals: readonly [what: string, changes: StatementJson, text: string][] = [
    ['a resource', { Resource: '*' }, 'Has prohibited field Resource'],
    ['NotResource', { NotResource: 'arn:aws:iam::1:role/r' }, 'Has prohibited field Resource'],
    ['no principal', { Principal: undefined }, 'Missing required field Principal'],
    [
      'NotPrincipal',
      { Principal: undefined, NotPrincipal: { AWS: home } },
      'AssumeRole policy must not contain NotPrincipal field.',
    ],
    ['no action', { Action: undefined }, 'Missing required field Action'],
    ...[['*'], ['iam:PassRole'], ['sts:AssumeRole', 's3:*'], ['sts*']].map(
      (Action): [string, StatementJson, string] => [
        `the action ${Action}`,
        { Action },
        'AssumeRole policy may only specify STS AssumeRole actions.',
      ],
    ),
    ['a spaced Sid', { Sid: 'a b' }, syntax],
    ['a bad value', { Condition: { Bool: { 'aws:x': 'maybe' } } }, legacy],
    ...[
      ['AWS', 'arn:aws:iam::111122223333:group/admins'],
      ['AWS', 'arn:aws:iam::111122223333:role/*'],
      ['AWS', alice.principalId],
      ['AWS', `AROA${'A'.repeat(17)}`],
      ['AWS', 'AIDA'],
      ['Federated', 'accounts.google.com'],
      ['Federated', 'arn:aws:iam::111122223333:saml-provider/x'],
      ['Federated', 'arn:aws:iam::111122223333:oidc-provider/'],
      ['Federated', 'arn:aws:iam::111122223333:oidc-provider/*'],
      ['Federated', `arn:aws:iam::${home}:oidc-provider/idp.example.com/a b`],
      ['Federated', '*'],
      ['CanonicalUser', 'x'],
      ['Service', 'example.com'],
    ].map(([kind = '', name = '']): [string, StatementJson, string] => [
      `the principal ${kind} ${name}`,
      { Principal: { AWS: [home], [kind]: [name] } },
      principal(`"${kind}":"${name}"`),
    ]),
  ]
  for (const [what, changes, text] of refusals) {
    test(what, () => {
      assert.throws(() => admitTrustPolicy(policyText(trust(changes)), names), exactly(text))
    })
  }

  test('what is no JSON', () => {
    assert.throws(() => admitTrustPolicy('{', names), exactly('This policy contains invalid Json'))
  })

  test('principals that are not there', () => {
    const nobody = { idOf: () => undefined }
    const { arn } = alice
    assert.throws(
      () => admitTrustPolicy(policyText(trust({ Principal: { AWS: arn } })), nobody),
      exactly(`Invalid principal in policy: "AWS":"${arn}"`),
    )
  })
})

test('a trust policy is stored with unique ids', () => {
  const alice = user(home, 'alice')
  const work = session(home, 'Worker', 'shift-1')
  const text = policyText([
    trust({
      Principal: {
        AWS: [alice.arn, work.arn, work.roleArn, root(abroad).arn, home, '*'],
        Federated: providerArn(home, 'idp.example.com:8443/realms/a/'),
        Service: 'lambda.amazonaws.com',
      },
      Action: ['sts:AssumeRole', 'sts:TagSession', 'STS:Set*', 'sts:*'],
      Condition: { StringEquals: { 'sts:ExternalId': '1234' } },
    }),
    trust({ Action: undefined, NotAction: 'sts:TagSession' }),
  ])
  const admitted = admitTrustPolicy(text, names)
  assert.deepEqual(JSON.parse(admitted).Statement[0].Principal, {
    AWS: [alice.principalId, work.principalId, work.roleId, root(abroad).arn, home, '*'],
    Federated: providerArn(home, 'idp.example.com:8443/realms/a/'),
    Service: 'lambda.amazonaws.com',
  })
})

test('guardrails: places are told, and a resource control policy bounds everyone', () => {
  const scp = (changes: StatementJson) => compilePolicy(policyText(own(changes)), 'service-control')
  const rcp = (changes: StatementJson) =>
    compilePolicy(policyText(statement(changes)), 'resource-control')
  scp({})
  scp({ Effect: 'Deny', Action: undefined, NotAction: 'iam:*' })
  rcp({})
  rcp({ Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:*' })
  const at = /^Policy contains a syntax error at line 1, column [0-9]+ \(Statement/
  for (const changes of [
    { Principal: '*' },
    { Action: undefined },
    { Resource: undefined },
    { Action: 'x' },
    { Sid: 'a b' },
  ]) {
    assert.throws(() => scp(changes), refused('malformed-policy', at), JSON.stringify(changes))
  }
  for (const changes of [
    { Principal: undefined },
    { Principal: { AWS: home } },
    { Principal: { AWS: ['*', home] } },
    { Principal: { Service: '*' } },
    { Principal: undefined, NotPrincipal: '*' },
    { Resource: undefined },
  ]) {
    assert.throws(() => rcp(changes), refused('malformed-policy', at), JSON.stringify(changes))
  }
  assert.throws(() => compilePolicy('{"Id":"x","Statement":[]}', 'service-control'), /no Id/)
})
