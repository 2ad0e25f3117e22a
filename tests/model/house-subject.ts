import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseRegion, type Region } from '../../src/base/ids.ts'
import { systemRandom } from '../../src/base/random.ts'
import { materialRow } from '../../src/services/kms/state.ts'
import { account, House, otherAccount } from '../../src/testing/house.ts'
import { DomainKeys } from '../../src/upkeep/domain-keys.ts'
import { Forgetting } from '../../src/upkeep/forgetting.ts'
import { deleteDueKeys } from '../../src/upkeep/key-deletion.ts'
import { rotateDueKeys } from '../../src/upkeep/key-rotation.ts'
import { deleteExpiredMaterial } from '../../src/upkeep/material-expiry.ts'
import { type Answer, Subject, type Time } from './subject.ts'
import { dayMs, granteeNames, type When } from './world.ts'

export const regionNames = ['us-east-1', 'eu-west-1', 'ap-southeast-2']

const regions = regionNames.map((name) => {
  const region = parseRegion(name)
  if (region === undefined) throw new Error(`${name} is no Region`)
  return region
})

/** Every core of a sequence writes durably before it begins: that is no part of what is tested. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** The whole line from a signed request to its answer, in this process, over a clock that is held. */
export class HouseSubject extends Subject {
  override readonly account = account
  override readonly otherAccount = otherAccount
  override readonly regions = regions
  override readonly time: Time
  readonly #house: House

  private constructor(house: House) {
    super()
    this.#house = house
    const pass = (ms: number) => {
      house.clock.time += ms
    }
    this.time = { pass, upkeep: upkeepOf(house) }
  }

  static async open(t: TestContext): Promise<HouseSubject> {
    const directory = mkdtempSync(join(inMemory, 'kagiban-model-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const house = await House.open(t, { regions, directory })
    for (const name of granteeNames) await house.addRole({ name })
    return new HouseSubject(house)
  }

  override now(): When {
    const time = this.#house.clock.now()
    return { from: time, to: time }
  }

  override async attempt(region: string, operation: string, input: object): Promise<Answer> {
    const { error, body } = await this.#house.call(operation, input, { region: region as Region })
    return { error, body }
  }
}

/** What the engine does of itself every minute. */
function upkeepOf(house: House): () => Promise<void> {
  const deps = { ...house, regions, random: systemRandom }
  const forgetting = new Forgetting(deps)
  const domainKeys = new DomainKeys({
    hsm: house.hsm,
    mirror: house.mirror,
    materials: house.state.materials,
    materialRow,
    clock: house.clock,
    rotateAfterMs: 30 * dayMs,
    recordRotation: async () => {},
  })
  return async () => {
    await deleteDueKeys(deps)
    await rotateDueKeys(deps)
    await deleteExpiredMaterial(deps)
    await forgetting.flush()
    await domainKeys.upkeep()
  }
}
