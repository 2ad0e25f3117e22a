import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import { decide } from './evaluate.ts'
import {
  alice,
  bob,
  type Case,
  deny,
  everyone,
  naming,
  nobody,
  other,
  requestOf,
  table,
  work,
} from './test-layers.ts'
import { abroad, home, own, sources, statement } from './test-samples.ts'

{
  const sparing = (...AWS: unknown[]) => [
    ...everyone,
    statement({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS } }),
  ]
  const letting = (...AWS: unknown[]) => [
    statement({ Principal: undefined, NotPrincipal: { AWS } }),
  ]
  table('NotPrincipal and Deny spare who is named in every way and has no boundary', [
    [
      'the role alone',
      { caller: work, policy: sparing(work.roleArn) },
      'explicit-deny-in-key-policy',
    ],
    [
      'without the session',
      { caller: work, policy: sparing(home, work.roleArn) },
      'explicit-deny-in-key-policy',
    ],
    [
      'with a boundary, though it allows',
      { policy: sparing(home, alice.arn), boundary: own() },
      'explicit-deny-in-key-policy',
    ],
    [
      'a session of a role with a boundary',
      { caller: work, policy: sparing(home, work.roleArn, work.arn), boundary: own() },
      'explicit-deny-in-key-policy',
    ],
    ['everyone is nobody in particular', { policy: sparing('*') }, 'explicit-deny-in-key-policy'],
    ['all, no boundary', { caller: work, policy: sparing(home, work.roleArn, work.arn) }, 'E'],
    ['the user and its account', { policy: sparing(home, alice.arn) }, 'E'],
  ])
  table('NotPrincipal and Allow leave out who is named in any way', [
    ['the user', { policy: letting(alice.arn) }, 'no-key-policy-allows'],
    ['the account', { policy: letting(home) }, 'no-key-policy-allows'],
    ['the role', { caller: work, policy: letting(work.roleArn) }, 'no-key-policy-allows'],
    ['all but everyone is nobody', { policy: letting('*') }, 'no-key-policy-allows'],
    ['others, whatever their boundary', { policy: letting(bob.arn), boundary: own() }, 'E'],
  ])
}

test('who has gone, and who came back with its name, gain nothing', () => {
  const again: Caller = { ...alice, principalId: 'AIDANAMESAKE00000001' }
  const bound = requestOf({ policy: [naming(alice.arn)] })
  assert.equal(decide(bound).allowed, true)
  assert.equal(decide({ ...bound, caller: again }).allowed, false)
  const role = requestOf({ caller: work, policy: [naming(work.roleArn), naming(work.arn)] })
  const roleId = 'AROANAMESAKE00000001'
  assert.equal(decide(role).allowed, true)
  const sameName = { ...work, roleId, principalId: `${roleId}:shift-1` }
  assert.equal(decide({ ...role, caller: sameName }).allowed, false)
})

test('the session of a user is that user', () => {
  const temporary: Caller = {
    ...alice,
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    session: { issuedAt: 0, expiresAt: 1 },
  }
  assert.deepEqual(decide(requestOf({ caller: temporary, policy: [naming(alice.arn)] })), {
    allowed: true,
    reason: 'key-policy',
    path: 'A',
  })
})

test('an explicit denial names its policy where it has an ARN', () => {
  const arn = 'arn:aws:iam::111122223333:policy/Guard'
  const [inline] = sources([deny()])
  assert.ok(inline)
  const managed = { ...inline, name: arn, version: 'v2' }
  const base = requestOf({ caller: work, policy: everyone })
  const given = base.layers
  assert.ok(given)
  const denied = (changes: Partial<typeof given>) =>
    decide({ ...base, layers: { ...given, ...changes } })
  for (const [reason, changes] of [
    ['explicit-deny-in-identity-policy', { identity: [managed] }],
    ['explicit-deny-in-permissions-boundary', { boundary: managed }],
    ['explicit-deny-in-session-policy', { session: [managed] }],
  ] as const) {
    assert.deepEqual(denied(changes), { allowed: false, reason, policyArn: arn })
  }
  for (const changes of [{ identity: [inline] }, { boundary: inline }, { session: [inline] }]) {
    assert.equal('policyArn' in denied(changes), false)
  }
  const scp = 'arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1'
  assert.deepEqual(denied({ serviceControl: [[{ ...inline, name: scp }]] }), {
    allowed: false,
    reason: 'explicit-deny-in-service-control-policy',
    policyArn: scp,
  })
})

