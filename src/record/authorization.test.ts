import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ConditionValues } from '../authorize/conditions/context.ts'
import { decide, judge } from '../authorize/evaluate.ts'
import type { RecordedDecision } from '../authorize/evidence.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from '../authorize/layers.ts'
import { compilePolicy } from '../authorize/policy/compile.ts'
import type { PolicyKind } from '../authorize/policy/document.ts'
import { joinedSides, recordedCaller, recordedDecisions, replay } from '../authorize/replay.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from '../authorize/request.ts'
import { wouldAllow } from '../authorize/would-allow.ts'
import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import { decisionText } from './authorization.ts'

const home = '111122223333' as AccountId
const abroad = '444455556666' as AccountId
const arn = (account: AccountId) => `arn:aws:kms:us-east-1:${account}:key/k`

/** The texts that the policies of a request were made of, by digest. */
type Texts = Map<string, string>

const keys = [
  ...['kms:EncryptionContext:a', 'kms:EncryptionContext:A', 'aws:userid', 'b:c'],
  // Policies of identities alone see it.
  'kms:ResourceAliases',
]
const values = ['x', 'X', 'y', '*', '', 'true', '12', '192.0.2.1']
const operators = [
  ...['StringEquals', 'StringNotEquals', 'StringLike', 'StringEqualsIgnoreCaseIfExists', 'Bool'],
  ...['Null', 'ForAllValues:StringLike', 'ForAnyValue:StringNotEquals', 'NumericLessThan'],
  ...['NotIpAddress', 'ArnLike'],
]
const variable = '$' + '{aws:userid}'
const condition = fc
  .record({
    operator: fc.constantFrom(...operators),
    key: fc.constantFrom(...keys),
    value: fc.constantFrom(...values, variable),
  })
  .map(({ operator, key, value }) => ({
    [operator]: { [key]: valueFor(operator, value) },
  }))
function valueFor(operator: string, value: string): string {
  if (operator.includes('Numeric')) return '7'
  if (operator.includes('Ip')) return '192.0.2.0/24'
  if (operator.includes('Arn')) return 'arn:aws:iam::*:user/*'
  return operator === 'Null' || operator === 'Bool' ? 'true' : value
}

const userId = 'AIDAAAAAAAAAAAAAAAAAA'
const roleId = 'AROAAAAAAAAAAAAAAAAAA'
const principals = [home, abroad, userId, roleId, `${roleId}:worker`, '*']

const statement = (kind: PolicyKind) =>
  fc
    .record({
      effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
      action: fc.constantFrom('kms:*', 'kms:Decrypt', 'kms:Encrypt', '*'),
      principal: fc.constantFrom(...principals),
      conditions: fc.option(condition, { nil: undefined }),
    })
    .map(({ effect, action, principal, conditions }) => ({
      Effect: effect,
      Action: action,
      Resource: '*',
      ...(kind === 'key' && { Principal: { AWS: principal } }),
      ...(kind === 'resource-control' && { Effect: 'Deny', Principal: '*' }),
      ...(conditions && { Condition: conditions }),
    }))

const text = (kind: PolicyKind) =>
  fc
    .array(statement(kind), { minLength: 1, maxLength: 3 })
    .map((Statement) => JSON.stringify({ Version: '2012-10-17', Statement }))

const everything = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
})

const bounding = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' },
})

const userAbroad: Caller = {
  ...{ type: 'user', account: abroad, arn: 'user' },
  ...{ principalId: userId, accessKeyId: '' },
}
const callers: readonly Caller[] = [
  { type: 'root', account: home, arn: 'root', principalId: home, accessKeyId: '' },
  { type: 'user', account: home, arn: 'user', principalId: userId, accessKeyId: '' },
  userAbroad,
  ...([home, abroad] as const).map((account): Caller => {
    const principalId = `${roleId}:worker`
    return { type: 'role-session', account, arn: 's', principalId, roleId, accessKeyId: '' }
  }),
]

