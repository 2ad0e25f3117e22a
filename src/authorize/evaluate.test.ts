// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import type { DenialReason, Path } from './decision.ts'
import { decide } from './evaluate.ts'
import {
  abroad,
  accountId,
  home,
  keyArn,
  layers,
  own,
  policy,
  root,
  type StatementJson,
  session,
  statement,
  user,
} from './test-samples.ts'

type Verdict = Path | DenialReason

type Case = {
  readonly caller: Caller
  readonly key: StatementJson | readonly StatementJson[]
  readonly identity?: StatementJson | readonly StatementJson[]
  readonly permission?: string
  readonly crossAccount?: boolean
}

function verdict({ caller, key, identity, permission, crossAccount }: Case): Verdict | undefined {
  const decision = decide({
    caller,
    permission: permission ?? 'kms:Decrypt',
    resource: {
      type: 'key',
      arn: keyArn,
      account: home,
      policy: policy(key),
      crossAccount: crossAccount ?? true,
    },
    conditions: [{ 'aws:username': 'alice' }],
    layers: layers({ identity: identity && [identity].flat() }),
  })
  return decision.allowed ? decision.path : decision.reason
}

const alice = user(home, 'alice')
const work = session(home, 'Worker', 'shift-1', '/ops/')
const roleArn = work.roleArn ?? ''
const foreign = user(abroad, 'bob')
const homeRoot = `arn:aws:iam::${home}:root`

const naming = (principal: unknown, changes: StatementJson = {}) =>
  statement({ Principal: { AWS: principal }, ...changes })
const denying = (principal: unknown) => naming(principal, { Effect: 'Deny' })

function table(cases: readonly [name: string, Case, Verdict][]): void {
  for (const [name, input, expected] of cases) assert.equal(verdict(input), expected, name)
}

test('the default is no', () => {
  const other = naming(user(home, 'other').arn)
  table([
    ['root', { caller: root(home), key: other }, 'no-key-policy-allows'],
    ['user', { caller: alice, key: other, identity: own() }, 'no-key-policy-allows'],
    ['session', { caller: work, key: other, identity: own() }, 'no-key-policy-allows'],
    ['stranger', { caller: root(abroad), key: other }, 'no-key-policy-allows'],
  ])
})

test('granting paths within the account', () => {
  table([
    ['A: the user', { caller: alice, key: naming(alice.arn) }, 'A'],
    ['A beats the account', { caller: alice, key: naming([homeRoot, alice.arn]) }, 'A'],
    ['B: the session', { caller: work, key: naming(work.arn) }, 'B'],
    ['B beats C', { caller: work, key: naming([roleArn, work.arn]) }, 'B'],
    ['C: the role, with its path', { caller: work, key: naming(roleArn) }, 'C'],
    ['E: everyone, bare', { caller: alice, key: statement() }, 'E'],
    ['E: everyone', { caller: root(home), key: naming('*') }, 'E'],
    ['E beats C', { caller: work, key: naming([roleArn, '*']) }, 'E'],
    ['F: account and identity', { caller: alice, key: naming(homeRoot), identity: own() }, 'F'],
    ['F: for a session', { caller: work, key: naming(home), identity: own() }, 'F'],
    ['G: the root user', { caller: root(home), key: naming(homeRoot) }, 'G'],
    ['G: by bare id', { caller: root(home), key: naming(home) }, 'G'],
  ])
})

test('the account statement delegates, and grants nobody but the root user', () => {
  const describeOnly = naming(home, { Action: 'kms:Describe*' })
  const noMatch = { StringEquals: { 'aws:username': 'somebody else' } }
  table([
    ['no identity policy', { caller: alice, key: naming(home) }, 'no-identity-policy-allows'],
    [
      'identity policy for another action',
      { caller: alice, key: naming(home), identity: own({ Action: 'kms:Encrypt' }) },
      'no-identity-policy-allows',
    ],
    [
      'identity policy for another key',
      { caller: alice, key: naming(home), identity: own({ Resource: `${keyArn}0` }) },
      'no-identity-policy-allows',
    ],
    [
      'delegation is per action',
      { caller: alice, key: describeOnly, identity: own() },
      'no-key-policy-allows',
    ],
    [
      'root has only what is delegated',
      { caller: root(home), key: describeOnly },
      'no-key-policy-allows',
    ],
    [
      'delegation is per condition',
      { caller: alice, key: naming(home, { Condition: noMatch }), identity: own() },
      'no-key-policy-allows',
    ],
    [
      'another account',
      { caller: alice, key: naming(abroad), identity: own() },
      'no-key-policy-allows',
    ],
  ])
})

