import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId, Region } from '../../base/ids.ts'
import type { LookupQuery } from '../../journal/port.ts'
import type { CallContext } from '../operation.ts'
import type { IamDeps } from './deps.ts'
import { getAccessKeyLastUsed } from './operations/access-key-last-used.ts'

const account = '111122223333' as AccountId
const key = {
  accessKeyId: 'AKIAAAAAAAAAAAAAAAAA',
  account,
  status: 'Active',
  sealedSecret: '',
  createdAt: 0,
} as const
const now = Date.parse('2026-05-06T07:08:09Z')

const record = (eventTime: string, eventSource: string, awsRegion: string) =>
  JSON.stringify({ eventTime, eventSource, awsRegion })

async function lastUse(found: Readonly<Record<string, readonly string[]>>) {
  const queries: LookupQuery[] = []
  const deps = {
    regions: ['eu-west-1', 'eu-central-1'] as Region[],
    lookup: {
      find: async (query: LookupQuery) => {
        queries.push(query)
        return { records: found[query.region] ?? [], next: undefined }
      },
    },
  } as unknown as IamDeps
  const call = { caller: { account }, region: 'us-east-1', now } as unknown as CallContext
  const request = { AccessKeyId: key.accessKeyId }
  const target = { key, user: undefined }
  const { output } = await getAccessKeyLastUsed.handle(call, request, target, deps)
  return { queries, used: output.AccessKeyLastUsed }
}

test('the newest use in any Region counts', async () => {
  const { queries, used } = await lastUse({
    'us-east-1': [record('2026-05-01T00:00:00Z', 'iam.amazonaws.com', 'us-east-1')],
    'eu-west-1': [record('2026-05-02T00:00:00Z', 'kms.amazonaws.com', 'eu-west-1')],
  })
  assert.deepEqual(used, {
    LastUsedDate: Date.parse('2026-05-02T00:00:00Z'),
    ServiceName: 'kms',
    Region: 'eu-west-1',
  })
  const attribute = { key: 'AccessKeyId', value: key.accessKeyId }
  const asked = { account, attribute, from: 0, to: now, limit: 1 }
  assert.deepEqual(queries, [
    { ...asked, region: 'eu-west-1' },
    { ...asked, region: 'eu-central-1' },
    { ...asked, region: 'us-east-1' },
  ])
})

test('a key that was never used', async () => {
  const { used } = await lastUse({})
  assert.deepEqual(used, { ServiceName: 'N/A', Region: 'N/A' })
})
