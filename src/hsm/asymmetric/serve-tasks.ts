import { parentPort } from 'node:worker_threads'
import { ServiceError } from '../../base/errors.ts'
import type { Outcome, Task } from './task.ts'

/**
 * The thread's side of `Threads`: one task after the other. Its code is loaded by then, so it gives up whatever the
 * process may do beyond computing.
 */
export function serveTasks(run: (task: Task) => Buffer | boolean): void {
  const port = parentPort
  if (port === null) throw new Error('tasks run in a thread of the key core')
  // Undefined where there is no permission model.
  process.permission?.drop('fs')
  process.permission?.drop('worker')
  port.on('message', (task: Task) => {
    const outcome = outcomeOf(run, task)
    const moved = 'result' in outcome && typeof outcome.result !== 'boolean' ? outcome.result : null
    port.postMessage(outcome, moved === null ? [] : [moved.buffer as ArrayBuffer])
  })
}

function outcomeOf(run: (task: Task) => Buffer | boolean, task: Task): Outcome {
  try {
    const result = run(task)
    if (typeof result === 'boolean') return { result }
    // Moved, not copied, to the other thread: it needs memory of its own for that.
    const moved = new Uint8Array(result)
    result.fill(0)
    return { result: moved }
  } catch (error) {
    return { failed: error instanceof ServiceError ? error.code : 'internal' }
  } finally {
    task.message.fill(0)
  }
}