test('an explicit deny beats every allow', () => {
  const all = statement()
  table([
    ['everyone', { caller: alice, key: [all, denying('*')] }, 'explicit-deny-in-key-policy'],
    ['first or last', { caller: alice, key: [denying('*'), all] }, 'explicit-deny-in-key-policy'],
    ['the account', { caller: alice, key: [all, denying(home)] }, 'explicit-deny-in-key-policy'],
    [
      'root by its account',
      { caller: root(home), key: [all, denying(home)] },
      'explicit-deny-in-key-policy',
    ],
    ['the role', { caller: work, key: [all, denying(roleArn)] }, 'explicit-deny-in-key-policy'],
    ['the session', { caller: work, key: [all, denying(work.arn)] }, 'explicit-deny-in-key-policy'],
    ['another session', { caller: work, key: [all, denying(`${work.arn}0`)] }, 'E'],
    ['another user', { caller: alice, key: [all, denying(user(home, 'bob').arn)] }, 'E'],
    [
      'an identity policy, without delegation',
      { caller: alice, key: naming(alice.arn), identity: own({ Effect: 'Deny' }) },
      'explicit-deny-in-identity-policy',
    ],
    [
      'the key policy is named first',
      { caller: alice, key: [all, denying('*')], identity: own({ Effect: 'Deny' }) },
      'explicit-deny-in-key-policy',
    ],
  ])
})

test('names and paths are compared exactly', () => {
  table([
    ['case', { caller: alice, key: naming(user(home, 'Alice').arn) }, 'no-key-policy-allows'],
    [
      'path',
      { caller: alice, key: naming(user(home, 'alice', '/x/').arn) },
      'no-key-policy-allows',
    ],
    [
      'a role without its path',
      { caller: work, key: naming(`arn:aws:iam::${home}:role/Worker`) },
      'no-key-policy-allows',
    ],
    [
      'a user of the same name elsewhere',
      { caller: user(abroad, 'alice'), key: naming(alice.arn) },
      'no-key-policy-allows',
    ],
  ])
})

test('service principals and federated users are accepted and match nobody', () => {
  const service = statement({ Principal: { Service: 'logs.eu-west-1.amazonaws.com' } })
  const federated = naming(`arn:aws:sts::${home}:federated-user/alice`)
  for (const caller of [root(home), alice, work, foreign]) {
    assert.equal(verdict({ caller, key: [service, federated] }), 'no-key-policy-allows')
  }
})

test('NotPrincipal grants less in both effects', () => {
  const not = (effect: string, arns: readonly string[]) =>
    statement({ Effect: effect, Principal: undefined, NotPrincipal: { AWS: arns } })
  const denies = (arns: readonly string[]) => [statement(), not('Deny', arns)]
  table([
    ['the role alone', { caller: work, key: denies([roleArn]) }, 'explicit-deny-in-key-policy'],
    [
      'role and account',
      { caller: work, key: denies([roleArn, home]) },
      'explicit-deny-in-key-policy',
    ],
    ['all three', { caller: work, key: denies([roleArn, home, work.arn]) }, 'E'],
    ['the user alone', { caller: alice, key: denies([alice.arn]) }, 'explicit-deny-in-key-policy'],
    ['user and account', { caller: alice, key: denies([alice.arn, home]) }, 'E'],
    ['root by account', { caller: root(home), key: denies([homeRoot]) }, 'E'],
    ['allow: others', { caller: alice, key: not('Allow', [roleArn]) }, 'E'],
    ['allow: not the role', { caller: work, key: not('Allow', [roleArn]) }, 'no-key-policy-allows'],
    [
      'allow: not the account',
      { caller: alice, key: not('Allow', [home]) },
      'no-key-policy-allows',
    ],
  ])
})

