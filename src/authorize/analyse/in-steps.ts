import { setImmediate } from 'node:timers/promises'

/** An analysis takes its time: it is made in steps of some milliseconds at the most. This takes them all at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** How long an analysis may keep others waiting; ms. */
const turn = 5

/** Takes them while others have their turns. */
export async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const end = performance.now() + turn
    do {
      const step = steps.next()
      if (step.done === true) return step.value
    } while (performance.now() < end)
    await setImmediate()
  }
}
