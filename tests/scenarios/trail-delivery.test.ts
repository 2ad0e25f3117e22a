import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kagibanOk } from '../support/cli.ts'
import { TestServer } from '../support/server.ts'

/** What there is of it while the service has no buckets; the delivery itself is tested in its own room. */
describe('delivery to trails, in the real service', () => {
  let server: TestServer

  before(async () => {
    server = await TestServer.start()
    // The lock is taken a second after the start.
    await new Promise((resolve) => setTimeout(resolve, 1500))
  })
  after(async () => {
    await server.discard()
  })

  test('its thread runs and holds the lock, and nothing fails', async () => {
    const { trails } = JSON.parse(await kagibanOk('status', '--json', '--data', server.data)) as {
      trails: unknown
    }
    assert.deepEqual(trails, { delivers: true, trails: 0, lagMs: 0, failures: [] })
  })

  test('it ends and begins again with the service', async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    await server.restart()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const text = await kagibanOk('status', '--json', '--data', server.data)
    assert.equal((JSON.parse(text) as { trails: { delivers: boolean } }).trails.delivers, true)
  })
})
