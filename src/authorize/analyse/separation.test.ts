import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { noLayers } from '../layers.ts'
import { home, type StatementJson } from '../test-samples.ts'
import { proveSeparation } from './separation.ts'
import { ids, keyWith, layersWith, role, user, worldOf } from './test-world.ts'
import type { AnalysisWorld } from './world.ts'

const consoleAdmin = [
  ...[
    'Create*',
    'Describe*',
    'Enable*',
    'List*',
    'Put*',
    'Update*',
    'Revoke*',
    'Disable*',
    'Get*',
    'Delete*',
  ],
  ...['TagResource', 'UntagResource', 'ScheduleKeyDeletion', 'CancelKeyDeletion'],
].map((name) => `kms:${name}`)
const consoleUse = ['Encrypt', 'Decrypt', 'ReEncrypt*', 'GenerateDataKey*', 'DescribeKey'].map(
  (name) => `kms:${name}`,
)
/** What of administration leads to nothing else. */
const safeAdmin = [
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'DescribeKey',
].map((name) => `kms:${name}`)

function allow(
  principal: unknown,
  action: readonly string[],
  more: StatementJson = {},
): StatementJson {
  return { Effect: 'Allow', Principal: { AWS: principal }, Action: action, Resource: '*', ...more }
}

const separate = [allow(ids.alice, safeAdmin), allow(ids.bob, consoleUse)]

function world(
  policy: readonly StatementJson[],
  changes: Partial<AnalysisWorld> = {},
): AnalysisWorld {
  const users = [user('alice', ids.alice), user('bob', ids.bob)]
  return worldOf({ key: keyWith(policy), users, ...changes })
}

const identity = (Action: string | readonly string[], Resource = '*') => ({
  Effect: 'Allow',
  Action,
  Resource,
})