const requests = fc
  .record({
    caller: fc.constantFrom(...callers),
    permission: fc.constantFrom('kms:Decrypt', 'kms:Encrypt'),
    isKey: fc.boolean(),
    crossAccount: fc.boolean(),
    key: text('key'),
    identity: fc.array(text('identity'), { maxLength: 2 }),
    boundary: fc.option(text('identity'), { nil: undefined }),
    session: fc.option(fc.array(text('identity'), { maxLength: 2 }), { nil: undefined }),
    serviceControl: fc.array(
      fc.array(fc.oneof(text('service-control'), fc.constant(everything)), { maxLength: 2 }),
      { maxLength: 2 },
    ),
    resourceControl: fc.array(text('resource-control'), { maxLength: 2 }),
    conditions: fc.array(
      fc.dictionary(
        fc.constantFrom(...keys),
        fc.oneof(
          fc.constantFrom(...values),
          fc.array(fc.constantFrom(...values), { maxLength: 2 }),
        ),
      ),
      { maxLength: 3 },
    ),
    grant: fc.option(
      fc.record({
        grantId: fc.constant('g'),
        grantee: fc.constantFrom<PermittingGrant['grantee'][]>('user', 'role', 'account'),
      }),
      { nil: undefined },
    ),
  })
  .map((asked) => {
    const texts: Texts = new Map()
    const sourced =
      (name: string, kind: PolicyKind) =>
      (body: string, at = 0): SourcedPolicy => {
        const policy = compilePolicy(body, kind)
        texts.set(policy.digest, body)
        return { name: `${name}-${at}`, version: at === 1 ? 'v2' : undefined, policy }
      }
    const layers: CallerLayers = {
      identity: asked.identity.map(sourced('identity', 'identity')),
      boundary:
        asked.boundary === undefined ? undefined : sourced('boundary', 'identity')(asked.boundary),
      session: asked.session?.map(sourced('session', 'identity')),
      serviceControl: asked.serviceControl.map((level) =>
        level.map(sourced('scp', 'service-control')),
      ),
    }
    const account = home
    const { policy } = sourced('key', 'key')(asked.key)
    const resource: AccessResource = asked.isKey
      ? { type: 'key', arn: arn(account), account, policy, crossAccount: asked.crossAccount }
      : { type: 'identity', arn: '*', account: asked.caller.account }
    const request: AccessRequest = {
      ...{ caller: asked.caller, permission: asked.permission, resource, layers },
      conditions: asked.conditions as readonly ConditionValues[],
      resourceControl: asked.resourceControl.map((body) =>
        [bounding, body].map(sourced('rcp', 'resource-control')),
      ),
      grant: asked.isKey ? () => asked.grant : undefined,
    }
    return { request, texts }
  })

function written(request: AccessRequest, side?: 'caller' | 'resource'): RecordedDecision {
  const [decision] = recordedDecisions(JSON.parse(`[${decisionText(judge(request), side)}]`)) ?? []
  assert.ok(decision !== undefined)
  return decision
}

/** As in the record of the caller's own account. */
function asRecorded({ type, principalId, account, arn }: Caller): Caller {
  const found = recordedCaller({ type, principalId, accountId: account, arn })
  assert.ok(found !== undefined)
  return found
}

describe('a recorded decision', () => {
  test('is made again from what was asked alone', () => {
    let denied = 0
    fc.assert(
      fc.property(requests, ({ request, texts }) => {
        const decision = decide(request)
        const replayed = replay(written(request), asRecorded(request.caller), (digest) =>
          texts.get(digest),
        )
        assert.ok('request' in replayed)
        assert.deepEqual(decide(replayed.request), decision)
        if (!decision.allowed) denied += 1
      }),
      { numRuns: 3000 },
    )
    assert.ok(denied > 300 && denied < 2900, String(denied))
  })

  test('is made again from both halves that two accounts have', () => {
    let joinedOnes = 0
    fc.assert(
      fc.property(requests, ({ request, texts }) => {
        fc.pre(request.resource.account !== request.caller.account)
        const halves = [written(request, 'caller'), written(request, 'resource')] as const
        const both = joinedSides(...halves)
        assert.ok(both !== undefined && both.side === undefined)
        assert.deepEqual(joinedSides(halves[1], halves[0])?.conditions, both.conditions)
        const replayed = replay(both, asRecorded(request.caller), (digest) => texts.get(digest))
        assert.ok('request' in replayed)
        assert.deepEqual(decide(replayed.request), decide(request))
        joinedOnes += 1
      }),
      { numRuns: 1000 },
    )
    assert.ok(joinedOnes > 100)
  })

  test('shows nothing of the other side in each half', () => {
    fc.assert(
      fc.property(requests, ({ request }) => {
        const caller = written(request, 'caller')
        const resource = written(request, 'resource')
        assert.ok((caller.policies ?? []).every(({ layer }) => !/key|trust|resource/.test(layer)))
        assert.ok((resource.policies ?? []).every(({ layer }) => /key|trust|resource/.test(layer)))
        assert.deepEqual([caller.grant, caller.path], [undefined, undefined])
        assert.equal(resource.session, undefined)
      }),
    )
  })

  test('shows a caller nothing of what guardrails ask of the resource of another account', () => {
    const condition = { StringEquals: { 'aws:ResourceTag/class': 'secret' } }
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: '*',
      Resource: '*',
      Condition: condition,
    }
    const guardrail = JSON.stringify({ Version: '2012-10-17', Statement: deny })
    const request: AccessRequest = {
      ...{ caller: userAbroad, permission: 'kms:Decrypt' },
      resource: {
        ...{ type: 'key', arn: arn(home), account: home, crossAccount: true },
        policy: compilePolicy(bounding),
      },
      conditions: [{ 'aws:ResourceTag/class': 'internal' }],
      resourceControl: [
        [bounding, guardrail].map((body, at) => ({
          ...{ name: `rcp-${at}`, version: undefined },
          policy: compilePolicy(body, 'resource-control'),
        })),
      ],
      layers: {
        ...noLayers,
        identity: [
          { name: 'own', version: undefined, policy: compilePolicy(everything, 'identity') },
        ],
      },
    }
    assert.equal(decide(request).allowed, true)
    assert.equal(written(request, 'caller').conditions, undefined)
    assert.deepEqual(written(request, 'resource').conditions, {
      'aws:resourcetag/class': 'internal',
    })
  })

  test('misses what cannot be found, and takes no text for another', () => {
    const [sample] = fc.sample(
      requests.filter(({ request }) => request.resource.type === 'key'),
      1,
    )
    assert.ok(sample !== undefined)
    const recorded = written(sample.request)
    const caller = asRecorded(sample.request.caller)
    for (const textOf of [() => undefined, () => everything, () => 'no policy']) {
      const replayed = replay(recorded, caller, textOf)
      assert.ok('missing' in replayed)
      assert.ok(replayed.missing.some(({ layer }) => layer === 'key-policy'))
    }
  })
})

