import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../base/caller.ts'
import { decide } from './evaluate.ts'
import { explain } from './explain.ts'
import type { AccessRequest } from './request.ts'
import {
  abroad,
  home,
  keyArn,
  layers,
  own,
  policy,
  root,
  type StatementJson,
  session,
  sources,
  statement,
  user,
} from './test-samples.ts'
import type { Explanation, LayerTrace } from './trace.ts'

function statementsOf({ layers: traced }: Explanation, wanted: LayerTrace['layer']) {
  return traced
    .filter(({ layer }) => layer === wanted)
    .flatMap(({ policies }) => policies.flatMap(({ statements: each }) => each))
}

const alice = user(home, 'alice')
const work = session(home, 'Worker', 'shift-1')

function request(
  caller: Caller,
  statements: readonly StatementJson[],
  changes: Partial<AccessRequest> = {},
): AccessRequest {
  return {
    caller,
    permission: 'kms:Decrypt',
    resource: {
      type: 'key',
      arn: keyArn,
      account: home,
      policy: policy(statements),
      crossAccount: true,
    },
    conditions: [],
    ...changes,
  }
}

test('every statement that was looked at is named with the element that failed first', () => {
  const explained = explain(
    request(root(home), [
      statement({ Sid: 'inert', Action: undefined }),
      statement({ Sid: 'principal', Principal: { AWS: alice.arn }, Action: 'kms:Encrypt' }),
      statement({ Sid: 'deny', Effect: 'Deny', Action: 'kms:Encrypt' }),
      statement({ Sid: 'action', Action: 'kms:Encrypt', Resource: `${keyArn}0` }),
      statement({ Sid: 'resource', Resource: `${keyArn}0` }),
      statement({ Sid: 'condition', Condition: { Null: { 'aws:x': false } } }),
      statement({ Sid: 'yes' }),
      statement({ Sid: 'not needed', Principal: { AWS: home } }),
    ]),
  )
  assert.deepEqual(explained.decision, { allowed: true, reason: 'key-policy', path: 'E' })
  assert.deepEqual(
    statementsOf(explained, 'key-policy').map((one) => [
      one.index,
      one.sid,
      one.effect,
      one.failed,
      one.matched,
    ]),
    [
      [2, 'deny', 'Deny', 'action', false],
      [0, 'inert', 'Allow', 'inert', false],
      [1, 'principal', 'Allow', 'principal', false],
      [3, 'action', 'Allow', 'action', false],
      [4, 'resource', 'Allow', 'resource', false],
      [5, 'condition', 'Allow', 'condition', false],
      [6, 'yes', 'Allow', undefined, true],
      [7, 'not needed', 'Allow', undefined, true],
    ],
  )
})

test('every condition is shown with its values and the rule that decided', () => {
  const condition = {
    StringEquals: { 'kms:ViaService': ['a', 'b'], 'kms:EncryptionContext:Dept': 'x' },
    StringNotEquals: { 'aws:absent': 'x' },
    BoolIfExists: { 'aws:absent': 'true' },
    'ForAllValues:StringEquals': { 'aws:absent': 'x' },
    StringLike: { 'kms:GrantOperations': '*' },
    Null: { 'aws:absent': 'true' },
  }
  const conditions = [
    { 'kms:viaservice': 'b', 'kms:GrantOperations': ['Decrypt', 'Encrypt'] },
    { 'kms:EncryptionContext:dept': 'x', 'kms:EncryptionContext:DEPT': 'y' },
  ]
  const explained = explain(
    request(root(home), [statement({ Condition: condition })], { conditions }),
  )
  assert.deepEqual(statementsOf(explained, 'key-policy')[0]?.conditions, [
    {
      operator: 'StringEquals',
      key: 'kms:ViaService',
      policyValues: ['a', 'b'],
      requestValues: ['b'],
      holds: true,
      rule: 'compared',
    },
    {
      operator: 'StringEquals',
      key: 'kms:EncryptionContext:Dept',
      policyValues: ['x'],
      requestValues: ['x', 'y'],
      holds: false,
      rule: 'ambiguous',
    },
    ...[
      ['StringNotEquals', 'x', true, 'absent-negated'],
      ['BoolIfExists', 'true', true, 'absent-if-exists'],
      ['ForAllValues:StringEquals', 'x', true, 'no-values'],
    ].map(([operator, value, holds, rule]) => ({
      operator,
      key: 'aws:absent',
      policyValues: [value],
      requestValues: undefined,
      holds,
      rule,
    })),
    {
      operator: 'StringLike',
      key: 'kms:GrantOperations',
      policyValues: ['*'],
      requestValues: ['Decrypt', 'Encrypt'],
      holds: false,
      rule: 'several-values',
    },
    {
      operator: 'Null',
      key: 'aws:absent',
      policyValues: ['true'],
      requestValues: undefined,
      holds: true,
      rule: 'presence',
    },
  ])
})