test('nothing is asked of a grant when something denies or a policy allows', () => {
  const asked = (changes: Case): number => {
    let times = 0
    const grant = () => {
      times++
      return undefined
    }
    decide({ ...requestOf(changes), grant })
    return times
  }
  assert.equal(asked({ policy: everyone, serviceControl: [[deny()]] }), 0)
  assert.equal(asked({ policy: everyone, serviceControl: [[other]] }), 0)
  assert.equal(asked({ policy: nobody, boundary: deny() }), 0)
  assert.equal(asked({ policy: everyone }), 0)
  assert.equal(asked({ policy: nobody }), 1)
  assert.equal(asked({ caller: bob, policy: nobody }), 1)
  assert.equal(asked({ caller: bob, policy: [naming(bob.arn)] }), 1)
})

test('an alias and other things without a policy of their own are of one account', () => {
  const foreign = (account: AccountId) =>
    decide({
      ...requestOf({ type: 'identity', identity: [own()] }),
      resource: { type: 'identity', arn: '*', account },
    })
  assert.equal(foreign(home).allowed, true)
  assert.deepEqual(foreign(abroad), { allowed: false, reason: 'no-identity-policy-allows' })
})

{
  const logs = 'logs.amazonaws.com'
  const caller: Caller = {
    type: 'service',
    account: home,
    arn: logs,
    principalId: logs,
    accessKeyId: '',
  }
  const toService = [statement({ Principal: { Service: logs } })]
  const spared = (Service: string) =>
    statement({ Effect: 'Deny', Principal: undefined, NotPrincipal: { Service } })
  table('A service in its own name is let in by name or with everyone, by nothing else', [
    ['the policy names its account', { caller, policy: [naming(home)] }, 'no-key-policy-allows'],
    [
      'and its account allows it',
      { caller, policy: [naming(home)], identity: [own()] },
      'no-key-policy-allows',
    ],
    [
      'another service',
      { caller, policy: [statement({ Principal: { Service: 's3.amazonaws.com' } })] },
      'no-key-policy-allows',
    ],
    [
      'a grant to the account',
      { caller, policy: nobody, grant: 'account' },
      'no-key-policy-allows',
    ],
    [
      'a Deny of it',
      {
        caller,
        policy: [...toService, statement({ Effect: 'Deny', Principal: { Service: logs } })],
      },
      'explicit-deny-in-key-policy',
    ],
    [
      'a Deny of everyone',
      { caller, policy: [...toService, statement({ Effect: 'Deny' })] },
      'explicit-deny-in-key-policy',
    ],
    [
      'a Deny that spares another',
      { caller, policy: [...toService, spared('s3.amazonaws.com')] },
      'explicit-deny-in-key-policy',
    ],
    [
      'a resource control policy',
      { caller, policy: toService, resourceControl: [[deny()]] },
      'explicit-deny-in-resource-control-policy',
    ],
    [
      'without a resource policy',
      { caller, type: 'identity', identity: [own()] },
      'no-identity-policy-allows',
    ],
    ['who is no service', { policy: toService }, 'no-key-policy-allows'],
    ['a Deny that spares it', { caller, policy: [...toService, spared(logs)] }, 'I'],
    ['by name', { caller, policy: toService }, 'I'],
    ['everyone', { caller, policy: everyone }, 'E'],
    ['whatever binds accounts', { caller, policy: toService, serviceControl: [[deny()]] }, 'I'],
  ])

  test('across accounts, too', () => {
    assert.equal(
      decide(requestOf({ caller: { ...caller, account: abroad }, policy: toService })).allowed,
      true,
    )
  })
}
