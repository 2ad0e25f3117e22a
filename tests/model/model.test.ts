import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Following, type Tally } from './follow.ts'
import { HouseSubject } from './house-subject.ts'
import type { Body } from './plan.ts'
import { steps } from './step.ts'
import { type Answer, Subject } from './subject.ts'
import { dayMs, type Region } from './world.ts'

const numRuns = process.env['SLOW'] === '1' ? 2000 : 100

test(`the service and the model agree over ${numRuns} sequences of operations`, async (t) => {
  const tally: Tally = new Map()
  const property = fc.asyncProperty(steps(40), async (sequence) => {
    await new Following(await HouseSubject.open(t), tally).follow(sequence)
  })
  await fc.assert(property, { numRuns })
  t.diagnostic(JSON.stringify(Object.fromEntries([...tally].sort())))
  const done = [...tally.keys()].filter((outcome) => outcome.endsWith(': done')).length
  assert.ok(done >= 25, `only ${done} operations ever succeeded`)
})

/** A service that does something else than it should, or says it. */
type Lie = (operation: string, body: Body) => Body | undefined

class Liar extends Subject {
  override readonly account: string
  override readonly otherAccount: string | undefined
  override readonly regions: readonly Region[]
  override readonly time
  readonly #honest: Subject
  readonly #lie: Lie

  constructor(honest: Subject, lie: Lie) {
    super()
    this.#honest = honest
    this.#lie = lie
    this.account = honest.account
    this.otherAccount = honest.otherAccount
    this.regions = honest.regions
    this.time = honest.time
  }

  override now() {
    return this.#honest.now()
  }

  override async attempt(region: string, operation: string, input: object): Promise<Answer> {
    const forgotten = this.#lie(operation, {}) === undefined
    if (forgotten) return { error: undefined, body: {} }
    const { error, body } = await this.#honest.call(region, operation, input)
    return { error, body: error === undefined ? (this.#lie(operation, body) ?? body) : body }
  }
}

/** Changes one member of the answers of one operation. */
function changing(operation: string, change: (body: Body) => Body): Lie {
  return (asked, body) =>
    asked === operation && Object.keys(body).length > 0 ? change(body) : body
}

/** Says that it did it. */
function forgetting(operation: string): Lie {
  return (asked, body) => (asked === operation ? undefined : body)
}

describe('a service that', () => {
  const lies: Readonly<Record<string, Lie>> = {
    'forgets to disable a key': forgetting('DisableKey'),
    'forgets an alias': forgetting('CreateAlias'),
    'forgets to revoke a grant': forgetting('RevokeGrant'),
    'forgets to retire a grant': forgetting('RetireGrant'),
    'forgets a tag': forgetting('TagResource'),
    'forgets a replica': forgetting('ReplicateKey'),
    'forgets a rotation': forgetting('RotateKeyOnDemand'),
    'forgets that a rotation was ended': forgetting('DisableKeyRotation'),
    'forgets which Region is the primary one': forgetting('UpdatePrimaryRegion'),
    'decrypts to something else': changing('Decrypt', (body) => ({ ...body, Plaintext: 'AAAA' })),
    'deletes a day too early': changing('ScheduleKeyDeletion', (body) => ({
      ...body,
      DeletionDate: Number(body['DeletionDate']) - dayMs / 1000,
    })),
    'rotates a day too late': changing('GetKeyRotationStatus', (body) => ({
      ...body,
      NextRotationDate: Number(body['NextRotationDate']) + dayMs / 1000,
    })),
    'loses old material': changing('ListKeyRotations', (body) => ({
      ...body,
      Rotations: (body['Rotations'] as object[]).slice(-1),
    })),
  }
  for (const [what, lie] of Object.entries(lies)) {
    test(`${what} is found out`, async (t) => {
      const property = fc.asyncProperty(steps(40), async (sequence) => {
        const liar = new Liar(await HouseSubject.open(t), lie)
        await new Following(liar, new Map()).follow(sequence)
      })
      const { failed } = await fc.check(property, { numRuns: 100, endOnFailure: true })
      assert.ok(failed, 'nobody noticed')
    })
  }
})
