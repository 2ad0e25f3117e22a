import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ConditionValues } from '../conditions/context.ts'
import { decide } from '../evaluate.ts'
import { compilePolicy } from '../policy/compile.ts'
import { abroad, home, type StatementJson } from '../test-samples.ts'
import { othersOf } from './others.ts'
import { type Principal, principalsOf } from './principals.ts'
import { ids, keyWith, layersWith, role, sourced, user, worldOf } from './test-world.ts'
import { keyQuery, whoCan } from './who-can.ts'
import type { AnalysisWorld } from './world.ts'

/** A policy variable. */
const variable = (key: string) => `\${${key}}`

const texts = ['p', 'q', 'pq', 'P']
const operatorsOfText = [
  ...['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'],
  ...['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
]
const quantified = (name: string) => [`ForAnyValue:${name}`, `ForAllValues:${name}`]
const optional = (names: readonly string[]) => [...names, ...names.map((name) => `${name}IfExists`)]

const some = <T>(...of: readonly T[]) => fc.constantFrom(...of)
const valuesOf = (of: readonly string[]) =>
  fc.uniqueArray(some(...of), { minLength: 1, maxLength: 2 })

const condition = fc.oneof(
  fc.tuple(
    some(...optional(operatorsOfText)),
    some('kms:EncryptionContext:a', 'kms:EncryptionContext:B', 'aws:Referer'),
    valuesOf([...texts, 'p*', '?q', '*', variable('aws:Referer'), variable('aws:username')]),
  ),
  fc.tuple(
    some(...operatorsOfText.flatMap(quantified)),
    some('kms:EncryptionContextKeys', 'kms:EncryptionContext:a'),
    valuesOf(['a', 'A', 'b', 'a*', 'p']),
  ),
  fc.tuple(
    some('Null'),
    some(
      'kms:EncryptionContext:a',
      'kms:EncryptionContextKeys',
      'aws:Referer',
      'aws:MultiFactorAuthPresent',
    ),
    valuesOf(['true', 'false']),
  ),
  fc.tuple(
    some(...optional(['IpAddress', 'NotIpAddress'])),
    some('aws:SourceIp'),
    valuesOf(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.7', '::/0']),
  ),
  fc.tuple(
    some(
      ...optional([
        'NumericEquals',
        'NumericNotEquals',
        'NumericLessThan',
        'NumericGreaterThanEquals',
      ]),
    ),
    some('aws:UserAgent'),
    valuesOf(['0', '5', '6', '7.5']),
  ),
  fc.tuple(
    some('Bool', 'BoolIfExists'),
    some('aws:SecureTransport', 'aws:MultiFactorAuthPresent', 'aws:ViaAWSService'),
    valuesOf(['true', 'false']),
  ),
  fc.tuple(
    some('ArnLike', 'ArnNotLike', 'StringLike'),
    some('aws:PrincipalArn'),
    valuesOf([`arn:aws:iam::${home}:user/*`, `arn:aws:iam::*:role/team`, 'arn:*:*:*:*:user/alice']),
  ),
)

const conditions = fc.array(condition, { maxLength: 2 }).map((list) => {
  const block: Record<string, Record<string, readonly string[]>> = {}
  for (const [operator, key, values] of list)
    block[operator] = { ...block[operator], [key]: values }
  return block
})

const actions = some('kms:*', 'kms:Decrypt', 'kms:De*', 'kms:Encrypt')
const effect = fc.oneof(
  { weight: 3, arbitrary: some('Allow') },
  { weight: 1, arbitrary: some('Deny') },
)
const resourceArn = some(
  '*',
  `arn:aws:kms:eu-west-1:${home}:key/*`,
  `arn:aws:kms:*:*:key/${variable('aws:Referer')}*`,
)

const keyStatement = fc.record({
  Effect: effect,
  Principal: some<unknown>(
    '*',
    { AWS: home },
    { AWS: abroad },
    { AWS: [ids.alice] },
    { AWS: ids.role },
    { AWS: `${ids.role}:named` },
  ),
  Action: actions,
  Resource: resourceArn,
  Condition: conditions,
})
const identityStatement = fc.record({
  Effect: effect,
  Action: actions,
  Resource: resourceArn,
  Condition: conditions,
})

const worlds: fc.Arbitrary<AnalysisWorld> = fc
  .record({
    key: fc.array(keyStatement, { minLength: 1, maxLength: 3 }),
    own: fc.array(identityStatement, { maxLength: 2 }),
    bound: fc.option(identityStatement),
    guard: fc.option(identityStatement),
    grantee: some(ids.alice, ids.role, `arn:aws:iam::${home}:root`, ids.carol),
    constraint: some({}, { contextEquals: { a: 'p' } }, { contextSubset: { a: 'p' } }),
    granted: fc.boolean(),
  })
  .map(({ key, own, bound, guard, grantee, constraint, granted }) => {
    const layers = {
      ...layersWith(...own),
      boundary: bound === null ? undefined : sourced('boundary', bound),
      serviceControl:
        guard === null
          ? []
          : [
              [
                sourced(
                  'scp',
                  [guard, { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }],
                  'service-control',
                ),
              ],
            ],
    }
    const grant = { grantId: 'g', grantee, operations: ['Decrypt'], ...constraint }
    const trust: StatementJson = { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' }
    return worldOf({
      key: keyWith(key),
      users: [
        user('alice', ids.alice, layers),
        user('bob', ids.bob),
        user('carol', ids.carol, layers, abroad),
      ],
      roles: [role('team', [trust], layers)],
      grants: granted ? [grant] : [],
    })
  })

/** All requests of a small world: what a caller can vary, and what follows from it. */
function* requests(): Generator<ConditionValues> {
  const contexts: readonly Record<string, string>[] = [
    {},
    { a: 'p' },
    { a: 'q' },
    { A: 'p' },
    { a: 'p', A: 'q' },
    { a: 'p', B: 'pq' },
    { b: 'P' },
  ]
  const also: readonly ConditionValues[] = [
    {},
    { 'aws:Referer': 'p' },
    { 'aws:Referer': 'pq' },
    { 'aws:Referer': '1234abcd' },
    { 'aws:UserAgent': '5' },
    { 'aws:UserAgent': '7', 'aws:Referer': 'q' },
    { 'aws:UserAgent': 'x' },
  ]
  for (const context of contexts) {
    const pairs = Object.fromEntries(
      Object.entries(context).map(([k, v]) => [`kms:EncryptionContext:${k}`, v]),
    )
    const names = Object.keys(context)
    const keys = names.length === 0 ? {} : { 'kms:EncryptionContextKeys': names }
    for (const ip of ['10.1.2.3', '10.2.0.0', '192.0.2.7', '2001:db8::1', '198.51.100.1']) {
      for (const tls of ['true', 'false']) {
        for (const more of also) {
          yield { ...pairs, ...keys, ...more, 'aws:SourceIp': ip, 'aws:SecureTransport': tls }
        }
      }
    }
  }
}

/** What the requests of a kind of callers say of the one who calls. */
function whoCalls({ kind, id, account, fixed }: Principal): ConditionValues {
  if (kind === 'session' || kind === 'named-session') {
    const userid = kind === 'session' ? `${id}:x1` : id
    return {
      'aws:userid': userid,
      'aws:TokenIssueTime': '2026-01-01T00:00:00Z',
      'aws:MultiFactorAuthPresent': 'false',
    }
  }
  if (kind !== 'other' && kind !== 'appointed') return {}
  if (fixed['aws:PrincipalType'] === 'AssumedRole') {
    return {
      'aws:PrincipalArn': `arn:aws:iam::${account}:role/other`,
      'aws:userid': 'AROAOTHER00000000EXAMPLE:x1',
      'aws:TokenIssueTime': '2026-01-01T00:00:00Z',
      'aws:MultiFactorAuthPresent': 'false',
    }
  }
  return {
    'aws:PrincipalArn': `arn:aws:iam::${account}:user/dave`,
    'aws:userid': 'AIDADAVE000000000EXAMPLE',
    'aws:username': 'dave',
  }
}

const all = [...requests()]

describe('who can', () => {
  test('says nothing that some request of a small world disproves', () => {
    let unknown = 0
    let rows = 0
    let conditional = 0
    fc.assert(
      fc.property(worlds, (world) => {
        const policy = compilePolicy(world.key.policy)
        const principals = [...principalsOf(world), ...othersOf(world)]
        const found = whoCan(world, ['kms:Decrypt']).rows
        assert.equal(found.length, principals.length)
        for (const [index, principal] of principals.entries()) {
          const row = found[index]
          assert.ok(row !== undefined)
          rows++
          const query = keyQuery(world, policy, principal, 'kms:Decrypt')
          let [allowed, denied] = [0, 0]
          for (const open of all) {
            const request = query.request({ ...open, ...whoCalls(principal) })
            assert.ok(request !== undefined)
            if (decide(request).allowed) allowed++
            else denied++
          }
          if (row.status === 'ALWAYS') assert.equal(denied, 0, row.principal)
          else if (row.status === 'NEVER') assert.equal(allowed, 0, row.principal)
          else if (row.status === 'CONDITIONAL') {
            conditional++
            for (const [witness, expected] of [
              [row.allowedWith, true],
              [row.deniedWith, false],
            ] as const) {
              assert.ok(witness !== undefined)
              const request = query.request(witness)
              assert.ok(request !== undefined)
              assert.equal(decide(request).allowed, expected)
            }
          } else unknown++
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 100) },
    )
    assert.ok(conditional > rows / 50, `${conditional} of ${rows} rows were conditional`)
    assert.ok(unknown < rows / 6, `${unknown} of ${rows} rows were unknown`)
  })
})