test('every layer speaks, whether or not the decision needed it', () => {
  const { decision, layers: traced } = explain(
    request(alice, [statement({ Principal: { AWS: alice.arn } })], {
      layers: layers({
        identity: [own({ Action: 'kms:Encrypt' }), own({ Sid: 'This' })],
        boundary: own({ Action: 'kms:Encrypt' }),
        session: [own({ Effect: 'Deny', Action: 'kms:Encrypt' })],
        serviceControl: [[own()], [own({ Action: 'kms:*' }), own({ Action: 'iam:*' })]],
      }),
      resourceControl: [sources([statement()], 'resource-control')],
      grant: () => ({ grantId: 'grant-1', grantee: 'role' }),
    }),
  )
  assert.deepEqual(decision, { allowed: true, reason: 'key-policy', path: 'A' })
  assert.deepEqual(
    traced.map(({ layer, level, result, grantId }) => [layer, level, result, grantId]),
    [
      ['service-control-policy', 0, 'allow', undefined],
      ['service-control-policy', 1, 'allow', undefined],
      ['resource-control-policy', 0, 'allow', undefined],
      ['key-policy', undefined, 'allow', undefined],
      ['identity-policy', undefined, 'allow', undefined],
      ['permissions-boundary', undefined, 'implicit-deny', undefined],
      ['session-policy', undefined, 'implicit-deny', undefined],
      ['grant', undefined, 'allow', 'grant-1'],
    ],
  )
  const [, , , key, identity] = traced
  assert.deepEqual(
    key?.policies.map(({ name, statements }) => [name, statements.map(({ match }) => match)]),
    [[keyArn, ['user']]],
  )
  assert.deepEqual(
    identity?.policies.map(({ name, statements }) => [name, statements.map((s) => s.matched)]),
    [
      ['identity-0', [false]],
      ['identity-1', [true]],
    ],
  )
})

test('a layer that the request does not have is not applicable; an empty one allows nothing', () => {
  const results = (changes: Partial<AccessRequest>) =>
    Object.fromEntries(
      explain(request(alice, [statement()], changes)).layers.map(({ layer, result }) => [
        layer,
        result,
      ]),
    )
  assert.deepEqual(results({}), {
    'service-control-policy': 'not-applicable',
    'resource-control-policy': 'not-applicable',
    'key-policy': 'allow',
    'identity-policy': 'implicit-deny',
    'permissions-boundary': 'not-applicable',
    'session-policy': 'not-applicable',
    grant: 'not-applicable',
  })
  const empty = results({
    layers: { ...layers({ session: [] }), serviceControl: [[]] },
    resourceControl: [[]],
    grant: () => undefined,
  })
  assert.equal(empty['service-control-policy'], 'implicit-deny')
  assert.equal(empty['resource-control-policy'], 'implicit-deny')
  assert.equal(empty['session-policy'], 'implicit-deny')
  assert.equal(empty['grant'], 'implicit-deny')
})

test('when no policy is read, nothing is traced', () => {
  const stranger = request(root(abroad), [statement()])
  const resource = { ...stranger.resource, crossAccount: false }
  assert.deepEqual(explain({ ...stranger, resource }), {
    decision: { allowed: false, reason: 'cross-account-operation' },
    layers: [],
  })
})

test('what takes too long is refused, and explained as far as it was read', () => {
  const patterns = Array.from({ length: 900 }, (_, index) => `*${'a*'.repeat(8)}${index}`)
  const heavy = statement({ Condition: { StringLike: { 'aws:x': patterns } } })
  const asked = request(root(home), [heavy, statement({ Effect: 'Deny' })], {
    conditions: [{ 'aws:x': 'a'.repeat(10_000) }],
  })
  const denies = request(root(home), [{ ...heavy, Effect: 'Deny' }], {
    conditions: [{ 'aws:x': 'a'.repeat(10_000) }],
  })
  assert.equal(decide(asked).allowed, false)
  const { decision, layers: traced } = explain(denies)
  assert.deepEqual(decision, { allowed: false, reason: 'too-much-work' })
  assert.deepEqual(
    traced.map(({ layer }) => layer),
    ['service-control-policy', 'resource-control-policy'],
  )
})

