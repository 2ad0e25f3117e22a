import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { House } from '../testing/house.ts'
import { policyDigest } from './policy-archive.ts'

const policy = (sid: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: sid, Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
  })

describe('the text of a policy is kept', () => {
  test('when the policy of a key is replaced, by whom it may be, and when the key is deleted', async (t) => {
    const house = await House.open(t)
    const { archive, state } = house.tables
    const KeyId = await house.newKey()
    const textOf = async () => (await house.ok('GetKeyPolicy', { KeyId }))['Policy'] as string
    const first = await textOf()
    const second = first.replace('Enable IAM User Permissions', 'Other')
    assert.notEqual(second, first)
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.deepEqual([archive.size, archive.text(policyDigest(first))], [1, first])
    await house.ok('UpdateKeyDescription', { KeyId, Description: 'the policy stays' })
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.equal(archive.size, 1)
    await house.ok('PutKeyPolicy', { KeyId, Policy: first })
    await house.ok('PutKeyPolicy', { KeyId, Policy: second })
    assert.equal(archive.size, 2, 'each text once')
    const [key] = [...state.keys.values()]
    assert.ok(key !== undefined)
    await house.mirror.commit([state.removeKey(key)], [])
    assert.equal(archive.text(policyDigest(second)), second)
  })

  test('when that of an identity changes or goes with it', async (t) => {
    const house = await House.open(t)
    const { archive, identities } = house.tables
    const user = await house.addUser({ name: 'ann', policies: [policy('a'), policy('b')] })
    const role = await house.addRole({ name: 'worker', policies: [policy('c')] })
    const group = await house.addGroup({ name: 'all', policies: [policy('d')] })
    const managed = await house.addPolicy('managed', policy('e'))
    const kept = () => 'abcdef'.split('').filter((sid) => archive.text(policyDigest(policy(sid))))
    const found = <T>(record: T | undefined): T => {
      assert.ok(record !== undefined)
      return record
    }
    const ann = found(identities.users.byId(user.id))
    const inline = { 'policy-0': policy('a') }
    await house.mirror.commit([identities.users.replace(ann, { ...ann, inline })], [])
    assert.deepEqual(kept(), ['b'])
    const worker = found(identities.roles.byId(role.id))
    await house.mirror.commit([identities.roles.remove(worker)], [])
    assert.deepEqual(kept(), ['b', 'c'])
    assert.equal(archive.text(policyDigest(worker.trustPolicy)), worker.trustPolicy)
    const all = found(identities.groups.byId(group.id))
    await house.mirror.commit([identities.groups.remove(all)], [])
    const policies = found(identities.policies.byId(managed.arn))
    const versions = [{ versionId: 'v2', text: policy('f'), createdAt: 0 }]
    const next = { ...policies, versions, defaultVersionId: 'v2' }
    await house.mirror.commit([identities.policies.replace(policies, next)], [])
    assert.deepEqual(kept(), ['b', 'c', 'd', 'e'])
    await house.removeIdentity(user.id)
    assert.deepEqual(kept(), ['a', 'b', 'c', 'd', 'e'])
  })

  test('when a guardrail changes', async (t) => {
    const house = await House.open(t)
    const { archive, guardrails } = house.tables
    const record = (text: string) => ({
      ...({ kind: 'service-control', name: 'limits', policyId: 'p-1', text } as const),
      ...{ createdAt: 0, updatedAt: 0 },
    })
    await house.mirror.commit([guardrails.put(record(policy('a')))], [])
    assert.equal(archive.size, 0)
    await house.mirror.commit([guardrails.put(record(policy('b')))], [])
    assert.equal(archive.text(policyDigest(policy('a'))), policy('a'))
  })

  test('by two processes at once: one of them is told that it met the other', async (t) => {
    const house = await House.open(t)
    const { archive } = house.tables
    const [put] = archive.supersede([policy('a')])
    assert.ok(put !== undefined)
    await house.mirror.commit([put], [])
    await assert.rejects(house.mirror.commit([put], []), { name: 'StoreConflict' })
    assert.deepEqual(archive.supersede([policy('a')]), [])
    assert.deepEqual(archive.supersede([policy('b')], [policy('b')]), [])
  })
})
