import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type ErrorCode, ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { HeldJournal } from '../testing/held-journal.ts'
import { Refusals } from './refusals.ts'

function opened(context: TestContext) {
  const journal = new HeldJournal()
  const refusals = new Refusals({
    journal,
    account: '111122223333' as AccountId,
    region: 'us-east-1' as Region,
    clock: { now: () => Date.UTC(2026, 4, 6) },
    random: systemRandom,
  })
  context.after(() => refusals.flush().catch(() => {}))
  const count = (remoteAddress: string, code: ErrorCode = 'missing-authentication') =>
    refusals.count({
      request: {
        method: 'POST',
        target: '/',
        rawHeaders: [],
        body: Buffer.alloc(0),
        remoteAddress,
      },
      reply: () => {},
      evidence: [],
      requestId: '',
      failure: new ServiceError(code),
    })
  const counted = () =>
    journal.events.map((event) => [
      event.sourceIPAddress,
      event.errorCode,
      event.serviceEventDetails?.['requests'],
    ])
  return { journal, refusals, count, counted }
}

const missing = 'MissingAuthenticationTokenException'

describe('refusals', () => {
  test('of 256 sources and kinds are told apart; all others share one count of each kind', async (t) => {
    const { journal, refusals, count, counted } = opened(t)
    for (let index = 0; index < 256; index += 1) count(`10.0.0.${index}`)
    for (let index = 0; index < 1000; index += 1) count(`10.1.${index >> 8}.${index & 255}`)
    for (let index = 0; index < 10; index += 1) count(`10.1.0.${index}`, 'invalid-signature')
    count('10.0.0.7')
    await refusals.flush()
    assert.equal(journal.size, 258)
    assert.deepEqual(counted()[7], ['10.0.0.7', missing, 2])
    assert.deepEqual(counted().slice(256), [
      ['others', missing, 1000],
      ['others', 'InvalidSignatureException', 10],
    ])
  })

  test('are told apart anew after a flush', async (t) => {
    const { refusals, count, counted } = opened(t)
    count('::ffff:10.0.0.1')
    await refusals.flush()
    count('10.0.0.1')
    count('10.0.0.1')
    await refusals.flush()
    assert.deepEqual(counted(), [
      ['10.0.0.1', missing, 1],
      ['10.0.0.1', missing, 2],
    ])
  })

  test('name the deployment’s account and home', async (t) => {
    const { journal, refusals, count } = opened(t)
    count('10.0.0.1')
    await refusals.flush()
    const [event] = journal.events
    assert.deepEqual(event?.userIdentity, {
      accountId: '111122223333',
      invokedBy: 'AWS Internal',
    })
    assert.deepEqual(
      [event?.eventSource, event?.eventName, event?.awsRegion, event?.recipientAccountId],
      ['kagiban.internal', 'RefusedUnauthenticated', 'us-east-1', '111122223333'],
    )
  })

  test('that cannot be written reject the flush, and end nothing when the timer flushes', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { journal, refusals, count } = opened(t)
    journal.break('EIO')
    count('10.0.0.1')
    await assert.rejects(refusals.flush(), { name: 'ServiceError', code: 'internal' })
    count('10.0.0.1')
    t.mock.timers.tick(1000)
    await new Promise((resolve) => setImmediate(resolve))
    await refusals.flush()
    assert.equal(journal.size, 0)
  })
})