const callers = [root(home), root(abroad), alice, user(abroad, 'bob'), work]
const principals = [
  '*',
  home,
  abroad,
  ...callers.map(({ arn }) => arn),
  ...callers.flatMap(({ roleArn }) => roleArn ?? []),
]

/** A statement that needs no reader: its meaning can be told by plain comparison. */
const plain = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
  Principal: fc.record({ AWS: fc.subarray(principals, { minLength: 1, maxLength: 2 }) }),
  Action: fc.constantFrom('kms:*', 'kms:Decrypt', 'kms:Encrypt'),
  Resource: fc.constantFrom('*', keyArn, `${keyArn}0`),
  Condition: fc.constantFrom(
    {},
    { StringEquals: { 'aws:x': 'y' } },
    { StringNotEquals: { 'aws:x': 'y' } },
  ),
})
type Plain = typeof plain extends fc.Arbitrary<infer Statement> ? Statement : never

function fits(one: Plain, x: string | undefined): boolean {
  if (one.Action === 'kms:Encrypt' || one.Resource === `${keyArn}0`) return false
  if ('StringEquals' in one.Condition) return x === 'y'
  return 'StringNotEquals' in one.Condition ? x !== 'y' : true
}

type Side = readonly Plain[]
type World = {
  readonly caller: Caller
  readonly type: 'key' | 'role' | 'identity'
  readonly resource: Side
  readonly identity: Side
  readonly boundary: Side | undefined
  readonly session: Side | undefined
  readonly serviceControl: readonly Side[]
  readonly resourceControl: readonly Side[]
  readonly grantee: 'user' | 'role' | 'role-session' | 'account' | undefined
  readonly x: string | undefined
}

/** The written rules (authz.md §4), as directly as they can be said. */
function expected(world: World): boolean {
  const { caller, type, resource, identity, boundary, session, grantee, x } = world
  const foreign = caller.account !== home
  if (foreign && type === 'identity') return false
  const named = (one: Plain) => {
    const account = [caller.account, root(caller.account).arn]
    const direct = [caller.type === 'root' ? '' : caller.arn, '*']
    if (one.Principal.AWS.some((name) => direct.includes(name))) return 'directly'
    if (one.Principal.AWS.includes(caller.roleArn ?? 'nobody')) return 'by role'
    return one.Principal.AWS.some((name) => account.includes(name)) ? 'by account' : 'no'
  }
  const own = [boundary ?? [], session ?? [], identity, ...world.serviceControl].flat()
  const others = type === 'identity' ? [] : world.resourceControl
  const fitting =
    type === 'identity' ? [] : resource.filter((one) => fits(one, x) && named(one) !== 'no')
  const all = [...own, ...others.flat()].filter((one) => fits(one, x))
  if ([...fitting, ...all].some(({ Effect }) => Effect === 'Deny')) return false
  const allows = (side: Side) => side.some((one) => one.Effect === 'Allow' && fits(one, x))
  if (![...world.serviceControl, ...others].every(allows)) return false
  const limits =
    (boundary === undefined || allows(boundary)) && (session === undefined || allows(session))
  const leave = caller.type === 'root' || (limits && allows(identity))
  if (type === 'identity') return leave
  const ways = new Set(fitting.map(named))
  if (grantee === 'account' && leave) return true
  if (grantee === 'role' && limits) return true
  if ((grantee === 'user' || grantee === 'role-session') && (limits || !foreign)) return true
  if (foreign) return ways.size > 0 && leave
  if (ways.has('directly') || (ways.has('by role') && limits)) return true
  return ways.has('by account') && leave
}

