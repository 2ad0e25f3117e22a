import assert from 'node:assert/strict'
import { createPublicKey, hash, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { systemRandom } from '../../base/random.ts'
import { SharedRows } from '../../storage/memory/store.ts'
import { Mirror } from '../../storage/mirror.ts'
import { declareTables } from '../../tables.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { account, House, region } from '../../testing/house.ts'
import { DomainKeys } from '../../upkeep/domain-keys.ts'
import { Forgetting } from '../../upkeep/forgetting.ts'
import { materialRow } from '../kms/state.ts'
import type { DigestPublicKey } from './delivery.ts'
import { DigestKeys } from './digest-keys.ts'

const yearMs = 365 * 86_400_000
const text = Buffer.from('what is signed')

/** As whoever has PKCS#1 and a fingerprint alone checks it. */
function verifies({ value, fingerprint }: DigestPublicKey, signature: Buffer): boolean {
  assert.equal(fingerprint, hash('md5', value, 'hex'))
  const key = createPublicKey({ key: value, format: 'der', type: 'pkcs1' })
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048)
  return verify('sha256', text, key, signature)
}

describe('the key of a Region that signs digests', () => {
  test('is made at first use, and signs as it says', async (t) => {
    const house = await House.open(t)
    assert.equal(house.state.materials.size, 0)
    const { signature, fingerprint } = await house.digests.sign(region, text)
    const keys = await house.digests.publicKeys(region)
    assert.equal(keys.length, 1)
    const [key] = keys
    assert.ok(key)
    assert.equal(key.fingerprint, fingerprint)
    assert.deepEqual([key.validFrom, key.validTo], [house.clock.time, house.clock.time + yearMs])
    assert.ok(verifies(key, signature))
    signature[0] = (signature[0] ?? 0) ^ 1
    assert.ok(!verifies(key, signature))
    assert.equal(house.state.materials.size, 1)
  })

  test('is no key that a call could name', async (t) => {
    const house = await House.open(t)
    await house.digests.sign(region, text)
    const [material] = [...house.state.materials.values()]
    assert.ok(material)
    assert.equal(material.account, '000000000000')
    const Message = text.toString('base64')
    for (const KeyId of [
      material.keyId,
      `arn:aws:kms:${region}:${account}:key/${material.keyId}`,
      `arn:aws:kms:${region}:000000000000:key/${material.keyId}`,
    ]) {
      const input = { KeyId, Message, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' }
      const { error } = await house.call('Sign', input)
      assert.match(error ?? '', /^(NotFoundException|AccessDeniedException)$/)
    }
    assert.deepEqual((await house.ok('ListKeys', {}))['Keys'], [])
  })

  test('is one, however many ask at once, in one process or in several', async (t) => {
    const shared = new SharedRows()
    const house = await House.open(t, { shared })
    const mirror = new Mirror(faultyStore(shared).store)
    const tables = declareTables(mirror)
    await mirror.load()
    const other = new DigestKeys({
      ...{ ...tables, mirror, hsm: house.hsm, clock: house.clock, random: systemRandom },
      ...{ materials: tables.state.materials, materialRow },
    })
    const signed = await Promise.all(
      [house.digests, other, house.digests, other].map((keys) => keys.sign(region, text)),
    )
    assert.equal(new Set(signed.map(({ fingerprint }) => fingerprint)).size, 1)
    await Promise.all([mirror.refresh(), house.mirror.refresh()])
    for (const { digestKeys, state } of [tables, house.tables]) {
      assert.deepEqual([digestKeys.size, state.materials.size], [1, 1])
    }
  })

  test('outlives the domain key that wrapped it', async (t) => {
    const house = await House.open(t)
    const before = await house.digests.sign(region, text)
    const domainKeys = new DomainKeys({
      ...{ hsm: house.hsm, mirror: house.mirror, clock: house.clock, materialRow },
      materials: house.state.materials,
      rotateAfterMs: 1000,
      recordRotation: async () => {},
    })
    house.clock.time += 1000
    await domainKeys.upkeep()
    house.clock.time += 61_000
    const generation = (await house.hsm.status()).regions[0]?.activeGeneration ?? 0
    await house.hsm.retireDomainKeys(region, generation)
    assert.deepEqual((await house.hsm.status()).regions[0]?.generations, [generation])
    assert.deepEqual(await house.digests.sign(region, text), before)
  })

  test('gives way to the next after a year, and what signed goes', async (t) => {
    const house = await House.open(t)
    const forgetting = new Forgetting(house)
    const first = await house.digests.sign(region, text)
    house.clock.time += yearMs - 1
    assert.deepEqual(await house.digests.sign(region, text), first)
    house.clock.time += 1
    const second = await house.digests.sign(region, text)
    assert.notEqual(second.fingerprint, first.fingerprint)
    await forgetting.flush()
    assert.equal(house.state.materials.size, 1)
    const keys = await house.digests.publicKeys(region)
    assert.deepEqual(
      keys.map(({ fingerprint }) => fingerprint),
      [second.fingerprint, first.fingerprint],
    )
    assert.ok(keys[1] && verifies(keys[1], first.signature))
  })

  test('whose material is missing is not replaced behind anybody’s back', async (t) => {
    const house = await House.open(t)
    await house.digests.sign(region, text)
    const [material] = [...house.state.materials.values()]
    assert.ok(material)
    await house.mirror.commit([house.state.removeMaterial(material)], [])
    await assert.rejects(house.digests.sign(region, text), { code: 'key-unavailable' })
    assert.equal(house.tables.digestKeys.size, 1)
  })
})

describe('ListPublicKeys', () => {
  const sending = { service: 'cloudtrail', target: 'CloudTrail_20131101.ListPublicKeys' }

  test('the key that the first call makes is in its answer, however the clock goes on', async (t) => {
    const house = await House.open(t)
    house.clock.now = () => house.clock.time++
    const { PublicKeyList } = await house.ok('ListPublicKeys', {}, sending)
    assert.equal((PublicKeyList as unknown[]).length, 1)
  })

  test('lists the keys of a span of time, by default the present one', async (t) => {
    const house = await House.open(t)
    const list = async (input: object = {}) => {
      const { PublicKeyList } = await house.ok('ListPublicKeys', input, sending)
      return PublicKeyList as Record<string, unknown>[]
    }
    const [first] = await house.digests.publicKeys(region)
    assert.ok(first)
    assert.deepEqual(await list(), [
      {
        Value: first.value.toString('base64'),
        ValidityStartTime: first.validFrom / 1000,
        ValidityEndTime: first.validTo / 1000,
        Fingerprint: first.fingerprint,
      },
    ])
    house.clock.time += yearMs + 1000
    await house.digests.sign(region, text)
    const fingerprints = async (input: object) =>
      (await list(input)).map(({ Fingerprint }) => Fingerprint === first.fingerprint)
    const start = first.validFrom / 1000
    assert.deepEqual(await fingerprints({}), [false])
    assert.deepEqual(await fingerprints({ StartTime: start - 100 }), [false, true])
    assert.deepEqual(await fingerprints({ StartTime: start, EndTime: start }), [true])
    assert.deepEqual(await fingerprints({ StartTime: 0, EndTime: start - 1 }), [])
  })

  test('refuses a span that ends before it begins, and tokens', async (t) => {
    const house = await House.open(t)
    const refused = async (input: object) =>
      (await house.call('ListPublicKeys', input, sending)).error
    assert.equal(await refused({ StartTime: 2, EndTime: 1 }), 'InvalidTimeRangeException')
    assert.equal(await refused({ NextToken: 'abcd' }), 'InvalidTokenException')
    assert.equal(house.tables.digestKeys.size, 0)
  })
})
