import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Mirror } from './storage/mirror.ts'
import { textDigest } from './storage/port.ts'
import { openSqliteStore } from './storage/sqlite/store.ts'
import { newStorePath } from './storage/sqlite/testing/directory.ts'
import { declareTables } from './tables.ts'
import { collectGarbage } from './testing/garbage.ts'
import { House } from './testing/house.ts'

const policy = (sid: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: sid, Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
  })

const guardrail = (text: string) => ({
  ...({ kind: 'service-control', name: 'limits', policyId: 'p-1', text } as const),
  ...{ createdAt: 0, updatedAt: 0 },
})

describe('the text of a policy is archived', () => {
  test('when the policy of a key is replaced, by whom it may be, and when the key is deleted', async (t) => {
    const house = await House.open(t)
    const { state } = house.tables
    const { archive } = house.shared
    const KeyId = await house.newKey()
    const textOf = async () => (await house.ok('GetKeyPolicy', { KeyId }))['Policy'] as string
    const first = await textOf()
    const second = first.replace('Enable IAM User Permissions', 'Other')
    assert.notEqual(second, first)
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.deepEqual([...archive], [[textDigest(first), first]])
    await house.ok('UpdateKeyDescription', { KeyId, Description: 'the policy stays' })
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.equal(archive.size, 1)
    await house.ok('PutKeyPolicy', { KeyId, Policy: first })
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.equal(archive.size, 2, 'each text once')
    archive.clear()
    const [key] = [...state.keys.values()]
    assert.ok(key !== undefined)
    await house.mirror.commit([state.removeKey(key)], [])
    assert.deepEqual([...archive.values()], [second])
  })

  test('when that of an identity changes or goes with it', async (t) => {
    const house = await House.open(t)
    const { identities } = house.tables
    const user = await house.addUser({ name: 'ann', policies: [policy('a'), policy('b')] })
    const role = await house.addRole({ name: 'worker', policies: [policy('c')] })
    const group = await house.addGroup({ name: 'all', policies: [policy('d')] })
    const managed = await house.addPolicy('managed', policy('e'))
    const kept = (text: string) => house.shared.archive.get(textDigest(text)) === text
    const keptOnes = () => 'abcdef'.split('').filter((sid) => kept(policy(sid)))
    const found = <T>(record: T | undefined): T => {
      assert.ok(record !== undefined)
      return record
    }
    const ann = found(identities.users.byId(user.id))
    const inline = { 'policy-0': policy('a') }
    await house.mirror.commit([identities.users.replace(ann, { ...ann, inline })], [])
    assert.deepEqual(keptOnes(), ['b'])
    const worker = found(identities.roles.byId(role.id))
    await house.mirror.commit([identities.roles.remove(worker)], [])
    assert.deepEqual(keptOnes(), ['b', 'c'])
    assert.ok(kept(worker.trustPolicy))
    const all = found(identities.groups.byId(group.id))
    await house.mirror.commit([identities.groups.remove(all)], [])
    const policies = found(identities.policies.byId(managed.arn))
    const versions = [{ versionId: 'v2', text: policy('f'), createdAt: 0 }]
    const next = { ...policies, versions, defaultVersionId: 'v2' }
    await house.mirror.commit([identities.policies.replace(policies, next)], [])
    assert.deepEqual(keptOnes(), ['b', 'c', 'd', 'e'])
    await house.removeIdentity(user.id)
    assert.deepEqual(keptOnes(), ['a', 'b', 'c', 'd', 'e'])
  })

  test('when a guardrail changes', async (t) => {
    const house = await House.open(t)
    const { guardrails } = house.tables
    await house.mirror.commit([guardrails.put(guardrail(policy('a')))], [])
    assert.equal(house.shared.archive.size, 0)
    await house.mirror.commit([guardrails.put(guardrail(policy('b')))], [])
    assert.deepEqual([...house.shared.archive.values()], [policy('a')])
  })

  test('and not when the commit that replaces it fails', async (t) => {
    const house = await House.open(t)
    const { guardrails } = house.tables
    const stale = guardrails.put(guardrail(policy('a')))
    await house.mirror.commit([stale], [])
    const late = { ...stale, body: JSON.stringify(guardrail(policy('b'))) }
    await assert.rejects(house.mirror.commit([late], []), { name: 'StoreConflict' })
    assert.equal(house.shared.archive.size, 0)
  })
})

test('of many archived texts a process keeps none in memory: who wrote, who read along, who starts', async (t) => {
  const file = newStorePath(t)
  const open = async () => {
    const store = await openSqliteStore({ file })
    const mirror = new Mirror(store)
    const { guardrails } = declareTables(mirror)
    await mirror.load()
    return { store, mirror, guardrails }
  }
  const [writer, reader] = [await open(), await open()]
  const long = (n: number) => `${n}`.padEnd(31_000, ' policy')
  const used = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const write = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await writer.mirror.commit([writer.guardrails.put(guardrail(long(n)))], [])
      await reader.mirror.refresh()
    }
  }
  await write(0, 10)
  const before = used()
  await write(10, 210)
  const late = await open()
  const grown = used() - before
  assert.ok(grown < 1_000_000, `${grown} bytes for 200 texts of 31 KB`)
  for (const { mirror, guardrails, store } of [writer, reader, late]) {
    await mirror.refresh()
    assert.equal(guardrails.policy('service-control', 'limits')?.text, long(209))
    for (const n of [0, 100, 208]) assert.equal(await store.archived(textDigest(long(n))), long(n))
    await store.close()
  }
})
