/** What is tried when somebody asks what would have to be otherwise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Change, changesFor } from '../../src/authorize/changes.ts'
import { decide } from '../../src/authorize/evaluate.ts'
import { ownerOfFact } from '../../src/authorize/fact-owner.ts'
import { keyArn, webIdentity } from '../../src/authorize/test-samples.ts'
import { wouldAllow } from '../../src/authorize/would-allow.ts'
import { against, allow, type DecisionCase, deny, requestOf, rootOf, to } from './case.ts'
import { abroad, alice, bob, day, home, owner, workerArn } from './people.ts'

const other = allow({ Action: 'kms:ListKeys' })

function requestFor(given: Omit<DecisionCase, 'rule' | 'name' | 'expected'>) {
  return requestOf({ rule: '', name: '', expected: 'A', ...given })
}

function changesOf(given: Parameters<typeof requestFor>[0]): readonly Change[] {
  return changesFor(requestFor(given)).map(({ change }) => change)
}

/** Those that by themselves allow it. */
function helping(given: Parameters<typeof requestFor>[0]): readonly Change[] {
  const request = requestFor(given)
  return changesFor(request)
    .filter(({ apply }) => decide(apply(request)).allowed)
    .map(({ change }) => change)
}

const grant: Change = { type: 'grant' }
const delegate = (account: string): Change => ({ type: 'delegate', account })
const nameCaller = (principal: string): Change => ({ type: 'name-caller', principal })
const inIdentity: Change = { type: 'allow', layer: 'identity-policy', level: undefined }
const condition = (key: string, value: string | null): Change => ({ type: 'condition', key, value })

test('a user whom nothing names', () => {
  const given = { caller: alice, policy: to(rootOf(abroad)) }
  const all = [inIdentity, delegate(home), nameCaller(alice.arn), grant]
  assert.deepEqual(changesOf(given), all)
  assert.deepEqual(helping(given), [nameCaller(alice.arn), grant])
})

test('a user whose account decides', () => {
  const given = { caller: alice, policy: to(rootOf(home)), identity: [other] }
  assert.deepEqual(changesOf(given), [inIdentity, delegate(home), nameCaller(alice.arn), grant])
  assert.deepEqual(helping(given), [inIdentity, nameCaller(alice.arn), grant])
  const satisfied = { ...given, identity: [allow()], policy: to(rootOf(abroad)) }
  assert.deepEqual(changesOf(satisfied), [delegate(home), nameCaller(alice.arn), grant])
  assert.deepEqual(helping(satisfied), [delegate(home), nameCaller(alice.arn), grant])
})

test('the root user is its account, and a grant to it is one to the account', () => {
  const given = { caller: owner, policy: to(rootOf(abroad)) }
  assert.deepEqual(changesOf(given), [inIdentity, delegate(home), grant])
  assert.deepEqual(helping(given), [delegate(home), grant])
})

test('a session is named by its role', () => {
  const given = { caller: day, policy: to(rootOf(abroad)) }
  assert.deepEqual(changesOf(given), [inIdentity, delegate(home), nameCaller(workerArn), grant])
  assert.deepEqual(helping(given), [nameCaller(workerArn), grant])
})

test('every layer that does not allow is offered', () => {
  const given = {
    caller: day,
    policy: to(rootOf(home)),
    identity: [allow()],
    boundary: other,
    session: [other],
    serviceControl: [[allow()], [other]],
    resourceControl: [[other], [allow()]],
  }
  assert.deepEqual(changesOf(given), [
    { type: 'allow', layer: 'service-control-policy', level: 1 },
    { type: 'allow', layer: 'resource-control-policy', level: 0 },
    { type: 'allow', layer: 'permissions-boundary', level: undefined },
    { type: 'allow', layer: 'session-policy', level: undefined },
    delegate(home),
    nameCaller(workerArn),
    grant,
  ])
  assert.deepEqual(helping(given), [])
  const limits = [
    ['permissions-boundary', { ...given, session: [allow()] }],
    ['session-policy', { ...given, boundary: allow() }],
  ] as const
  for (const [layer, most] of limits) {
    const open = { ...most, serviceControl: [[allow()]], resourceControl: [[allow()]] }
    // A grant to the session itself is not limited by them.
    assert.deepEqual(helping(open), [{ type: 'allow', layer, level: undefined }, grant])
  }
  const unlimited = { ...given, boundary: allow(), session: [allow()] }
  assert.deepEqual(helping({ ...unlimited, resourceControl: [[allow()]] }), [
    { type: 'allow', layer: 'service-control-policy', level: 1 },
  ])
  assert.deepEqual(helping({ ...unlimited, serviceControl: [[allow()]] }), [
    { type: 'allow', layer: 'resource-control-policy', level: 0 },
  ])
})

