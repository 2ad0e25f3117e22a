import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AccountId } from '../base/ids.ts'
import { createMemoryStore } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import { allowAll, type GuardrailRecord, Organization } from './organization.ts'

const account = '111122223333' as AccountId
const other = '444455556666' as AccountId
const text =
  '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}'
const guardrail: GuardrailRecord = {
  kind: 'service-control',
  name: 'NoKeys',
  policyId: 'p-0123456789',
  text,
  createdAt: 1,
  updatedAt: 1,
}

async function opened() {
  const mirror = new Mirror(createMemoryStore())
  const organization = new Organization(mirror, () => ({ account, createdAt: 5 }))
  await mirror.load()
  return { mirror, organization }
}

describe('an organisation', () => {
  test('has no levels while nobody changed what is attached', async () => {
    const { mirror, organization } = await opened()
    await mirror.commit([organization.put(guardrail)], [])
    assert.deepEqual(organization.serviceControl(account), [])
    assert.deepEqual(organization.resourceControl(account), [])
    assert.deepEqual(organization.attachedTo('service-control', account), ['p-FullAWSAccess'])
  })

  test('has a level for itself and one for the account, and other accounts keep what allows all', async () => {
    const { mirror, organization } = await opened()
    const attached = ['p-FullAWSAccess', guardrail.policyId]
    await mirror.commit(
      [organization.put(guardrail), organization.attach('service-control', account, attached)],
      [],
    )
    const full = allowAll['service-control']
    const arn = organization.arnOf(guardrail)
    assert.deepEqual(organization.serviceControl(account), [[full], [full, { arn, text }]])
    assert.deepEqual(organization.serviceControl(other), [[full], [full]])
    assert.deepEqual(organization.targetsOf(guardrail.policyId), [account])
  })

  test('keeps a level from which everything was detached: it allows nothing', async () => {
    const { mirror, organization } = await opened()
    await mirror.commit([organization.attach('service-control', 'organization', [])], [])
    assert.deepEqual(organization.serviceControl(account), [[], [allowAll['service-control']]])
  })

  test('leaves out of a level a policy that is gone', async () => {
    const { mirror, organization } = await opened()
    await mirror.commit(
      [organization.attach('service-control', account, ['p-gone', 'p-FullAWSAccess'])],
      [],
    )
    assert.deepEqual(organization.serviceControl(account)[1], [allowAll['service-control']])
  })

  test('has a greater revision after every change', async () => {
    const { mirror, organization } = await opened()
    const revisions = [organization.revision]
    await mirror.commit([organization.put(guardrail)], [])
    revisions.push(organization.revision)
    await mirror.commit([organization.attach('service-control', account, [])], [])
    revisions.push(organization.revision)
    const present = organization.policy('service-control', 'NoKeys')
    assert.ok(present !== undefined)
    await mirror.commit([organization.remove(present)], [])
    revisions.push(organization.revision)
    assert.equal(new Set(revisions).size, 4)
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      revisions,
    )
  })

  test('names its policies by its id and the account that was founded first', async () => {
    const { organization } = await opened()
    assert.match(organization.organizationId, /^o-[0-9a-f]{10}$/)
    assert.equal(
      organization.arnOf(guardrail),
      `arn:aws:organizations::${account}:policy/${organization.organizationId}/service_control_policy/p-0123456789`,
    )
  })

  test('does not write over a policy that somebody else changed', async () => {
    const { mirror, organization } = await opened()
    await mirror.commit([organization.put(guardrail)], [])
    const seen = organization.policy('service-control', 'nokeys')
    assert.ok(seen !== undefined)
    await mirror.commit([organization.put({ ...guardrail, updatedAt: 2 })], [])
    assert.throws(() => organization.remove(seen), { name: 'StoreConflict' })
  })
})
