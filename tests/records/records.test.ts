import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { goldenRecords, makers } from './golden.ts'
import type { Stage } from './stage.ts'

/**
 * What each operation leaves in the record, done and denied, as a whole: every member of every record. After a change
 * that is meant, `node tools/records.ts` writes the files anew; look at what it changed.
 */
describe('the records of every operation', () => {
  /** Whom nobody is denied, for each a reason. */
  const neverDenied: Readonly<Record<string, string>> = {
    'sts GetCallerIdentity': 'needs no permission',
    'sts GetSessionToken': 'needs no permission',
  }

  for (const [service, make] of Object.entries(makers)) {
    test(`of ${service} are what they were`, async (t) => {
      const stage = await make(t)
      const expected = goldenRecords(service)
      for (const [name, records] of Object.entries(stage.records)) {
        assert.deepEqual(records, expected[name], `${service}: ${name}`)
      }
      assert.deepEqual(Object.keys(stage.records), Object.keys(expected))
      if (service !== 'own') assertComplete(stage, service)
      else assertEveryService(stage)
    })
  }

  function assertComplete(stage: Stage, service: string): void {
    const own = stage.services.find(({ signingName }) => signingName === service)
    const names = [...(own?.operations.keys() ?? [])]
    assert.ok(names.length >= 6, `${names.length} operations of ${service}`)
    const taken = stage.records
    for (const name of names) {
      assert.ok(taken[name] !== undefined, `${service} ${name} has no record in tests/records`)
      if (neverDenied[`${service} ${name}`] !== undefined) continue
      assert.ok(taken[`${name} (denied)`] !== undefined, `${name} has no record of a denial`)
    }
  }

  function assertEveryService(stage: Stage): void {
    const known = new Set(Object.keys(makers))
    const missing = stage.services.filter(({ signingName }) => !known.has(signingName))
    assert.deepEqual(
      missing.map(({ signingName }) => signingName),
      [],
      'services with no records here',
    )
  }
})