test('actions match without regard to case, resources with regard to it', () => {
  const action = (Action: unknown) => statement({ Action })
  const resource = (Resource: unknown) => statement({ Resource })
  const root0 = root(home)
  const no = 'no-key-policy-allows'
  table([
    ['exact', { caller: root0, key: action('kms:Decrypt') }, 'E'],
    ['folded', { caller: root0, key: action('KMS:dECRYPT') }, 'E'],
    ['list', { caller: root0, key: action(['kms:Encrypt', 'kms:Decrypt']) }, 'E'],
    ['star', { caller: root0, key: action('*') }, 'E'],
    ['prefix', { caller: root0, key: action('kms:De*') }, 'E'],
    ['one', { caller: root0, key: action('kms:?ecrypt') }, 'E'],
    [
      'both ReEncrypt sides',
      { caller: root0, permission: 'kms:ReEncryptFrom', key: action('kms:ReEncrypt*') },
      'E',
    ],
    ['other', { caller: root0, key: action('kms:Encrypt') }, no],
    ['other service', { caller: root0, key: action('s3:*') }, no],
    ['part', { caller: root0, key: action('kms:Decryp') }, no],
    [
      'not other',
      { caller: root0, key: statement({ Action: undefined, NotAction: 'kms:Encrypt' }) },
      'E',
    ],
    ['not this', { caller: root0, key: statement({ Action: undefined, NotAction: 'KMS:D*' }) }, no],
    ['this key', { caller: root0, key: resource(keyArn) }, 'E'],
    ['a pattern', { caller: root0, key: resource(`arn:aws:kms:*:${home}:key/*`) }, 'E'],
    ['another key', { caller: root0, key: resource(`${keyArn.slice(0, -1)}c`) }, no],
    [
      'another case',
      { caller: root0, key: resource(keyArn.toUpperCase().replace('ARN', 'arn')) },
      no,
    ],
    [
      'NotResource other',
      { caller: root0, key: statement({ Resource: undefined, NotResource: `${keyArn}x` }) },
      'E',
    ],
    [
      'NotResource this',
      { caller: root0, key: statement({ Resource: undefined, NotResource: '*' }) },
      no,
    ],
    [
      'a variable',
      { caller: root0, key: resource(`arn:aws:kms:*:*:key/*\${aws:username, 'b'}`) },
      no,
    ],
    ['an absent variable', { caller: root0, key: resource('arn:aws:kms:*:*:${aws:absent}*') }, no],
    [
      'an absent variable in NotResource',
      {
        caller: root0,
        key: statement({ Resource: undefined, NotResource: 'arn:aws:kms:*:*:${aws:absent}' }),
      },
      no,
    ],
    ['a default', { caller: root0, key: resource("arn:aws:kms:*:*:${aws:absent, 'key'}/*") }, 'E'],
  ])
})

test('a statement without Action or Resource is inert, allow and deny alike', () => {
  for (const member of ['Action', 'Resource']) {
    const inert = statement({ [member]: undefined })
    assert.equal(verdict({ caller: root(home), key: inert }), 'no-key-policy-allows')
    assert.equal(
      verdict({ caller: root(home), key: [statement(), { ...inert, Effect: 'Deny' }] }),
      'E',
    )
  }
})

test('across accounts both sides must allow', () => {
  const stranger = root(abroad)
  table([
    ['root, named by account', { caller: stranger, key: naming(abroad) }, 'G'],
    ['root, everyone', { caller: stranger, key: statement() }, 'E'],
    ['root, other account named', { caller: stranger, key: naming(home) }, 'no-key-policy-allows'],
    [
      'user, key side only',
      { caller: foreign, key: naming(foreign.arn) },
      'no-identity-policy-allows',
    ],
    ['user, everyone', { caller: foreign, key: statement() }, 'no-identity-policy-allows'],
    [
      'user, own side only',
      { caller: foreign, key: naming(home), identity: own() },
      'no-key-policy-allows',
    ],
    ['user, both', { caller: foreign, key: naming(foreign.arn), identity: own() }, 'A'],
    [
      'user, account and own',
      { caller: foreign, key: naming(abroad), identity: own({ Resource: keyArn }) },
      'F',
    ],
    [
      'deny of the key',
      { caller: stranger, key: [statement(), denying(abroad)] },
      'explicit-deny-in-key-policy',
    ],
    [
      'own deny',
      { caller: foreign, key: statement(), identity: own({ Effect: 'Deny' }) },
      'explicit-deny-in-identity-policy',
    ],
    [
      'the key side speaks first',
      { caller: foreign, key: naming(home), identity: own({ Effect: 'Deny' }) },
      'no-key-policy-allows',
    ],
  ])
})

test('an operation that no other account may call is refused before any policy is read', () => {
  const input = { crossAccount: false, key: statement(), identity: own() }
  for (const caller of [root(abroad), foreign]) {
    assert.equal(verdict({ ...input, caller }), 'cross-account-operation')
  }
  assert.equal(verdict({ ...input, caller: root(home) }), 'E')
})

