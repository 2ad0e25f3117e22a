import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../base/caller.ts'
import { decide, explain } from './evaluate.ts'
import { compilePolicy } from './policy/compile.ts'
import type { AccessRequest } from './request.ts'
import {
  abroad,
  home,
  keyArn,
  policyText,
  root,
  type StatementJson,
  session,
  statement,
  user,
} from './test-samples.ts'

const alice = user(home, 'alice')
const work = session(home, 'Worker', 'shift-1')

function request(
  caller: Caller,
  statements: readonly StatementJson[],
  changes: Partial<AccessRequest> = {},
): AccessRequest {
  const policy = compilePolicy(policyText(statements))
  return {
    caller,
    permission: 'kms:Decrypt',
    resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
    conditions: [],
    ...changes,
  }
}

test('every statement that was looked at is named with the element that failed first', () => {
  const { decision, statements } = explain(
    request(root(home), [
      statement({ Sid: 'inert', Action: undefined }),
      statement({ Sid: 'principal', Principal: { AWS: alice.arn }, Action: 'kms:Encrypt' }),
      statement({ Sid: 'deny', Effect: 'Deny', Action: 'kms:Encrypt' }),
      statement({ Sid: 'action', Action: 'kms:Encrypt', Resource: `${keyArn}0` }),
      statement({ Sid: 'resource', Resource: `${keyArn}0` }),
      statement({ Sid: 'condition', Condition: { Null: { 'aws:x': false } } }),
      statement({ Sid: 'yes' }),
      statement({ Sid: 'not reached' }),
    ]),
  )
  assert.deepEqual(decision, { allowed: true, reason: 'key-policy', path: 'E' })
  assert.deepEqual(
    statements.map(({ index, sid, effect, failed, matched }) => [
      index,
      sid,
      effect,
      failed,
      matched,
    ]),
    [
      [2, 'deny', 'Deny', 'action', false],
      [0, 'inert', 'Allow', 'inert', false],
      [1, 'principal', 'Allow', 'principal', false],
      [3, 'action', 'Allow', 'action', false],
      [4, 'resource', 'Allow', 'resource', false],
      [5, 'condition', 'Allow', 'condition', false],
      [6, 'yes', 'Allow', undefined, true],
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
  const { statements } = explain(
    request(root(home), [statement({ Condition: condition })], { conditions }),
  )
  assert.deepEqual(statements[0]?.conditions, [
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

test('identity policies are told apart', () => {
  const identity = (changes: StatementJson) =>
    compilePolicy(policyText(statement({ Principal: undefined, ...changes })), 'identity')
  const { decision, statements } = explain(
    request(alice, [statement({ Principal: { AWS: home } })], {
      identityPolicies: [identity({ Action: 'kms:Encrypt' }), identity({ Sid: 'This' })],
    }),
  )
  assert.deepEqual(decision, { allowed: true, reason: 'key-and-identity-policy', path: 'F' })
  assert.deepEqual(
    statements.map(({ layer, policy, matched }) => [layer, policy, matched]),
    [
      ['key-policy', 0, true],
      ['identity-policy', 0, false],
      ['identity-policy', 1, true],
    ],
  )
})

test('when no policy is read, nothing is traced', () => {
  const stranger = request(root(abroad), [statement()])
  const resource = { ...stranger.resource, crossAccount: false }
  assert.deepEqual(explain({ ...stranger, resource }), {
    decision: { allowed: false, reason: 'cross-account-operation' },
    statements: [],
  })
})

const callers = [root(home), root(abroad), alice, user(abroad, 'bob'), work]
const names = [
  '*',
  home,
  abroad,
  ...callers.map(({ arn }) => arn),
  ...callers.flatMap(({ roleArn }) => roleArn ?? []),
]

/** A statement that needs no reader: its meaning can be told by plain comparison. */
const plain = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
  Principal: fc.record({ AWS: fc.subarray(names, { minLength: 1, maxLength: 2 }) }),
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

/** The written rules, as directly as they can be said. */
function expected(
  caller: Caller,
  key: readonly Plain[],
  identity: readonly Plain[],
  x: string | undefined,
): boolean {
  const named = (one: Plain) => {
    const direct = [caller.type === 'root' ? '' : caller.arn, caller.roleArn ?? '', '*']
    if (one.Principal.AWS.some((name) => direct.includes(name))) return 'directly'
    const account = [caller.account, root(caller.account).arn]
    return one.Principal.AWS.some((name) => account.includes(name)) ? 'by account' : 'no'
  }
  const fitting = key.filter((one) => fits(one, x) && named(one) !== 'no')
  const own = identity.filter((one) => fits(one, x))
  if ([...fitting, ...own].some(({ Effect }) => Effect === 'Deny')) return false
  const ownSide = caller.type === 'root' || own.length > 0
  if (fitting.length === 0) return false
  if (caller.account === home && fitting.some((one) => named(one) === 'directly')) return true
  return ownSide
}

test('decide and explain always agree, and both follow the written rules', () => {
  const statements = fc.array(plain, { minLength: 1, maxLength: 4 })
  const tally = { allowed: 0, denied: 0 }
  fc.assert(
    fc.property(
      fc.constantFrom(...callers),
      statements,
      fc.option(statements, { nil: undefined }),
      fc.constantFrom(undefined, 'y', 'z'),
      (caller, key, identity, x) => {
        const own = caller.type === 'root' ? undefined : identity
        const identityPolicies = [own ?? []].flatMap((list) =>
          list.length === 0
            ? []
            : [
                compilePolicy(
                  policyText(list.map((one) => ({ ...one, Principal: undefined }))),
                  'identity',
                ),
              ],
        )
        const asked = request(caller, key, {
          identityPolicies,
          conditions: x === undefined ? [] : [{ 'AWS:X': x }],
        })
        const { decision, statements: trace } = explain(asked)
        assert.deepEqual(decide(asked), decision)
        assert.equal(decision.allowed, expected(caller, key, own ?? [], x))
        assert.equal(
          trace.some(({ effect, matched }) => effect === 'Deny' && matched),
          !decision.allowed && decision.reason.startsWith('explicit-deny'),
        )
        for (const one of trace) assert.equal(one.matched, one.failed === undefined)
        tally[decision.allowed ? 'allowed' : 'denied']++
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(tally.allowed > 200 && tally.denied > 200, JSON.stringify(tally))
})
