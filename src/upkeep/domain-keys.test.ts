import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { internalError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import type { Hsm, Material } from '../hsm/port.ts'
import { materialRow } from '../services/kms/state.ts'
import { StoreConflict } from '../storage/port.ts'
import { House, region } from '../testing/house.ts'
import { DomainKeys } from './domain-keys.ts'

const hourMs = 3_600_000
const Plaintext = Buffer.from('plaintext').toString('base64')

type Rotation = { readonly region: Region; readonly generation: number }

async function opened(t: TestContext, hsm: (real: Hsm) => Hsm = (real) => real) {
  const house = await House.open(t, { hsm })
  const rotations: Rotation[] = []
  const domainKeys = new DomainKeys({
    hsm: house.hsm,
    mirror: house.mirror,
    materials: house.state.materials,
    materialRow,
    clock: house.clock,
    rotateAfterMs: 24 * hourMs,
    recordRotation: async (rotated, generation) => {
      rotations.push({ region: rotated, generation })
    },
  })
  const generations = async () => (await house.hsm.status()).regions[0]?.generations
  /** How many materials there are under each generation. */
  const spread = () => {
    const counts: Record<number, number> = {}
    for (const { generation } of house.state.materials.values()) {
      counts[generation] = (counts[generation] ?? 0) + 1
    }
    return counts
  }
  const make = async (count: number) => {
    const keyIds = await Promise.all(Array.from({ length: count }, () => house.newKey()))
    return Promise.all(
      keyIds.map(async (KeyId) => {
        const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext })
        return { KeyId, CiphertextBlob }
      }),
    )
  }
  const opens = async (made: readonly { readonly CiphertextBlob: unknown }[]) => {
    for (const { CiphertextBlob } of made) {
      assert.equal((await house.ok('Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
    }
  }
  return { house, domainKeys, rotations, generations, spread, make, opens }
}

describe('a domain key', () => {
  test('is replaced once it is too old, and not before', async (t) => {
    const { house, domainKeys, rotations, generations } = await opened(t)
    house.clock.time += 24 * hourMs - 1
    await domainKeys.upkeep()
    assert.deepEqual([rotations, await generations()], [[], [1]])
    house.clock.time += 1
    await domainKeys.upkeep()
    assert.deepEqual([rotations, await generations()], [[{ region, generation: 2 }], [1, 2]])
    await domainKeys.upkeep()
    assert.equal(rotations.length, 1)
  })

  test('goes when nothing is left under it, and a minute after its successor came', async (t) => {
    const { house, domainKeys, generations, spread, make, opens } = await opened(t)
    const made = await make(3)
    house.clock.time += 24 * hourMs
    await domainKeys.upkeep()
    assert.deepEqual(spread(), { 2: 3 })
    assert.deepEqual(await generations(), [1, 2])
    house.clock.time += 59_999
    await domainKeys.upkeep()
    assert.deepEqual(await generations(), [1, 2], 'requests may still be under way with it')
    house.clock.time += 1
    await domainKeys.upkeep()
    assert.deepEqual(await generations(), [2])
    await opens(made)
  })

  test('stays as long as anything is under it, however old its successor is', async (t) => {
    const { house, domainKeys, generations, spread, make } = await opened(t)
    await make(2)
    await house.hsm.rotateDomainKey(region)
    house.clock.time += hourMs
    house.faults.commit = () => {
      throw new StoreConflict('another process was faster')
    }
    await domainKeys.upkeep()
    assert.deepEqual(spread(), { 1: 2 })
    assert.deepEqual(await generations(), [1, 2])
    house.faults.commit = () => {}
    await domainKeys.upkeep()
    assert.deepEqual(spread(), { 2: 2 })
    assert.deepEqual(await generations(), [1, 2], 'not in the same upkeep')
    await domainKeys.upkeep()
    assert.deepEqual(await generations(), [2])
  })
})

describe('re-wrapping', () => {
  test('goes in batches, says how far it is, and answers how many there were', async (t) => {
    const { house, domainKeys, spread, make, opens } = await opened(t)
    const made = await make(250)
    await house.hsm.rotateDomainKey(region)
    const progress: string[] = []
    const count = await domainKeys.rewrap(region, (done, total) =>
      progress.push(`${done}/${total}`),
    )
    assert.equal(count, 250)
    assert.deepEqual(progress, ['100/250', '200/250', '250/250'])
    assert.deepEqual(spread(), { 2: 250 })
    assert.equal(await domainKeys.rewrap(region, () => assert.fail('nothing is left')), 0)
    await opens(made.slice(0, 20))
  })

  test('that is interrupted is taken up by the next upkeep', async (t) => {
    const { house, domainKeys, generations, spread, make, opens } = await opened(t)
    const made = await make(250)
    let commits = 0
    house.faults.commit = () => {
      commits += 1
      if (commits > 1) throw internalError('killed')
    }
    house.clock.time += 24 * hourMs
    await assert.rejects(domainKeys.upkeep(), { code: 'internal' })
    assert.deepEqual(spread(), { 1: 150, 2: 100 })
    house.faults.commit = () => {}
    house.clock.time += 2 * 60_000
    await domainKeys.upkeep()
    assert.deepEqual(spread(), { 2: 250 })
    assert.deepEqual(await generations(), [1, 2])
    await domainKeys.upkeep()
    assert.deepEqual(await generations(), [2])
    await opens(made.filter((_, index) => index % 10 === 0))
  })

  test('leaves requests alone: they work all the while', async (t) => {
    const { house, domainKeys, spread, make } = await opened(t)
    const made = await make(220)
    await house.hsm.rotateDomainKey(region)
    const rewrapped = domainKeys.rewrap(region, () => {})
    const during = made.flatMap(({ KeyId, CiphertextBlob }) => [
      house.ok('Decrypt', { CiphertextBlob }),
      house.ok('Encrypt', { KeyId, Plaintext }),
    ])
    const created = house.newKey()
    assert.equal(await rewrapped, 220)
    await Promise.all(during)
    await created
    assert.deepEqual(spread(), { 2: 221 })
  })

  test('does not bring back a material that was destroyed meanwhile', async (t) => {
    const destroyed: Material[] = []
    const slow = (real: Hsm): Hsm =>
      new Proxy(real, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          if (name !== 'rewrap') return member.bind(target)
          return async (material: Material) => {
            const rewrapped = await target.rewrap(material)
            if (destroyed.length === 0) {
              destroyed.push(material)
              await house.mirror.commit([house.state.materials.remove(materialRow(material))], [])
            }
            return rewrapped
          }
        },
      })
    const { house, domainKeys, spread, make } = await opened(t, slow)
    await make(3)
    await house.hsm.rotateDomainKey(region)
    await domainKeys.rewrap(region, () => {})
    assert.deepEqual(spread(), { 2: 2 })
    const [gone] = destroyed
    assert.ok(gone !== undefined)
    assert.equal(house.state.materials.get(materialRow(gone)), undefined)
  })

  test('goes on without a material that is destroyed, and refused, meanwhile', async (t) => {
    let destroyed: Material | undefined
    const slow = (real: Hsm): Hsm =>
      new Proxy(real, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          if (name !== 'rewrap') return member.bind(target)
          return async (material: Material) => {
            if (destroyed === undefined) {
              destroyed = material
              await house.mirror.commit([house.state.materials.remove(materialRow(material))], [])
              await target.forget([material])
            }
            return target.rewrap(material)
          }
        },
      })
    const { house, domainKeys, spread, make } = await opened(t, slow)
    await make(3)
    await house.hsm.rotateDomainKey(region)
    assert.equal(await domainKeys.rewrap(region, () => {}), 3)
    assert.ok(destroyed !== undefined)
    assert.deepEqual(spread(), { 2: 2 })
  })

  test('that the key core refuses fails, if the material is there', async (t) => {
    const { house, domainKeys, make } = await opened(t)
    await make(2)
    await house.hsm.rotateDomainKey(region)
    const [material] = house.state.materials.values()
    assert.ok(material !== undefined)
    await house.hsm.forget([material])
    await assert.rejects(
      domainKeys.rewrap(region, () => {}),
      { code: 'key-unavailable' },
    )
  })

  test('of a Region that the key core does not know is nothing', async (t) => {
    const { domainKeys } = await opened(t)
    assert.equal(await domainKeys.rewrap('eu-west-1' as Region, () => {}), 0)
  })
})
