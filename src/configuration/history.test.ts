import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { presigned } from '../authenticate/testing/s3-signer.ts'
import { readRecords } from '../journal/reader.ts'
import { sendCommand, socketName } from '../operator/socket.ts'
import { account, EngineFolder, region } from '../testing/engine-folder.ts'
import type { StoredItem } from './item.ts'
import type { PolicyHistory } from './policy-history.ts'

const root = { AWS: `arn:aws:iam::${account}:root` }
const owner = { Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }
const policyOf = (...statements: object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [owner, ...statements] })
const everybody = {
  Effect: 'Allow',
  Principal: '*',
  Action: 'kms:Decrypt',
  Resource: '*',
}

const history = (folder: EngineFolder, key: string) => {
  const socket = relative(process.cwd(), join(folder.path, 'run', socketName('main')))
  return sendCommand(
    socket,
    'policy-history',
    { key, operator: 'test' },
    () => {},
  ) as Promise<PolicyHistory>
}

function itemsOf(folder: EngineFolder): StoredItem[] {
  const journal = join(folder.path, 'journal', 'main')
  return [...readRecords(journal, { kinds: ['item'] })].map(
    ({ record }) => JSON.parse(record) as StoredItem,
  )
}

async function withKey(context: TestContext) {
  const folder = new EngineFolder(context)
  const running = await folder.start()
  const { body } = await running.call('CreateKey', { Policy: policyOf() })
  const { KeyId, Arn } = body['KeyMetadata'] as { KeyId: string; Arn: string }
  return { folder, running, KeyId, Arn }
}

test('the history of a key that never was is refused', async (context) => {
  const { folder } = await withKey(context)
  await assert.rejects(history(folder, '00000000-0000-4000-8000-000000000000'), /There is no key/)
  await assert.rejects(history(folder, 'arn:aws:s3:::bucket'), /There is no bucket bucket, and/)
})

test('each version of a policy, with who, when, which event and what it newly allowed', async (context) => {
  const { folder, running, KeyId, Arn } = await withKey(context)
  const wide = policyOf(everybody)
  for (const Policy of [wide, wide, policyOf()]) {
    assert.equal((await running.call('PutKeyPolicy', { KeyId, Policy })).status, 200)
  }
  await running.call('DisableKey', { KeyId })
  const { key, versions, deletedAt } = await history(folder, KeyId)
  assert.deepEqual([key, deletedAt], [Arn, undefined])
  assert.deepEqual(
    versions.map(({ event, policy, newlyAllowed }) => [
      event?.name,
      event?.principal,
      policy,
      newlyAllowed?.result,
    ]),
    [
      ['CreateKey', root.AWS, policyOf(), undefined],
      ['PutKeyPolicy', root.AWS, wide, 'FAIL'],
      ['PutKeyPolicy', root.AWS, policyOf(), 'PASS'],
    ],
  )
  const events = folder.events()
  for (const { event } of versions) {
    assert.ok(events.some(({ eventID }) => eventID === event?.eventId))
  }
  assert.ok(versions[1]?.newlyAllowed?.findings.some((each) => each.permission === 'kms:Decrypt'))
  assert.ok(events.some(({ eventName }) => eventName === 'PolicyHistory'))
})

test('each version of the policy of a bucket, whoever has the name', async (context) => {
  const folder = new EngineFolder(context)
  const running = await folder.start()
  const endpoint = running.engine.endpoint ?? ''
  const ask = async (method: string, query: Record<string, string>, body?: string) => {
    const { accessKeyId, secretAccessKey: secret } = folder.key
    const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
    const headers = { host: new URL(endpoint).host }
    const target = presigned(
      { method, path: '/ledger', query, headers },
      { accessKeyId, secret, region, service: 's3', timestamp },
      60,
    )
    const answer = await fetch(`${endpoint}${target}`, { method, ...(body && { body }) })
    assert.ok(answer.ok, await answer.text())
  }
  const allowing = (Action: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: root, Action, Resource: 'arn:aws:s3:::ledger/*' }],
    })
  await ask('PUT', {})
  await ask('PUT', { policy: '' }, allowing('s3:GetObject'))
  await ask('DELETE', { publicAccessBlock: '' })
  await ask('PUT', { policy: '' }, allowing('s3:*'))
  await ask('DELETE', { policy: '' })
  await ask('DELETE', {})
  for (const text of ['s3://ledger', 'arn:aws:s3:::ledger']) {
    const { key, versions, deletedAt } = await history(folder, text)
    assert.equal(key, 'arn:aws:s3:::ledger')
    assert.ok(deletedAt !== undefined)
    assert.deepEqual(
      versions.map(({ event, policy, newlyAllowed }) => [event?.name, policy, newlyAllowed]),
      [
        ['PutBucketPolicy', allowing('s3:GetObject'), undefined],
        ['PutBucketPolicy', allowing('s3:*'), undefined],
        ['DeleteBucketPolicy', '', undefined],
      ],
    )
  }
  await ask('PUT', {})
  const present = await history(folder, 's3://ledger')
  assert.deepEqual([present.versions.length, present.deletedAt], [3, undefined])
})

test('resources of an older store are discovered once, and go on from there', async (context) => {
  const { folder, running, KeyId } = await withKey(context)
  const AliasName = 'alias/older'
  await running.call('CreateAlias', { AliasName, TargetKeyId: KeyId })
  await running.call('PutKeyPolicy', { KeyId, Policy: policyOf(everybody) })
  await running.stop()
  const before = itemsOf(folder).length
  const store = new DatabaseSync(join(folder.path, 'store', 'store.db'))
  store.exec(`DELETE FROM rows WHERE kind = 'configuration-discovery'`)
  store.close()
  for (const _ of [1, 2]) {
    const again = await folder.start()
    await until(
      () => again.logged.some((line) => line.startsWith('recorded 2')) || before > 99,
      1500,
    )
    await again.call('DescribeKey', { KeyId })
    await again.stop()
    const discovered = itemsOf(folder).slice(before)
    assert.deepEqual(
      discovered.map((item) => [item.resourceId, item.configurationItemStatus, item.relatedEvents]),
      [
        [AliasName, 'ResourceDiscovered', []],
        [KeyId, 'ResourceDiscovered', []],
      ],
    )
    assert.deepEqual([...new Set(discovered.map((item) => item.awsRegion))], [region])
  }
})

async function until(condition: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms
  while (!condition() && performance.now() < end) await new Promise((go) => setTimeout(go, 20))
}