/** The same, out of what the layers said. */
function told({ layers: traced }: Explanation, { caller, grantee }: World): boolean {
  const result = (wanted: LayerTrace['layer']) =>
    traced.find(({ layer }) => layer === wanted)?.result
  const open = (wanted: LayerTrace['layer']) =>
    ['allow', 'not-applicable'].includes(result(wanted) ?? '')
  if (traced.some((one) => one.result === 'explicit-deny')) return false
  const guardrails = traced.filter(({ layer }) => /control/.test(layer))
  if (guardrails.some((one) => one.result === 'implicit-deny')) return false
  const policy = traced.find(({ layer }) => layer === 'key-policy' || layer === 'trust-policy')
  const limits = open('permissions-boundary') && open('session-policy')
  const leave = caller.type === 'root' || (limits && result('identity-policy') === 'allow')
  if (policy === undefined) return leave && caller.account === home
  const foreign = caller.account !== home
  if (result('grant') === 'allow') {
    if (grantee === 'account' ? leave : limits || (!foreign && grantee !== 'role')) return true
  }
  const ways = policy.policies
    .flatMap(({ statements }) => statements)
    .filter(({ matched }) => matched)
    .map(({ match }) => match)
  if (foreign) return ways.length > 0 && leave
  return ways.some((way) => (way === 'account' ? leave : way === 'role' ? limits : true))
}

const statements = fc.array(plain, { minLength: 1, maxLength: 3 })
/** Most let most things pass, or nothing would ever be allowed. */
const lenient = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constant([
      { ...statement(), Principal: { AWS: ['*'] }, Condition: {} },
    ] as Plain[]),
  },
  { weight: 2, arbitrary: statements },
)
const worlds: fc.Arbitrary<World> = fc
  .record({
    caller: fc.constantFrom(...callers, work),
    type: fc.constantFrom('key', 'key', 'role', 'identity'),
    resource: statements,
    identity: fc.oneof(lenient, fc.constant([])),
    boundary: fc.option(lenient, { nil: undefined }),
    session: fc.option(lenient, { nil: undefined }),
    serviceControl: fc.array(lenient, { maxLength: 2 }),
    resourceControl: fc.array(lenient, { maxLength: 2 }),
    grantee: fc.constantFrom(undefined, undefined, 'user', 'role', 'role-session', 'account'),
    x: fc.constantFrom(undefined, 'y', 'z'),
  })
  // Root users have policies of no kind, and users no session policies.
  .map((world) => ({
    ...world,
    ...(world.caller.type === 'root' && { identity: [], boundary: undefined, session: undefined }),
    ...(world.caller.type === 'user' && { session: undefined }),
  }))

function requestOf(world: World): AccessRequest {
  const nobody = (side: Side) => side.map((one) => ({ ...one, Principal: undefined }))
  const { caller, type, resource, identity, boundary, session: passed, grantee, x } = world
  const account = home
  const compiled = policy(resource, 'key')
  const of = (side: Side) => (side.length === 0 ? [] : sources([nobody(side)]))
  return {
    caller,
    permission: 'kms:Decrypt',
    resource:
      type === 'identity'
        ? { type, arn: keyArn, account }
        : { type, arn: keyArn, account, policy: compiled, crossAccount: true },
    conditions: x === undefined ? [] : [{ 'AWS:X': x }],
    layers: {
      identity: of(identity),
      boundary: boundary && of(boundary)[0],
      session: passed && of(passed),
      serviceControl: world.serviceControl.map(of),
    },
    resourceControl: world.resourceControl.map(of),
    grant: () => (grantee === undefined ? undefined : { grantId: 'g', grantee }),
  }
}

test('decide and explain always agree, and both follow the written rules', () => {
  const tally: Record<string, number> = {}
  fc.assert(
    fc.property(worlds, (world) => {
      const asked = requestOf(world)
      const explained = explain(asked)
      const { decision } = explained
      assert.deepEqual(decide(asked), decision)
      assert.equal(decision.allowed, expected(world))
      assert.equal(decision.allowed, told(explained, world))
      const key = `${decision.reason} ${decision.allowed ? decision.path : ''}`
      tally[key] = (tally[key] ?? 0) + 1
    }),
    { numRuns: 5000 },
  )
  for (const path of ['A', 'B', 'C', 'E', 'F', 'G', 'H']) {
    const found = Object.keys(tally).filter((key) => key.endsWith(` ${path}`))
    const count = found.reduce((sum, key) => sum + (tally[key] ?? 0), 0)
    assert.ok(count > 3, `${path}: ${JSON.stringify(tally)}`)
  }
  assert.ok(Object.keys(tally).length >= 20, JSON.stringify(tally))
})
