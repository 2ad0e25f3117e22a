import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-sts'
import type { Caller } from '../../base/caller.ts'
import type { AccountId, Region } from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import { stsService } from './service.ts'

const account = '111122223333' as AccountId

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
  const { operations, deps } = stsService()
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

test('its members are those of AWS', () => {
  const operation = stsService().operations.get('GetCallerIdentity')
  assert.deepEqual(Object.keys(operation?.input.members ?? {}), sdk.GetCallerIdentityRequest$[4])
  assert.deepEqual(
    Object.keys(operation?.output?.members ?? {}).sort(),
    [...(sdk.GetCallerIdentityResponse$[4] as string[])].sort(),
  )
})

test('STS speaks the Query protocol of 2011-06-15', () => {
  const { operations: _, ...service } = stsService()
  assert.deepEqual(service, {
    signingName: 'sts',
    eventSource: 'sts.amazonaws.com',
    protocol: {
      name: 'query',
      version: '2011-06-15',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    deps: undefined,
  })
})