test('without a resource policy the identity policies of the account decide', () => {
  const ask = (caller: Caller, identity?: StatementJson, account = home) =>
    decide({
      caller,
      permission: 'kms:CreateKey',
      resource: { type: 'identity', arn: '*', account },
      conditions: [],
      layers: layers({ identity: identity && [identity] }),
    })
  assert.deepEqual(ask(root(home)), { allowed: true, reason: 'account-root' })
  assert.deepEqual(ask(alice), { allowed: false, reason: 'no-identity-policy-allows' })
  assert.deepEqual(ask(work), { allowed: false, reason: 'no-identity-policy-allows' })
  assert.deepEqual(ask(alice, own()), { allowed: true, reason: 'identity-policy' })
  assert.deepEqual(ask(alice, own({ Resource: 'arn:aws:kms:*:*:alias/a' })), {
    allowed: false,
    reason: 'no-identity-policy-allows',
  })
  assert.deepEqual(ask(alice, own({ Effect: 'Deny' })), {
    allowed: false,
    reason: 'explicit-deny-in-identity-policy',
  })
  for (const caller of [root(abroad), foreign]) {
    assert.deepEqual(ask(caller, own()), { allowed: false, reason: 'no-identity-policy-allows' })
  }
  assert.equal(ask(root(home), undefined, accountId('000000000000')).allowed, false)
})

test('several identity policies: any may allow, any may deny', () => {
  const ask = (...identity: StatementJson[]) =>
    decide({
      caller: alice,
      permission: 'kms:Decrypt',
      resource: {
        type: 'key',
        arn: keyArn,
        account: home,
        policy: policy(naming(home)),
        crossAccount: true,
      },
      conditions: [],
      layers: layers({ identity }),
    }).allowed
  const other = own({ Action: 'kms:Encrypt' })
  assert.equal(ask(other, own()), true)
  assert.equal(ask(other), false)
  assert.equal(ask(own(), { ...own(), Effect: 'Deny' }), false)
})

test('a grant allows what nothing denies, and is asked for when no policy allows', () => {
  const asked = (caller: Caller, key: StatementJson, identity?: StatementJson) => {
    let times = 0
    const decision = decide({
      caller,
      permission: 'kms:Decrypt',
      resource: {
        ...{ type: 'key', arn: keyArn, account: home, crossAccount: true },
        policy: policy([key, statement({ Action: 'kms:Other' })]),
      },
      conditions: [],
      grant: () => {
        times += 1
        return { grantId: 'grant-1', grantee: 'user' } as const
      },
      layers: layers({ identity: identity && [identity] }),
    })
    return [decision.allowed ? (decision.path ?? '') : decision.reason, times]
  }
  const denies = own({ Effect: 'Deny' })
  const nobody = naming(user(home, 'nobody').arn)
  for (const caller of [root(home), alice, work, root(abroad), foreign]) {
    assert.deepEqual(asked(caller, nobody), ['H', 1])
    assert.deepEqual(asked(caller, naming('*', { Effect: 'Deny' })), [
      'explicit-deny-in-key-policy',
      0,
    ])
  }
  assert.deepEqual(asked(alice, naming(home)), ['H', 1])
  assert.deepEqual(asked(foreign, naming(abroad)), ['H', 1])
  assert.deepEqual(asked(alice, nobody, denies), ['explicit-deny-in-identity-policy', 0])
  assert.deepEqual(asked(foreign, nobody, denies), ['explicit-deny-in-identity-policy', 1])
  assert.deepEqual(asked(foreign, naming(abroad), denies), ['explicit-deny-in-identity-policy', 0])
  assert.deepEqual(asked(alice, naming(alice.arn)), ['A', 0])
  assert.deepEqual(asked(alice, naming(home), own()), ['F', 0])
  assert.deepEqual(asked(root(home), naming(home)), ['G', 0])
  assert.deepEqual(asked(root(abroad), naming(abroad)), ['G', 0])
})

test('a decision names its grant, and none opens an operation to other accounts', () => {
  const request = {
    caller: root(abroad),
    permission: 'kms:Decrypt',
    conditions: [],
    grant: () => ({ grantId: 'grant-1', grantee: 'account' }) as const,
  }
  const key = policy(naming(home))
  const decided = (crossAccount: boolean) =>
    decide({
      ...request,
      resource: { type: 'key', arn: keyArn, account: home, policy: key, crossAccount },
    })
  const grantId = 'grant-1'
  assert.deepEqual(decided(true), { allowed: true, reason: 'grant', path: 'H', grantId })
  assert.deepEqual(decided(false), { allowed: false, reason: 'cross-account-operation' })
})