test('each statement that denies is offered, with its layer, policy and place', () => {
  const managed = { arn: `arn:aws:iam::${home}:policy/never`, statements: [allow(), deny()] }
  const given = {
    caller: alice,
    policy: [to(alice.arn), against(alice.arn, { Sid: 'Out' }), against(bob.arn)],
    identity: [managed, deny({ Action: 'kms:ListKeys' })],
  }
  const ofKey: Change = {
    ...{ type: 'remove-statement', layer: 'key-policy', policy: keyArn, index: 1, sid: 'Out' },
  }
  const ofIdentity: Change = {
    ...{ type: 'remove-statement', layer: 'identity-policy', policy: managed.arn, index: 1 },
    sid: undefined,
  }
  assert.deepEqual(
    changesOf(given).filter(({ type }) => type === 'remove-statement'),
    [ofKey, ofIdentity],
  )
  assert.deepEqual(helping({ ...given, identity: [allow()] }), [ofKey])
  assert.deepEqual(helping({ ...given, policy: to(alice.arn) }), [ofIdentity])
  const twice = {
    ...given,
    policy: to(alice.arn),
    identity: [managed, { ...managed, arn: `${managed.arn}2` }],
  }
  assert.deepEqual(helping(twice), [], 'the one that is left denies as well')
})

