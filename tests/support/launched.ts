import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { groupMembers, hasProc } from './processes.ts'
import { type Exit, projectRoot } from './server.ts'

export type LaunchOptions = {
  readonly cwd?: string
  /** Files that the descriptors from 0 on read; undefined: nothing. 1 and 2 are for the output. */
  readonly input?: Readonly<Record<number, string>>
}

const readyMsMax = 30_000
const outputMsMax = 3_000

/** A command line in a process group of its own, with an environment that says nothing about Kagiban. */
export class Launched {
  output = ''
  readonly ended: Promise<Exit>
  readonly #child: ChildProcess

  constructor(command: string, args: readonly string[], options: LaunchOptions = {}) {
    const { PATH, HOME, TMPDIR } = process.env
    const files = [0, 3].map((at) => openSync(options.input?.[at] ?? '/dev/null', 'r'))
    const [stdin, further] = files
    this.#child = spawn(command, args, {
      cwd: options.cwd ?? projectRoot,
      env: { PATH, HOME, TMPDIR },
      detached: true,
      stdio: [stdin, 'pipe', 'pipe', further],
    })
    for (const file of files) closeSync(file)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      // Whoever outlives it may hold its output open: that is not waited for longer than a moment.
      this.#child.once('exit', (code, signal) => {
        setTimeout(() => resolve({ code, signal }), outputMsMax).unref()
      })
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The endpoint, once the service says that it is ready. */
  async ready(): Promise<string> {
    for (const begun = performance.now(); performance.now() - begun < readyMsMax; await sleep(10)) {
      const endpoint = /ready at (http:\S+)/.exec(this.output)?.[1]
      if (endpoint !== undefined) return endpoint
      if (this.#child.exitCode !== null) break
    }
    throw new Error(`it was not ready: ${this.output}`)
  }

  /** Kills what is left of the group. Answers how many processes that were. */
  async discard(): Promise<number> {
    const left = hasProc ? groupMembers(this.pid).length : 0
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    await this.ended
    return left
  }
}
