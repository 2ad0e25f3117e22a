import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decide } from '../evaluate.ts'
import { compilePolicy } from '../policy/compile.ts'
import { home, policyText, type StatementJson } from '../test-samples.ts'
import { diffAccess } from './diff-access.ts'
import { othersOf } from './others.ts'
import { principalsOf } from './principals.ts'
import { ids, keyWith, layersWith, user, worldOf } from './test-world.ts'
import { keyQuery } from './who-can.ts'

const alice = `arn:aws:iam::${home}:user/alice`
const allow = (principal: unknown, action: string, more: StatementJson = {}): StatementJson => ({
  ...{ Effect: 'Allow', Principal: { AWS: principal }, Action: action, Resource: '*' },
  ...more,
})

function diff(before: readonly StatementJson[], after: readonly StatementJson[]) {
  const own = layersWith({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' })
  const users = [user('alice', ids.alice, own), user('bob', ids.bob)]
  const world = worldOf({ key: keyWith(before), users })
  return diffAccess(world, policyText(before), policyText(after))
}

describe('what a policy newly allows', () => {
  test('is nothing when it is the same, or less', () => {
    const one = [allow(ids.alice, 'kms:*')]
    assert.equal(diff(one, one).result, 'PASS')
    assert.equal(diff(one, [allow(ids.alice, 'kms:Decrypt')]).result, 'PASS')
    const split = [allow(ids.alice, 'kms:D*'), allow(ids.alice, 'kms:*')]
    assert.equal(diff(one, split).result, 'PASS')
    const tighter = { Condition: { IpAddress: { 'aws:SourceIp': '10.1.0.0/16' } } }
    const wider = { Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/9', '10.128.0.0/9'] } } }
    const tight = [allow(ids.alice, 'kms:Decrypt', tighter)]
    const wide = [allow(ids.alice, 'kms:Decrypt', wider)]
    assert.equal(diff(wide, tight).result, 'PASS')
    const { result, findings } = diff(tight, wide)
    assert.equal(result, 'FAIL')
    assert.deepEqual(
      findings.map(({ principal, permission }) => [principal, permission]),
      [[alice, 'kms:Decrypt']],
    )
    assert.match(String(findings[0]?.witness['aws:SourceIp']), /^10\./)
  })

  test('names the statement, by its place and its Sid', () => {
    const found = diff(
      [allow(ids.bob, 'kms:Decrypt')],
      [allow(ids.bob, 'kms:Decrypt'), allow(ids.alice, 'kms:Decrypt', { Sid: 'new one' })],
    )
    assert.deepEqual(found.findings, [
      {
        ...{ principal: alice, permission: 'kms:Decrypt', kind: 'user', witness: {} },
        statements: [{ policy: 'new', effect: 'Allow', index: 1, sid: 'new one' }],
      },
    ])
  })

  test('is what a denial held back that is gone', () => {
    const deny = { ...allow('*', 'kms:Decrypt'), Effect: 'Deny', Sid: 'no' }
    const { findings } = diff([deny, allow(ids.alice, 'kms:*')], [allow(ids.alice, 'kms:*')])
    assert.deepEqual(
      findings.map(({ permission }) => permission),
      ['kms:Decrypt'],
    )
    assert.deepEqual(findings[0]?.statements, [
      { policy: 'new', effect: 'Allow', index: 0, sid: undefined },
      { policy: 'old', effect: 'Deny', index: 0, sid: 'no' },
    ])
  })

  test('by delegation is what identity policies make of it, and whoever is given one', () => {
    const { findings } = diff(
      [allow(ids.alice, 'kms:Decrypt')],
      [allow(ids.alice, 'kms:Decrypt'), allow(home, 'kms:Encrypt')],
    )
    const who = findings.map(({ principal, kind }) => (kind === 'user' ? principal : kind))
    assert.deepEqual(who.sort(), ['appointed', 'appointed', alice, 'root'].sort())
  })

  test('by everyone is what anybody has', () => {
    const { findings } = diff([allow(ids.alice, 'kms:Decrypt')], [allow('*', 'kms:Decrypt')])
    assert.ok(findings.some(({ kind }) => kind === 'other'))
  })

  test('by a session that is named is what that session has', () => {
    const found = diffAccess(
      worldOf({
        key: keyWith([allow(ids.alice, 'kms:*')]),
        roles: [
          {
            account: home,
            arn: `arn:aws:iam::${home}:role/r`,
            roleId: ids.role,
            roleName: 'r',
            tags: {},
            layers: layersWith(),
            trustPolicy: policyText([
              { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
            ]),
          },
        ],
      }),
      policyText([allow(ids.alice, 'kms:*')]),
      policyText([allow(`${ids.role}:bob`, 'kms:Decrypt')]),
    )
    assert.deepEqual(
      found.findings.map(({ principal, kind }) => [principal, kind]),
      [[`arn:aws:sts::${home}:assumed-role/r/bob`, 'named-session']],
    )
  })

  test('agrees with all requests of a small world', () => {
    const condition = fc.constantFrom(
      {},
      { StringEquals: { 'kms:EncryptionContext:a': 'p' } },
      { StringNotEquals: { 'kms:EncryptionContext:a': 'p' } },
      { StringLike: { 'kms:EncryptionContext:a': ['p*', '?'] } },
      { Null: { 'kms:EncryptionContext:a': 'true' } },
      { Bool: { 'aws:SecureTransport': 'true' } },
    )
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
      Principal: fc.constantFrom({ AWS: '*' }, { AWS: ids.alice }, { AWS: home }),
      Action: fc.constantFrom('kms:Encrypt', 'kms:*'),
      Resource: fc.constant('*'),
      Condition: condition,
    })
    const policies = fc.array(statement, { minLength: 1, maxLength: 3 })
    const contexts: Record<string, string>[] = [
      {},
      { a: 'p' },
      { a: 'q' },
      { a: 'pq' },
      { a: 'qq' },
      { a: 'p', A: 'q' },
    ]
    const opens = contexts.flatMap((context) =>
      ['true', 'false'].map((tls) => ({
        ...Object.fromEntries(
          Object.entries(context).map(([k, v]) => [`kms:EncryptionContext:${k}`, v]),
        ),
        ...{ 'aws:SecureTransport': tls },
      })),
    )
    let failed = 0
    let unknown = 0
    fc.assert(
      fc.property(policies, policies, (before, after) => {
        const own = layersWith({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' })
        const world = worldOf({ key: keyWith(before), users: [user('alice', ids.alice, own)] })
        const found = diffAccess(world, policyText(before), policyText(after))
        // It may say that it cannot tell: of nothing that it does tell may it be wrong.
        if (found.unknown.length > 0) {
          unknown++
          return
        }
        for (const principal of [...principalsOf(world), ...othersOf(world)]) {
          const of = (text: string) =>
            keyQuery(world, compilePolicy(text), principal, 'kms:Encrypt')
          const [older, newer] = [of(policyText(before)), of(policyText(after))]
          const newly = opens.some((open) => {
            const [now, then] = [newer.request(open), older.request(open)]
            assert.ok(now !== undefined && then !== undefined)
            return decide(now).allowed && !decide(then).allowed
          })
          const said = found.findings.find(
            (each) => each.principal === principal.name && each.permission === 'kms:Encrypt',
          )
          // What is found may be a request that is not among these; then it is one all the same.
          assert.ok(said !== undefined || !newly, principal.name)
          if (said === undefined) continue
          const [now, then] = [newer.request(said.witness), older.request(said.witness)]
          assert.ok(now !== undefined && then !== undefined)
          assert.deepEqual([decide(now).allowed, decide(then).allowed], [true, false])
          if (newly) failed++
        }
      }),
      { numRuns: 150 },
    )
    assert.ok(failed > 50, `${failed} findings`)
    assert.ok(unknown < 15, `${unknown} of 150 unknown`)
  })
})
