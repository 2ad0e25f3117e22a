import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { Following, type Tally } from './follow.ts'
import { ServerSubject } from './server-subject.ts'
import { type Step, step } from './step.ts'

const isSlow = process.env['SLOW'] === '1'
const numRuns = isSlow ? 30 : 1
/** In a sequence. */
const kills = isSlow ? 12 : 5
const stepsBetween = 12

/** So that there is something to lose. */
const first: readonly Step[] = (['symmetric', 'multi-Region', 'external'] as const).map((kind) => ({
  do: 'CreateKey',
  kind,
  region: 0,
  tagged: true,
}))

/** Steps, and then a kill: at rest, or so many milliseconds after a last step was sent. */
const stretch = fc.record({
  between: fc.array(step, { minLength: stepsBetween, maxLength: stepsBetween }),
  last: step,
  killAfterMs: fc.oneof(
    { weight: 1, arbitrary: fc.constant('at rest' as const) },
    { weight: 4, arbitrary: fc.nat(8) },
  ),
})

test(`the server and the model agree over ${numRuns * kills} kills between operations`, async (t) => {
  const tally: Tally = new Map()
  const stretches = fc.array(stretch, { minLength: kills, maxLength: kills })
  const property = fc.asyncProperty(stretches, async (sequence) => {
    const subject = await ServerSubject.start()
    const following = new Following(subject, tally)
    try {
      await following.explained(async () => {
        for (const each of first) await following.take(each)
        for (const { between, last, killAfterMs } of sequence) {
          for (const each of between) await following.take(each)
          if (killAfterMs === 'at rest') {
            await following.take(last)
            await subject.kill()
            await following.compare()
          } else {
            await following.takeKilled(last, async () => {
              await sleep(killAfterMs)
              await subject.kill()
            })
          }
        }
      })
    } catch (error) {
      t.diagnostic(`the server said: ${subject.said}`)
      throw error
    } finally {
      await subject.discard()
    }
  })
  // Each run takes seconds: the first failure is told as it is, with its seed.
  await fc.assert(property, { numRuns, endOnFailure: true })
  t.diagnostic(JSON.stringify(Object.fromEntries([...tally].sort())))
})
