import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import { decideAndCount } from './evaluate.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from './layers.ts'
import { compilePolicy } from './policy/compile.ts'
import type { PolicyKind } from './policy/document.ts'
import type { AccessRequest } from './request.ts'
import { wouldAllow } from './would-allow.ts'

const account = '111122223333' as AccountId
const other = '444455556666' as AccountId
const ann: Caller = {
  ...{ type: 'user', account, arn: `arn:aws:iam::${account}:user/ann` },
  ...{ principalId: 'AIDAAAAAAAAAAAAAAAAAA', accessKeyId: '', userName: 'ann' },
}
const arn = `arn:aws:kms:us-east-1:${account}:key/k`

const text = (...statements: object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...more })
const deny = (more: object = {}) => ({ ...allow(more), Effect: 'Deny' })
const delegating = allow({ Principal: { AWS: account } })
const sourced = (name: string, kind: PolicyKind, ...statements: object[]): SourcedPolicy => ({
  ...{ name, version: undefined },
  policy: compilePolicy(text(...statements), kind),
})

function request(
  layers: Partial<CallerLayers>,
  key: readonly object[] = [delegating],
  more: Partial<AccessRequest> = {},
): AccessRequest {
  const policy = compilePolicy(text(...key))
  return {
    ...{ caller: ann, permission: 'kms:Decrypt', conditions: [] },
    resource: { type: 'key', arn, account, policy, crossAccount: true },
    layers: { ...noLayers, ...layers },
    ...more,
  }
}

const identity = [sourced('own', 'identity', allow())]
const byName = { type: 'name-caller', principal: ann.arn }
const byIdentity = { type: 'allow', layer: 'identity-policy', level: undefined }