const trusting = (arn: string) => ({
  ...{ Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:AssumeRole' },
})

test('a role, and what has no policy of its own', () => {
  const role = { caller: alice, on: workerArn, policy: trusting(bob.arn) }
  assert.deepEqual(changesOf(role), [inIdentity, delegate(home), nameCaller(alice.arn)])
  assert.deepEqual(helping(role), [nameCaller(alice.arn)])
  assert.deepEqual(changesOf({ caller: alice, on: '*' }), [inIdentity])
  assert.deepEqual(helping({ caller: alice, on: '*' }), [inIdentity])
  const object = { caller: alice, on: 'arn:aws:s3:::ledger/a' }
  assert.deepEqual(changesOf(object), [inIdentity, delegate(home), nameCaller(alice.arn)])
  assert.deepEqual(helping(object), [inIdentity, nameCaller(alice.arn)])
  const denied = { ...object, policy: against('*'), identity: [allow()] }
  assert.deepEqual(helping(denied), [
    {
      ...{ type: 'remove-statement', layer: 'bucket-policy', policy: object.on, index: 0 },
      sid: undefined,
    },
  ])
})

test('who only has a token is offered no grant of its own', () => {
  const given = { caller: webIdentity(home), on: workerArn, policy: trusting(bob.arn) }
  assert.deepEqual(changesOf(given), [inIdentity, delegate(home)])
  assert.deepEqual(changesOf({ caller: webIdentity(home), policy: to(bob.arn) }), [
    inIdentity,
    delegate(home),
    grant,
  ])
})

test('conditions are turned round by values that the policies name', () => {
  const only = (operator: string, key: string, value: unknown) =>
    to(alice.arn, { Condition: { [operator]: { [key]: value } } })
  const unless = (operator: string, key: string, value: unknown) => [
    to(alice.arn),
    against('*', { Condition: { [operator]: { [key]: value } } }),
  ]
  const conditions = (
    policy: DecisionCase['policy'],
    values: DecisionCase['conditions'] = {},
  ): readonly Change[] => {
    const given = { caller: alice, policy: policy ?? [], conditions: values }
    return changesOf(given).filter(({ type }) => type === 'condition')
  }
  const key = 'kms:EncryptionContext:team'
  assert.deepEqual(conditions(only('StringEquals', key, ['red', 'blue'])), [
    condition(key, 'red'),
    condition(key, 'blue'),
  ])
  assert.deepEqual(conditions(only('StringEquals', key, 'red'), { [key]: 'green' }), [
    condition(key, 'red'),
    condition(key, null),
  ])
  assert.deepEqual(conditions(only('StringEquals', key, 'red'), { [key]: 'red' }), [])
  assert.deepEqual(conditions(only('StringLike', key, ['r*', 'b?', 'plain'])), [
    condition(key, 'plain'),
  ])
  assert.deepEqual(conditions(only('Null', key, 'false')), [condition(key, 'present')])
  assert.deepEqual(conditions(only('Bool', 'aws:SecureTransport', 'true')), [
    condition('aws:SecureTransport', 'true'),
    condition('aws:SecureTransport', 'false'),
  ])
  assert.deepEqual(conditions(unless('StringEquals', key, 'red'), { [key]: 'red' }), [
    condition(key, 'red'),
    condition(key, null),
  ])
  assert.deepEqual(conditions(unless('StringEquals', key, 'red'), { [key]: 'green' }), [])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: policy variables are written so.
  assert.deepEqual(conditions(only('StringEquals', key, '${aws:PrincipalTag/team}')), [])
  const facts = ['aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalType', 'aws:userid']
  facts.push('aws:username', 'aws:PrincipalIsAWSService', 'aws:TokenIssueTime')
  facts.push('aws:CurrentTime', 'aws:EpochTime', 'aws:ResourceAccount', 'kms:CallerAccount')
  for (const fact of facts) {
    assert.deepEqual(conditions(only('StringEquals', fact, 'x')), [], fact)
    assert.deepEqual(conditions(only('StringEquals', fact.toUpperCase(), 'x')), [], fact)
  }
  assert.deepEqual(helping({ caller: alice, policy: only('StringEquals', key, 'red') }), [
    nameCaller(alice.arn),
    grant,
    condition(key, 'red'),
  ])
  const withNone = { caller: alice, policy: only('Null', key, 'true'), conditions: { [key]: 'x' } }
  assert.ok(helping(withNone).some((each) => each.type === 'condition' && each.value === null))
})

test('so many are tried and no more', () => {
  const values = Array.from({ length: 100 }, (_, index) => `v${index}`)
  const Condition = { StringEquals: { 'kms:EncryptionContext:team': values } }
  assert.equal(changesOf({ caller: alice, policy: to(alice.arn, { Condition }) }).length, 32)
})

test('nothing is offered for what is allowed', () => {
  assert.deepEqual(wouldAllow(requestFor({ caller: alice, policy: to(alice.arn) })), [])
})

test('whose fact a condition key tells', () => {
  const facts = {
    resource: [
      ...['aws:resourceaccount', 'aws:resourcetag/team', 'iam:resourcetag/team', 'kms:keyspec'],
      ...['kms:keyorigin', 'kms:keyusage', 'kms:customermasterkeyspec', 'kms:multiregion'],
      ...['kms:multiregionkeytype', 'kms:resourcealiases', 'kms:trailingdayswithoutkeyusage'],
      ...['s3:existingobjecttag/a', 's3:resourceaccount'],
    ],
    request: [
      ...['kms:encryptioncontext:team', 'kms:viaservice', 'sts:externalid', 'iam:policyarn'],
      ...['aws:sourceip', 'aws:calledvia', 'aws:requesttag/a', 'aws:tagkeys', 'aws:useragent'],
      ...['aws:currenttime', 'aws:epochtime', 'aws:securetransport', 'aws:referer', 's3:prefix'],
    ],
    caller: [
      'aws:principalarn',
      'aws:userid',
      'issuer.test:sub',
      'x.kms:keyspec',
      'a/aws:sourceip',
    ],
  } as const
  for (const [owner, keys] of Object.entries(facts)) {
    for (const key of keys) assert.equal(ownerOfFact(key), owner, key)
  }
})
