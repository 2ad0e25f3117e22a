/** An analysis takes its time: it is made in steps of some milliseconds at the most. This takes them all at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
