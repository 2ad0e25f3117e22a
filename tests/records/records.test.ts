import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Service } from '../../src/services/operation.ts'
import { goldenRecords, makers } from './golden.ts'
import { type Records, Stage } from './stage.ts'

/**
 * What each operation leaves in the record, done and denied, as a whole: every member of every record. After a change
 * that is meant, `node tools/records.ts` writes the files anew; look at what it changed.
 */
describe('the records of every operation', () => {
  /** Whom nobody is denied, for each a reason. */
  const neverDenied: Readonly<Record<string, string>> = {
    'sts GetCallerIdentity': 'needs no permission',
    'sts GetSessionToken': 'needs no permission',
    's3 DeleteObjects': 'is denied object by object',
  }

  const ofS3: Record<string, readonly unknown[]> = {}

  for (const [service, make] of Object.entries(makers)) {
    test(`of ${service} are what they were`, async (t) => {
      const stage = await make(t)
      const expected = goldenRecords(service)
      for (const [name, records] of Object.entries(stage.records)) {
        assert.deepEqual(records, expected[name], `${service}: ${name}`)
      }
      assert.deepEqual(Object.keys(stage.records), Object.keys(expected))
      if (service.startsWith('s3-')) Object.assign(ofS3, stage.records)
      else if (service !== 'own') assertComplete(stage.services, service, stage.records)
      else assertEveryService(stage)
    })
  }

  test('of s3 are all there, in one group or another', async (t) => {
    const { services } = await Stage.open(t, 's3')
    assertComplete(services, 's3', ofS3)
  })

  function assertComplete(services: readonly Service[], service: string, taken: Records): void {
    const own = services.find(({ signingName }) => signingName === service)
    const names = [...(own?.operations.keys() ?? [])]
    assert.ok(names.length >= 6, `${names.length} operations of ${service}`)
    for (const name of names) {
      assert.ok(taken[name] !== undefined, `${service} ${name} has no record in tests/records`)
      if (neverDenied[`${service} ${name}`] !== undefined) continue
      assert.ok(taken[`${name} (denied)`] !== undefined, `${name} has no record of a denial`)
    }
  }

  function assertEveryService(stage: Stage): void {
    const known = new Set(Object.keys(makers).map((name) => name.split('-', 1)[0]))
    const missing = stage.services.filter(({ signingName }) => !known.has(signingName))
    assert.deepEqual(
      missing.map(({ signingName }) => signingName),
      [],
      'services with no records here',
    )
  }
})
