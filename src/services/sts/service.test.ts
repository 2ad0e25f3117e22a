import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-sts'
import type { Caller } from '../../base/caller.ts'
import type { AccountId, Region } from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import type { StsDeps } from './deps.ts'
import { stsOperations, stsService } from './service.ts'

const account = '111122223333' as AccountId

/** What these operations do not ask for. */
const none = {} as StsDeps

function contextOf(caller: Caller): CallContext {
  return {
    caller,
    region: 'us-east-1' as Region,
    now: 0,
    requestId: 'request',
    globalConditions: {},
  }
}

const root: Caller = {
  type: 'root',
  account,
  arn: `arn:aws:iam::${account}:root`,
  principalId: account,
  accessKeyId: 'AKIDEXAMPLE',
}
const user: Caller = {
  ...root,
  type: 'user',
  arn: `arn:aws:iam::${account}:user/path/name`,
  principalId: 'AIDAEXAMPLE',
  userName: 'name',
}

test('GetCallerIdentity says who signed and needs no permission', async () => {
  const { operations, deps } = stsService(none)
  const operation = operations.get('GetCallerIdentity')
  assert.ok(operation)
  for (const caller of [root, user]) {
    const call = contextOf(caller)
    const target = operation.resolve(call, {}, deps)
    assert.deepEqual(operation.checks(call, {}, target, deps), [])
    const { output, changes } = await operation.handle(call, {}, target, deps)
    assert.deepEqual(output, { UserId: caller.principalId, Account: account, Arn: caller.arn })
    assert.equal(changes, undefined)
    assert.equal(operation.audit.request({}, target), null)
  }
})

type SdkShape = readonly unknown[]

/** Members of a shape of the SDK, by their names. */
function sdkMembers(shape: SdkShape): readonly string[] {
  return [...(shape[4] as string[])].sort()
}

const shapes: Readonly<Record<string, readonly [SdkShape, SdkShape]>> = {
  AssumeRole: [sdk.AssumeRoleRequest$, sdk.AssumeRoleResponse$],
  GetAccessKeyInfo: [sdk.GetAccessKeyInfoRequest$, sdk.GetAccessKeyInfoResponse$],
  GetCallerIdentity: [sdk.GetCallerIdentityRequest$, sdk.GetCallerIdentityResponse$],
  GetSessionToken: [sdk.GetSessionTokenRequest$, sdk.GetSessionTokenResponse$],
}

for (const [name, [request, response]] of Object.entries(shapes)) {
  test(`the members of ${name} are those of AWS`, () => {
    const operation = stsOperations.get(name)
    assert.ok(operation)
    assert.deepEqual(Object.keys(operation.input.members).sort(), sdkMembers(request))
    assert.deepEqual(Object.keys(operation.output?.members ?? {}).sort(), sdkMembers(response))
  })
}

test('STS speaks the Query protocol of 2011-06-15', () => {
  const { operations: _, requestPool, ...service } = stsService(none)
  assert.equal(requestPool?.('AssumeRole', undefined), 'sts')
  assert.deepEqual(service, {
    signingName: 'sts',
    eventSource: 'sts.amazonaws.com',
    protocol: {
      name: 'query',
      version: '2011-06-15',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    deps: none,
  })
})
