import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { HeldJournal } from '../testing/held-journal.ts'
import { networkOf } from './network.ts'
import { Refusals } from './refusals.ts'

const start = Date.UTC(2026, 4, 6)

function opened(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = { time: start, now: () => clock.time }
  const journal = new HeldJournal()
  const refusals = new Refusals({
    journal,
    account: '111122223333' as AccountId,
    region: 'us-east-1' as Region,
    clock,
    random: systemRandom,
  })
  context.after(() => refusals.flush().catch(() => {}))
  const refuse = (remoteAddress = '10.0.0.1', code: 'validation' | 'throttled' = 'validation') =>
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
  /** Lets time pass, with a refusal at the beginning of each second in which `refused` holds. */
  const pass = async (seconds: number, refused: (second: number) => boolean) => {
    for (let second = 0; second < seconds; second += 1) {
      if (refused(second)) refuse()
      clock.time += 1000
      context.mock.timers.tick(1000)
      await Promise.resolve()
    }
  }
  return { journal, refusals, refuse, pass }
}

describe('refusals that go on', () => {
  const always = () => true

  test('are recorded each second for a minute, then each minute, and none is left out', async (t) => {
    const { journal, refusals, pass } = opened(t)
    await pass(60, always)
    assert.ok(journal.size >= 59 && journal.size <= 61, `${journal.size} in the first minute`)
    await pass(60, always)
    const before = journal.size
    await pass(3600, always)
    assert.ok(journal.size - before <= 60, `${journal.size - before} in an hour`)
    assert.ok(journal.size - before >= 58, `${journal.size - before} in an hour`)
    await refusals.flush()
    const counts = journal.events.map((event) => Number(event.serviceEventDetails?.['requests']))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      60 + 60 + 3600,
    )
  })

  test('cannot be made to cost more by pausing', async (t) => {
    for (const [on, off] of [
      [1, 1],
      [60, 60],
      [2, 120],
    ] as const) {
      const { journal, pass } = opened(t)
      const hours = 4
      await pass(hours * 3600, (second) => second % (on + off) < on)
      const most = 60 + hours * 60 + 1
      assert.ok(journal.size <= most, `${journal.size} for ${on} of ${on + off}`)
      t.mock.timers.reset()
    }
  })

  test('are recorded soon again after a while of rest', async (t) => {
    const { journal, pass } = opened(t)
    await pass(600, always)
    await pass(3600, () => false)
    const before = journal.size
    await pass(10, always)
    assert.equal(journal.size - before, 10)
  })
})

describe('the network of an address', () => {
  test('is the address, or the /64 of IPv6', () => {
    const cases = [
      ['192.0.2.7', '192.0.2.7'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:db8::1', '2001:db8::/64'],
      ['2001:db8:0:1::', '2001:db8:0:1::/64'],
      ['2001:db8:0:0:1::', '2001:db8::/64'],
      ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
      ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
      ['fe80::1%eth0', 'fe80::/64'],
      ['::1', '::/64'],
      ['', ''],
    ]
    for (const [address = '', network] of cases) assert.equal(networkOf(address), network, address)
  })

  test('is what refusals are counted by', async (t) => {
    const { journal, refusals, refuse } = opened(t)
    for (let host = 1; host <= 1000; host += 1) refuse(`2001:db8:0:7::${host.toString(16)}`)
    refuse('2001:db8:0:8::1')
    refuse('::ffff:10.0.0.1')
    await refusals.flush()
    assert.deepEqual(
      journal.events.map((event) => [
        event.sourceIPAddress,
        event.serviceEventDetails?.['requests'],
      ]),
      [
        ['2001:db8:0:7::/64', 1000],
        ['2001:db8:0:8::/64', 1],
        ['10.0.0.1', 1],
      ],
    )
  })

  test('bounds what a minute of refusals can take', async (t) => {
    const { journal, refusals, refuse } = opened(t)
    for (let at = 0; at < 5000; at += 1) {
      const network = (0x1000 + at).toString(16)
      refuse(`ffff:ffff:ffff:${network}::1`, at % 2 === 0 ? 'validation' : 'throttled')
    }
    await refusals.flush()
    const bytes = journal.records.reduce((sum, record) => sum + Buffer.byteLength(record) + 41, 0)
    // The threat model names the figure.
    assert.ok(bytes < 175_000, `${bytes} bytes`)
  })
})
