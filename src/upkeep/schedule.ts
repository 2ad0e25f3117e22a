import { ServiceError } from '../base/errors.ts'

/** Runs `task` now and then, never twice at once; a failure is told and does not end the schedule. */
export function every(
  intervalMs: number,
  task: () => Promise<void>,
  log: (line: string) => void,
): Schedule {
  let running: Promise<void> = Promise.resolve()
  let busy = false
  const run = () => {
    if (busy) return
    busy = true
    running = task()
      .catch((error: unknown) => log(`upkeep failed: ${reasonOf(error)}`))
      .finally(() => {
        busy = false
      })
  }
  run()
  const timer = setInterval(run, intervalMs)
  return {
    run,
    stop: () => {
      clearInterval(timer)
      return running
    },
  }
}

export type Schedule = {
  /** Runs it now, unless it is running. */
  run(): void
  stop(): Promise<void>
}

/** A failure that has a sentence for the operator needs no stack. */
function reasonOf(error: unknown): string {
  if (error instanceof ServiceError) return error.detail ?? error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
