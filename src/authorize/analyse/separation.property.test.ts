import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../../base/caller.ts'
import { decide } from '../evaluate.ts'
import { type CallerLayers, noLayers } from '../layers.ts'
import { compilePolicy } from '../policy/compile.ts'
import type { AccessResource } from '../request.ts'
import { home, keyArn, policyText, type StatementJson } from '../test-samples.ts'
import { permissionsOf } from './permissions.ts'
import { proveSeparation } from './separation.ts'
import { ids, keyWith, role, sourced, user, worldOf } from './test-world.ts'

/** What an attacker sees and changes, without any of the analyser's notions. */
type State = {
  readonly acting: ReadonlySet<Who>
  readonly policies: Readonly<Record<Who, readonly StatementJson[]>>
  readonly key: readonly StatementJson[]
  readonly trust: readonly StatementJson[]
  readonly granted: ReadonlySet<Who>
}
type Who = 'alice' | 'bob' | 'team'

const arns = {
  alice: `arn:aws:iam::${home}:user/alice`,
  bob: `arn:aws:iam::${home}:user/bob`,
  team: `arn:aws:iam::${home}:role/team`,
}
const base = { account: home, accessKeyId: 'AKIA' }
const callers: Readonly<Record<Who, Caller>> = {
  alice: { ...base, type: 'user', arn: arns.alice, principalId: ids.alice, userName: 'alice' },
  bob: { ...base, type: 'user', arn: arns.bob, principalId: ids.bob, userName: 'bob' },
  team: {
    ...{ ...base, type: 'role-session', roleArn: arns.team, roleId: ids.role },
    arn: `arn:aws:sts::${home}:assumed-role/team/x1`,
    principalId: `${ids.role}:x1`,
  },
}
const everything = [{ Effect: 'Allow', Action: '*', Resource: '*' }]
const everybody = { Effect: 'Allow', Principal: '*' }

function layersOf(statements: readonly StatementJson[]): CallerLayers {
  return { ...noLayers, identity: statements.length === 0 ? [] : [sourced('own', statements)] }
}

function may(state: State, who: Who, permission: string, resource: AccessResource): boolean {
  const layers = layersOf(state.policies[who])
  const grantee = who === 'team' ? 'role' : 'user'
  const granted =
    state.granted.has(who) &&
    /:(?:Decrypt|ReEncryptFrom|GenerateDataKey(?:Pair)?)$/.test(permission)
  const grant = () => (granted ? ({ grantId: 'g', grantee } as const) : undefined)
  return decide({ caller: callers[who], permission, resource, conditions: [], layers, grant })
    .allowed
}

const onKey = (state: State, permission: string): AccessResource => ({
  ...{ type: 'key', arn: keyArn, account: home, policy: compilePolicy(policyText(state.key)) },
  crossAccount: permission === 'kms:Decrypt',
})
const onIdentity = (who: Who): AccessResource => ({
  type: 'identity',
  arn: arns[who],
  account: home,
})

function* moves(state: State): Generator<State> {
  const trusting: AccessResource = {
    ...{ type: 'role', arn: arns.team, account: home },
    policy: compilePolicy(policyText(state.trust), 'trust'),
  }
  const become = (who: Who): State => ({ ...state, acting: new Set([...state.acting, who]) })
  for (const who of state.acting) {
    if (may(state, who, 'sts:AssumeRole', trusting)) yield become('team')
    for (const other of ['alice', 'bob'] as const) {
      if (may(state, who, 'iam:CreateAccessKey', onIdentity(other))) yield become(other)
    }
    for (const other of state.acting) {
      const write = other === 'team' ? 'iam:PutRolePolicy' : 'iam:PutUserPolicy'
      if (!may(state, who, write, onIdentity(other))) continue
      yield { ...state, policies: { ...state.policies, [other]: everything } }
    }
    if (may(state, who, 'iam:UpdateAssumeRolePolicy', onIdentity('team'))) {
      yield { ...state, trust: [{ ...everybody, Action: 'sts:AssumeRole' }] }
    }
    if (may(state, who, 'kms:PutKeyPolicy', onKey(state, 'kms:PutKeyPolicy'))) {
      yield { ...state, key: [{ ...everybody, Action: 'kms:*', Resource: '*' }] }
    }
    if (may(state, who, 'kms:CreateGrant', onKey(state, 'kms:CreateGrant'))) {
      yield { ...state, granted: new Set([...state.granted, ...state.acting]) }
    }
  }
}