describe('what would have allowed a call', () => {
  test('nothing, where it is allowed', () => {
    assert.deepEqual(wouldAllow(request({ identity })), [])
  })

  test('the statement that denies it, gone', () => {
    const layers = { identity: [sourced('own', 'identity', allow(), deny({ Sid: 'No' }))] }
    assert.deepEqual(wouldAllow(request(layers)), [
      [{ type: 'remove-statement', layer: 'identity-policy', policy: 'own', index: 1, sid: 'No' }],
    ])
    const key = [delegating, deny({ Principal: '*' })]
    assert.deepEqual(wouldAllow(request({ identity }, key)), [
      [{ type: 'remove-statement', layer: 'key-policy', policy: arn, index: 1, sid: undefined }],
    ])
  })

  test('both of two that deny it, and nothing where three do', () => {
    const denying = (count: number) =>
      request({ identity: [sourced('own', 'identity', allow(), ...Array(count).fill(deny()))] })
    const pairs = wouldAllow(denying(2))
    assert.deepEqual(
      pairs.map((pair) => pair.map((change) => 'index' in change && change.index)),
      [[1, 2]],
    )
    assert.deepEqual(wouldAllow(denying(3)), [])
  })

  test('a policy of the layer that withholds it', () => {
    const boundary = sourced('limit', 'identity', allow({ Action: 'kms:Encrypt' }))
    assert.deepEqual(wouldAllow(request({ identity, boundary })), [
      [{ type: 'allow', layer: 'permissions-boundary', level: undefined }],
      [byName],
      [{ type: 'grant' }],
    ])
    const levels = [
      [sourced('all', 'service-control', allow({ Action: '*' }))],
      [sourced('some', 'service-control', allow({ Action: 's3:*' }))],
    ]
    assert.deepEqual(wouldAllow(request({ identity, serviceControl: levels })), [
      [{ type: 'allow', layer: 'service-control-policy', level: 1 }],
    ])
    const emptied = { identity, serviceControl: [levels[0] ?? [], []] }
    assert.deepEqual(wouldAllow(request(emptied)), [
      [{ type: 'allow', layer: 'service-control-policy', level: 1 }],
    ])
    const session = { identity, session: [] }
    assert.deepEqual(wouldAllow(request(session))[0], [
      { type: 'allow', layer: 'session-policy', level: undefined },
    ])
    const control = [
      [sourced('some', 'resource-control', allow({ Principal: '*', Action: 's3:*' }))],
    ]
    assert.deepEqual(
      wouldAllow(request({ identity }, [delegating], { resourceControl: control })),
      [[{ type: 'allow', layer: 'resource-control-policy', level: 0 }]],
    )
  })

  test('a delegation, the caller’s name or a grant, where the key policy is silent', () => {
    const key = [allow({ Principal: { AWS: 'AIDABBBBBBBBBBBBBBBBB' } })]
    assert.deepEqual(wouldAllow(request({ identity }, key)), [
      [{ type: 'delegate', account }],
      [byName],
      [{ type: 'grant' }],
    ])
    assert.deepEqual(wouldAllow(request({}, key)), [[byName], [{ type: 'grant' }]])
  })

  test('what the request would have to say', () => {
    const condition = (StringEquals: object) => allow({ Condition: { StringEquals } })
    const one = {
      identity: [sourced('own', 'identity', condition({ 'kms:EncryptionContext:team': 'blue' }))],
    }
    const pair = { type: 'condition', key: 'kms:EncryptionContext:team', value: 'blue' }
    assert.deepEqual(wouldAllow(request(one)), [
      [byIdentity],
      [byName],
      [{ type: 'grant' }],
      [pair],
    ])
    const variable = '$' + '{aws:username}'
    const own = {
      identity: [sourced('own', 'identity', condition({ 'kms:EncryptionContext:team': variable }))],
    }
    const asAnn = { conditions: [{ 'aws:username': 'ann', 'kms:EncryptionContext:Team': 'red' }] }
    assert.deepEqual(wouldAllow(request(own, undefined, asAnn)).at(-1), [{ ...pair, value: 'ann' }])
    const transport = deny({
      Principal: '*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    })
    const inClear = { conditions: [{ 'aws:SecureTransport': 'false' }] }
    assert.deepEqual(wouldAllow(request({ identity }, [delegating, transport], inClear)).slice(1), [
      [{ type: 'condition', key: 'aws:SecureTransport', value: 'true' }],
      [{ type: 'condition', key: 'aws:SecureTransport', value: null }],
    ])
  })

  test('never who the caller is', () => {
    const layers = {
      identity: [
        sourced(
          'own',
          'identity',
          allow({ Condition: { StringEquals: { 'aws:username': 'bob' } } }),
        ),
      ],
    }
    const types = wouldAllow(request(layers)).flatMap((changes) => changes.map(({ type }) => type))
    assert.deepEqual(types, ['allow', 'name-caller', 'grant'])
  })

  test('of a stranger: both accounts', () => {
    const stranger = { caller: { ...ann, account: other } }
    const pairs = wouldAllow(request({}, [delegating], stranger))
    assert.deepEqual(pairs, [[{ type: 'grant' }]])
    const denied = wouldAllow(
      request({ identity: [sourced('own', 'identity', deny())] }, [delegating], stranger),
    )
    assert.ok(
      denied.some(([one, two]) => one?.type === 'remove-statement' && two?.type === 'grant'),
    )
  })

  test('nothing, where AWS lets no other account call', () => {
    const policy = compilePolicy(text(allow({ Principal: '*' })))
    const resource = { type: 'key', arn, account, policy, crossAccount: false } as const
    const stranger = { caller: { ...ann, account: other }, resource }
    assert.deepEqual(wouldAllow(request({ identity }, [delegating], stranger)), [])
  })
})

test('nobody waits long for the answer, whatever the policies are', () => {
  const patterns = Array.from({ length: 60 }, (_, i) => `*${'ab'.repeat(60)}${i}?*`)
  const asked = { 'kms:EncryptionContextKeys': patterns }
  const slow = deny({
    Principal: { AWS: '*' },
    Condition: { 'ForAllValues:StringNotLike': asked },
  })
  const hints = Array.from({ length: 30 }, (_, i) =>
    allow({
      Principal: '*',
      Condition: { StringEquals: { [`kms:EncryptionContext:k${i}`]: 'v' } },
    }),
  )
  const denials = ['a', 'b', 'c'].map((name) => sourced(name, 'identity', deny()))
  const names = Array.from({ length: 7 }, (_, i) => `${'ab'.repeat(59)}c`.repeat(4).slice(29) + i)
  const heavy = request({ identity: denials }, [...hints, slow], {
    conditions: [{ 'kms:EncryptionContextKeys': names }],
  })
  assert.ok(decideAndCount(heavy).work > 16 * 1024 * 1024)
  const begin = process.cpuUsage().user
  assert.deepEqual(wouldAllow(heavy), [])
  assert.ok(process.cpuUsage().user - begin < 3_000_000, 'more than three seconds')
})