describe('what would have allowed it', () => {
  test('is nothing for what is allowed, and each change or pair allows what it is about', () => {
    let found = 0
    fc.assert(
      fc.property(requests, ({ request }) => {
        const changes = wouldAllow(request)
        const decision = decide(request)
        if (decision.allowed || decision.reason === 'cross-account-operation') {
          assert.deepEqual(changes, [])
        }
        found += changes.length
        const lengths = new Set(changes.map((each) => each.length))
        assert.ok(lengths.size <= 1 && [...lengths].every((length) => length === 1 || length === 2))
      }),
      { numRuns: 300 },
    )
    assert.ok(found > 100, String(found))
  })
})

describe('what is no recorded decision', () => {
  test('is not taken for one', () => {
    const good = { permission: 'kms:Encrypt', resource: '*', allowed: true, reason: 'account-root' }
    assert.deepEqual(recordedDecisions([good]), [good])
    for (const bad of [
      undefined,
      { omitted: true },
      [null],
      [{ ...good, allowed: 'yes' }],
      [{ ...good, policies: {} }],
      [{ ...good, policies: [{ layer: 'constructor', digest: '' }] }],
      [{ ...good, policies: [{ layer: 'key-policy' }] }],
    ]) {
      assert.equal(recordedDecisions(bad), undefined, JSON.stringify(bad))
    }
  })

  test('a web identity is known by its provider, in the account of the role', () => {
    const provider = `arn:aws:iam::${home}:oidc-provider/id.test`
    const userIdentity = {
      type: 'WebIdentityUser',
      principalId: 'p:a:s',
      identityProvider: provider,
    }
    assert.deepEqual(recordedCaller(userIdentity, home), {
      ...{ type: 'web-identity', account: home, arn: provider },
      ...{ principalId: 'p:a:s', accessKeyId: '' },
    })
    assert.equal(recordedCaller(userIdentity), undefined)
  })

  test('nor anybody for its caller', () => {
    for (const bad of [
      undefined,
      null,
      'root',
      {},
      { accountId: home },
      { accountId: '1', principalId: 'a' },
    ]) {
      assert.equal(recordedCaller(bad), undefined)
    }
  })
})

describe('in the records of two accounts', () => {
  const own = { Effect: 'Allow', Action: '*', Resource: '*' }
  const asked = (key: string) => ({ ...own, Condition: { StringEqualsIfExists: { [key]: 'x' } } })
  const policy = (kind: PolicyKind, statement: object) =>
    compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }), kind)
  const caller: Caller = {
    ...{ type: 'user', account: abroad, accessKeyId: 'AKIAEXAMPLE', userName: 'bob' },
    arn: `arn:aws:iam::${abroad}:user/bob`,
    principalId: 'AIDABBBBBBBBBBBBBBBBB',
  }
  const request: AccessRequest = {
    caller,
    permission: 'kms:Decrypt',
    resource: {
      type: 'key',
      ...{ arn: arn(home), account: home, crossAccount: true },
      policy: policy('key', { ...asked('aws:PrincipalTag/team'), Principal: { AWS: abroad } }),
    },
    layers: {
      ...noLayers,
      identity: [
        {
          ...{ name: 'own', version: undefined },
          policy: policy('identity', asked('aws:ResourceTag/secret')),
        },
      ],
    },
    conditions: [{ 'aws:ResourceTag/secret': 'x', 'aws:PrincipalTag/team': 'x' }],
  }

  test('a tag of the key stands in the record of its account alone, one of the caller in its own', () => {
    const ofCaller = written(request, 'caller')
    const ofResource = written(request, 'resource')
    assert.deepEqual(ofCaller.conditions, {
      'aws:resourcetag/secret': { hidden: true },
      'aws:principaltag/team': 'x',
    })
    assert.deepEqual(ofResource.conditions, {
      'aws:principaltag/team': { hidden: true },
      'aws:resourcetag/secret': 'x',
    })
    assert.deepEqual(joinedSides(ofCaller, ofResource)?.conditions, {
      'aws:resourcetag/secret': 'x',
      'aws:principaltag/team': 'x',
    })
  })

  test('a half that lacks a fact is not made again', () => {
    assert.deepEqual(
      replay(written(request, 'caller'), caller, () => JSON.stringify(own)),
      {
        missing: written(request, 'caller').policies,
      },
    )
  })
})