const permissions = permissionsOf(keyWith([{ ...everybody, Action: 'kms:*', Resource: '*' }]))

/** Whether whoever starts as `who` comes to both sides in a few moves, at whatever times. */
function attack(start: State): boolean {
  let [administers, uses] = [false, false]
  const met = new Set<string>()
  let layer = [start]
  for (let depth = 0; depth <= 4; depth++) {
    const next: State[] = []
    for (const state of layer) {
      const { acting, granted, ...rest } = state
      const name = JSON.stringify([[...acting].sort(), [...granted].sort(), rest])
      if (met.has(name)) continue
      met.add(name)
      for (const who of acting) {
        for (const { name: permission, side } of permissions) {
          // Aliases take a permission on the alias as well.
          if (permission.endsWith('Alias')) continue
          const full = `kms:${permission}`
          if (side === 'harmless' || side === 'read') continue
          if (!may(state, who, full, onKey(state, full))) continue
          if (side === 'use') uses = true
          else administers = true
        }
      }
      if (administers && uses) return true
      next.push(...moves(state))
    }
    layer = next
  }
  return false
}

const some = <T>(...of: readonly T[]) => fc.constantFrom(...of)
const identity = fc.record({
  Effect: some('Allow', 'Allow', 'Allow', 'Deny'),
  Action: some(
    'sts:AssumeRole',
    'iam:CreateAccessKey',
    'iam:PutUserPolicy',
    'iam:Put*',
    'iam:UpdateAssumeRolePolicy',
    'kms:Decrypt',
    'kms:DisableKey',
    'kms:*',
  ),
  Resource: some('*', ...Object.values(arns)),
})
const keyStatement = fc.record({
  Effect: some('Allow', 'Allow', 'Allow', 'Deny'),
  Principal: some({ AWS: ids.alice }, { AWS: ids.bob }, { AWS: ids.role }),
  Action: some(
    'kms:Decrypt',
    'kms:DisableKey',
    'kms:PutKeyPolicy',
    'kms:CreateGrant',
    'kms:GenerateDataKey',
  ),
  Resource: fc.constant('*'),
})
const delegating = {
  Effect: 'Allow',
  Principal: { AWS: home },
  Action: 'kms:Decrypt',
  Resource: '*',
}
const worlds = fc.record({
  key: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: keyStatement },
      { weight: 1, arbitrary: fc.constant(delegating) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  alice: fc.array(identity, { maxLength: 2 }),
  bob: fc.array(identity, { maxLength: 1 }),
  team: fc.array(identity, { maxLength: 1 }),
  trust: some({ AWS: ids.alice }, { AWS: ids.bob }, { AWS: home }),
})

test('nobody breaks a separation that is proven, by any few moves', () => {
  const results = { PROVEN: 0, VIOLATED: 0, UNKNOWN: 0 }
  fc.assert(
    fc.property(worlds, ({ key, alice, bob, team, trust }) => {
      const trusting = [{ Effect: 'Allow', Principal: trust, Action: 'sts:AssumeRole' }]
      const { result } = proveSeparation(
        worldOf({
          key: keyWith(key),
          accounts: [{ account: home, layers: noLayers, resourceControl: [] }],
          users: [user('alice', ids.alice, layersOf(alice)), user('bob', ids.bob, layersOf(bob))],
          roles: [role('team', trusting, layersOf(team))],
        }),
      )
      results[result]++
      const policies = { alice, bob, team }
      const broken = (['alice', 'bob', 'team'] as const).some((who) =>
        attack({ acting: new Set([who]), policies, key, trust: trusting, granted: new Set() }),
      )
      if (broken) assert.notEqual(result, 'PROVEN')
      else if (!key.includes(delegating)) assert.notEqual(result, 'VIOLATED')
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
  assert.ok(results.PROVEN > 30 && results.VIOLATED > 30, JSON.stringify(results))
  assert.ok(results.UNKNOWN < 150, JSON.stringify(results))
})
