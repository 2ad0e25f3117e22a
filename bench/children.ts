import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { FromEcho, FromGenerator, ToEcho, ToGenerator } from './protocol.ts'

/** A process of the bench's own, spoken to one question at a time. It ends with the bench. */
export class Child<Question extends object, Answer> {
  readonly #process: ChildProcess
  readonly pid: number

  private constructor(child: ChildProcess, pid: number) {
    this.#process = child
    this.pid = pid
  }

  static start<Question extends object, Answer>(
    script: string,
    core: number | undefined,
  ): Child<Question, Answer> {
    const child = fork(join(import.meta.dirname, script), [], { stdio: 'inherit' })
    if (child.pid === undefined) throw new Error(`${script} did not start`)
    if (core !== undefined) pin(child.pid, core)
    return new Child(child, child.pid)
  }

  /** The next message of the process. */
  next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => {
        reject(new Error(`a process of the bench ended with code ${code}`))
      }
      this.#process.once('exit', onExit)
      this.#process.once('message', (message) => {
        this.#process.off('exit', onExit)
        resolve(message as Answer)
      })
    })
  }

  ask(question: Question): Promise<Answer> {
    const answer = this.next()
    this.#process.send(question)
    return answer
  }

  stop(): void {
    if (this.#process.connected) this.#process.disconnect()
  }
}

export type Echo = Child<ToEcho, FromEcho>
export type Generator = Child<ToGenerator, FromGenerator>

/** Whether processes can be pinned: `taskset` is there, and there are two cores to divide. */
export function canPin(): boolean {
  const { status, stdout } = spawnSync('taskset', ['-cp', String(process.pid)], {
    encoding: 'utf8',
  })
  return status === 0 && /: (0-\d+|0,1)/.test(stdout)
}

/** Pins all threads of a process, and those it will make. */
function pin(pid: number, core: number): void {
  const { status, stderr } = spawnSync('taskset', ['-acp', String(core), String(pid)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`taskset: ${stderr}`)
}