describe('separation of duties', () => {
  test('is proven where administrators and users have nothing in common', () => {
    const proof = proveSeparation(world(separate))
    assert.equal(proof.result, 'PROVEN')
    assert.equal(proof.counterexample, undefined)
    assert.match(proof.assumptions.join('\n'), new RegExp(home))
  })

  test('does not hold under the default key policy: the root user has it all', () => {
    const proof = proveSeparation(world([allow(home, ['kms:*'])]))
    assert.equal(proof.result, 'VIOLATED')
    assert.equal(proof.counterexample?.principal, `arn:aws:iam::${home}:root`)
    assert.deepEqual(proof.counterexample?.use.steps, [])
  })

  test('does not hold under the policy of the console: an administrator makes a grant, or puts a policy', () => {
    const proof = proveSeparation(
      world([allow(ids.alice, consoleAdmin), allow(ids.bob, consoleUse)]),
    )
    assert.equal(proof.result, 'VIOLATED')
    const { principal, use, administration } = proof.counterexample ?? assert.fail()
    assert.equal(principal, `arn:aws:iam::${home}:user/alice`)
    assert.deepEqual(administration.steps, [])
    assert.equal(use.steps.length, 1)
    assert.equal(use.steps[0]?.action, 'kms:PutKeyPolicy')
    assert.equal(use.permission, 'kms:Decrypt')
  })

  test('CreateGrant alone is enough, unless it is for services only', () => {
    const granting = (Condition?: unknown) =>
      world([...separate, allow(ids.alice, ['kms:CreateGrant'], Condition ? { Condition } : {})])
    const proof = proveSeparation(granting())
    assert.equal(proof.result, 'VIOLATED')
    assert.equal(proof.counterexample?.use.steps[0]?.action, 'kms:CreateGrant')
    assert.equal(
      proveSeparation(granting({ Bool: { 'kms:GrantIsForAWSResource': 'true' } })).result,
      'PROVEN',
    )
    const others = { StringEquals: { 'kms:GranteePrincipal': `arn:aws:iam::${home}:user/bob` } }
    assert.equal(proveSeparation(granting(others)).result, 'PROVEN')
    const harmless = {
      'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'DescribeKey'] },
    }
    assert.equal(proveSeparation(granting(harmless)).result, 'PROVEN')
    const several = { 'ForAnyValue:StringEquals': { 'kms:GrantOperations': ['DescribeKey'] } }
    assert.notEqual(proveSeparation(granting(several)).result, 'PROVEN')
  })

  const aliceWith = (...statements: StatementJson[]) => ({
    users: [user('alice', ids.alice, layersWith(...statements)), user('bob', ids.bob)],
  })

  const trusting = (principal: unknown, more: StatementJson = {}) =>
    role('team', [
      { Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole', ...more },
    ])

  const useBy = (Condition: unknown) => allow('*', ['kms:Decrypt'], { Condition })
  const adminOnly = allow(ids.alice, safeAdmin)

  test('conditions on names are met by whoever makes a role, or gives a user another name', () => {
    const ofRoles = useBy({ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${home}:role/*` } })
    const making = aliceWith(identity('iam:CreateRole'))
    assert.equal(proveSeparation(world([adminOnly, ofRoles], aliceWith())).result, 'PROVEN')
    const made = proveSeparation(world([adminOnly, ofRoles], making))
    assert.equal(made.result, 'UNKNOWN')
    assert.equal(made.counterexample?.use.steps[0]?.action, 'iam:CreateRole')
    const path = `arn:aws:iam::${home}:user/readers/*`
    const ofPath = useBy({ ArnLike: { 'aws:PrincipalArn': path } })
    assert.equal(proveSeparation(world([adminOnly, ofPath], aliceWith())).result, 'PROVEN')
    const renaming = aliceWith(identity('iam:UpdateUser'))
    assert.equal(proveSeparation(world([adminOnly, ofPath], renaming)).result, 'UNKNOWN')
  })

  test('a role that is not there yet is somebody', () => {
    const ofSessions = { StringEquals: { 'aws:PrincipalType': 'AssumedRole' } }
    const proof = proveSeparation(world([allow('*', ['kms:*'], { Condition: ofSessions })]))
    assert.equal(proof.result, 'VIOLATED')
    assert.match(proof.counterexample?.principal ?? '', /any other role/)
  })

  test('whoever may make an alias comes to what identity policies leave to it', () => {
    const ofUsers = { Condition: { StringEquals: { 'aws:PrincipalType': 'User' } } }
    const byAlias = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/app' } }
    const proof = (...actions: string[]) =>
      proveSeparation(
        world(
          [allow(home, ['kms:*'], ofUsers)],
          aliceWith(
            { Effect: 'Allow', Action: ['kms:EnableKey', ...actions], Resource: '*' },
            { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: byAlias },
          ),
        ),
      ).result
    assert.equal(proof(), 'PROVEN')
    assert.equal(proof('kms:CreateAlias'), 'UNKNOWN')
  })

  test('to send a name of the context in two cases gives nobody anything, whatever is in the name', () => {
    for (const name of ['team', 'team:1', 'team/1']) {
      const key = `kms:EncryptionContext:${name}`
      const both = {
        'ForAnyValue:StringEquals': { [key]: 'a' },
        'ForAnyValue:StringLike': { [key]: 'b' },
      }
      const used = allow(ids.alice, ['kms:Decrypt'], { Condition: both })
      assert.equal(proveSeparation(world([adminOnly, used])).result, 'PROVEN', name)
    }
  })

  test('grants are made to whatever name one can come to have', () => {
    const granting = (like: string) => {
      const Condition = { ArnLike: { 'kms:GranteePrincipal': like } }
      return [adminOnly, allow(ids.alice, ['kms:CreateGrant'], { Condition })]
    }
    const making = aliceWith(identity('iam:CreateUser'), identity('iam:CreateRole'))
    const users = `arn:aws:iam::${home}:user/app-*`
    const roles = `arn:aws:iam::${home}:role/app-*`
    for (const like of [users, roles]) {
      assert.equal(proveSeparation(world(granting(like), making)).result, 'UNKNOWN', like)
      assert.equal(proveSeparation(world(granting(like), aliceWith())).result, 'PROVEN', like)
    }
    const trusted = { roles: [trusting(ids.alice)], ...aliceWith() }
    const sessions = `arn:aws:sts::${home}:assumed-role/team/backup-*`
    assert.equal(proveSeparation(world(granting(sessions), trusted)).result, 'UNKNOWN')
    const others = `arn:aws:sts::${home}:assumed-role/other/*`
    assert.equal(proveSeparation(world(granting(others), trusted)).result, 'PROVEN')
  })

  test('a grant to the account is used by leave of its identity policies', () => {
    const Condition = { StringEquals: { 'kms:GranteePrincipal': `arn:aws:iam::${home}:root` } }
    const key = [adminOnly, allow(ids.alice, ['kms:CreateGrant'], { Condition })]
    const proof = (...own: StatementJson[]) => proveSeparation(world(key, aliceWith(...own)))
    assert.equal(proof(identity('kms:Decrypt')).result, 'VIOLATED')
    assert.equal(proof().result, 'PROVEN')
  })

  test('an administrator who can make an access key for a user of the key is one', () => {
    const bob = `arn:aws:iam::${home}:user/bob`
    const proof = proveSeparation(world(separate, aliceWith(identity('iam:CreateAccessKey', bob))))
    assert.equal(proof.result, 'VIOLATED')
    assert.deepEqual(
      proof.counterexample?.use.steps.map(({ action, resource }) => [action, resource]),
      [['iam:CreateAccessKey', bob]],
    )
    const own = proveSeparation(
      world(
        separate,
        aliceWith(identity('iam:CreateAccessKey', `arn:aws:iam::${home}:user/alice`)),
      ),
    )
    assert.equal(own.result, 'PROVEN')
  })

  const teamKey = [allow(ids.alice, safeAdmin), allow(ids.role, consoleUse)]

  test('roles are assumed by those whom they trust', () => {
    const roles = (trust: unknown) => ({ roles: [trusting(trust)], ...aliceWith() })
    const trusted = proveSeparation(world(teamKey, roles(ids.alice)))
    assert.equal(trusted.result, 'VIOLATED')
    assert.equal(trusted.counterexample?.use.steps[0]?.action, 'sts:AssumeRole')
    assert.equal(proveSeparation(world(teamKey, roles(ids.bob))).result, 'PROVEN')
    assert.equal(proveSeparation(world(teamKey, roles(home))).result, 'PROVEN')
    const both = { ...roles(home), ...aliceWith(identity('sts:AssumeRole')) }
    assert.equal(proveSeparation(world(teamKey, both)).result, 'VIOLATED')
  })

  test('whoever writes the trust policy of a role is trusted by it', () => {
    const changes = {
      roles: [trusting(ids.bob)],
      ...aliceWith(identity('iam:UpdateAssumeRolePolicy')),
    }
    const proof = proveSeparation(world(teamKey, changes))
    assert.equal(proof.result, 'VIOLATED')
    assert.deepEqual(
      proof.counterexample?.use.steps.map(({ action }) => action),
      ['iam:UpdateAssumeRolePolicy', 'sts:AssumeRole'],
    )
  })

  const delegated = [allow(ids.alice, safeAdmin), allow(home, ['kms:Decrypt'])]

  test('whoever writes policies of their own has what the key leaves to the account', () => {
    assert.equal(proveSeparation(world(delegated)).result, 'PROVEN')
    const alice = `arn:aws:iam::${home}:user/alice`
    const proof = proveSeparation(world(delegated, aliceWith(identity('iam:PutUserPolicy', alice))))
    assert.equal(proof.result, 'VIOLATED')
    assert.deepEqual(
      proof.counterexample?.use.steps.map(({ action }) => action),
      ['iam:PutUserPolicy'],
    )
    // A Deny of Decrypt for alice does not help: she makes a user.
    const write = identity('iam:PutUserPolicy', alice)
    const deny = (Action: string | readonly string[]) => ({ Effect: 'Deny', Action, Resource: '*' })
    const around = proveSeparation(world(delegated, aliceWith(write, deny('kms:Decrypt'))))
    assert.equal(around.result, 'VIOLATED')
    const steps = around.counterexample?.use.steps.map(({ action }) => action)
    assert.deepEqual(steps, ['iam:PutUserPolicy', 'iam:CreateUser'])
    const denied = aliceWith(write, deny(['kms:Decrypt', 'iam:Create*', 'iam:Update*']))
    assert.equal(proveSeparation(world(delegated, denied)).result, 'UNKNOWN')
  })

  test('a new identity can be given what the key leaves to the account', () => {
    const proof = proveSeparation(
      world(delegated, aliceWith(identity('iam:*User*'), identity('iam:CreateAccessKey'))),
    )
    assert.equal(proof.result, 'VIOLATED')
    const perhaps = proveSeparation(world(delegated, aliceWith(identity('iam:CreateUser'))))
    assert.equal(perhaps.result, 'UNKNOWN')
  })

  test('a group that one can be put into counts with its policies', () => {
    const arn = `arn:aws:iam::${home}:group/users`
    const policies = layersWith(identity('kms:Decrypt')).identity
    const groups = [{ account: home, arn, groupId: 'AGPAGROUP0000000EXAMPLE', policies }]
    const changes = { groups, ...aliceWith(identity('iam:AddUserToGroup', arn)) }
    const proof = proveSeparation(world(delegated, changes))
    assert.equal(proof.result, 'VIOLATED')
    assert.equal(proof.counterexample?.use.steps[0]?.action, 'iam:AddUserToGroup')
    assert.equal(proveSeparation(world(delegated, { groups, ...aliceWith() })).result, 'PROVEN')
  })

  test('what one of two can change, the other has', () => {
    const policy = [allow(ids.role, ['kms:PutKeyPolicy']), allow(ids.alice, safeAdmin)]
    const denied = {
      ...noLayers,
      ...layersWith(
        { Effect: 'Deny', Action: 'kms:Decrypt', Resource: '*' },
        { Effect: 'Deny', Action: ['kms:Gen*', 'kms:ReEncrypt*'], Resource: '*' },
      ),
    }
    const roles = [{ ...trusting(ids.alice), layers: denied }]
    const proof = proveSeparation(world(policy, { roles }))
    assert.equal(proof.result, 'VIOLATED')
    assert.deepEqual(
      proof.counterexample?.use.steps.map(({ action }) => action),
      ['sts:AssumeRole', 'kms:PutKeyPolicy'],
    )
    assert.equal(proof.counterexample?.use.principal, `arn:aws:iam::${home}:user/alice`)
  })

  test('tags that a policy goes by are not proven against', () => {
    const tagged = { StringEquals: { 'aws:ResourceTag/open': 'yes' } }
    const policy = [
      allow(ids.alice, ['kms:TagResource']),
      allow(ids.alice, ['kms:Decrypt'], { Condition: tagged }),
    ]
    assert.equal(proveSeparation(world(policy)).result, 'UNKNOWN')
    const [first = assert.fail()] = policy
    assert.equal(proveSeparation(world([first])).result, 'PROVEN')
  })

  test('a replica comes with a key policy of its own', () => {
    const policy = [allow(ids.alice, ['kms:ReplicateKey'])]
    const key = keyWith(policy, { multiRegion: 'PRIMARY' })
    const proof = (statements: StatementJson[]) =>
      proveSeparation(worldOf({ key, ...aliceWith(...statements) })).result
    assert.equal(proof([identity('kms:CreateKey')]), 'VIOLATED')
    assert.equal(proof([]), 'PROVEN')
  })

  test('is unknown beyond the bounds', () => {
    assert.equal(
      proveSeparation(world(separate), { principals: 3, questions: 10_000 }).result,
      'UNKNOWN',
    )
    assert.equal(
      proveSeparation(world(separate), { principals: 100, questions: 3 }).result,
      'UNKNOWN',
    )
  })
})
