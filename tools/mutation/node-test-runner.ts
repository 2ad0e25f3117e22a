import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { type CollectedTest, takeTests } from './node-test.ts'
import { Worlds } from './worlds.ts'

/**
 * A test runner of Stryker's for `node:test`. The types here are the part of `@stryker-mutator/api` that it uses; the
 * package itself is installed only where mutants are tested.
 */
type Options = { readonly nodeTestFiles: readonly string[] }
type RunOptions = { readonly disableBail: boolean }
type MutantRunOptions = RunOptions & {
  readonly testFilter?: readonly string[]
  readonly hitLimit?: number
  readonly activeMutant: { readonly id: string }
  readonly sandboxFileName: string
  /** Whether the mutant is run as modules are loaded. */
  readonly reloadEnvironment: boolean
}
type TestOfFile = CollectedTest & { readonly id: string; readonly file: string }
/** As Stryker numbers them. */
const success = 0
const failure = 1
type TestResult = {
  readonly id: string
  readonly name: string
  readonly fileName: string
  readonly timeSpentMs: number
  readonly status: typeof success | typeof failure
  readonly failureMessage?: string
}
/** What the instrumented sources look at. */
type Instrumentation = {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  mutantCoverage?: unknown
  hitCount?: number | undefined
  hitLimit?: number | undefined
}
const instrumentation: Instrumentation = {}
const slowMs = 500
/** In the sandbox, for the processes that come after the one of the first run. */
const timesFile = 'times-of-tests.json'

class NodeTestRunner {
  static readonly inject = ['options'] as const
  readonly #testFiles: readonly string[]
  readonly #sandbox = process.cwd()
  readonly #unhandled: unknown[] = []
  readonly #worlds: Worlds
  /** How long each file took in the first run. */
  #msOf: Record<string, number> = {}

  constructor(options: Options) {
    this.#testFiles = options.nodeTestFiles
    this.#worlds = new Worlds(this.#sandbox)
  }

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init(): Promise<void> {
    if (existsSync(timesFile)) this.#msOf = JSON.parse(readFileSync(timesFile, 'utf8'))
    Object.assign(globalThis, { __stryker__: instrumentation })
    process.on('unhandledRejection', (reason) => this.#unhandled.push(reason))
    // The same properties are tried for every mutant, and a counterexample need not be made small.
    fc.configureGlobal({ seed: 1, endOnFailure: true })
  }

  async dryRun({ disableBail }: RunOptions) {
    this.#activate(undefined)
    const tests: TestResult[] = []
    for (const file of this.#testFiles) {
      const started = performance.now()
      tests.push(...(await this.#run(await this.#load(file), disableBail)))
      this.#msOf[file] = performance.now() - started
    }
    writeFileSync(timesFile, JSON.stringify(this.#msOf))
    return { status: 'complete', tests, mutantCoverage: instrumentation.mutantCoverage }
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, ...options }: MutantRunOptions) {
    const { disableBail, reloadEnvironment, sandboxFileName } = options
    const chosen = testFilter === undefined ? undefined : new Set(testFilter)
    const results: TestResult[] = []
    this.#activate(activeMutant.id, hitLimit)
    for (const file of this.#nearestFirst(sandboxFileName)) {
      if (!(testFilter?.some((id) => id.startsWith(`${file}: `)) ?? true)) continue
      if (!reloadEnvironment) instrumentation.activeMutant = undefined
      let tests: readonly TestOfFile[]
      try {
        tests = await this.#load(file)
      } catch (error) {
        const failureMessage = `${file} could not be loaded: ${messageOf(error)}`
        return { status: 'killed', killedBy: [], failureMessage, nrOfTests: results.length }
      }
      instrumentation.activeMutant = activeMutant.id
      const asked = tests.filter(({ id }) => chosen?.has(id) ?? true)
      results.push(...(await this.#run(asked, disableBail)))
      if (results.some(hasFailed) && !disableBail) break
    }
    const { hitCount = 0 } = instrumentation
    this.#activate(undefined)
    if (hitLimit !== undefined && hitCount > hitLimit) {
      return { status: 'timeout', reason: `hit ${hitCount} times, ${hitLimit} are the limit` }
    }
    const failed = results.filter(hasFailed)
    const nrOfTests = results.length
    if (failed[0] === undefined) return { status: 'survived', nrOfTests }
    const killedBy = failed.map(({ id }) => id)
    return { status: 'killed', killedBy, failureMessage: failed[0].failureMessage, nrOfTests }
  }

  #activate(mutant: string | undefined, hitLimit?: number): void {
    instrumentation.activeMutant = mutant
    instrumentation.hitLimit = hitLimit
    instrumentation.hitCount = hitLimit === undefined ? undefined : 0
  }

  /** Each file has a world of its own, as it has a process of its own with `node --test`. */
  async #load(file: string): Promise<TestOfFile[]> {
    this.#worlds.begin()
    takeTests()
    await this.#worlds.load(file)
    return takeTests().map((test) => ({ ...test, file, id: `${file}: ${test.name}` }))
  }

  async #run(tests: readonly TestOfFile[], goOn: boolean): Promise<TestResult[]> {
    const results: TestResult[] = []
    for (const { id, name, file, body } of tests) {
      instrumentation.currentTestId = id
      const started = performance.now()
      const failures: unknown[] = []
      try {
        const answer = body()
        if (answer instanceof Promise) {
          await answer
          // Promises that the test forgot are rejected by then.
          await setImmediate()
        }
      } catch (error) {
        failures.push(error)
      }
      failures.push(...this.#unhandled.splice(0))
      const timeSpentMs = performance.now() - started
      const fileName = join(this.#sandbox, file)
      const result = { id, name, fileName, timeSpentMs }
      if (failures.length === 0) results.push({ ...result, status: success })
      else results.push({ ...result, status: failure, failureMessage: messageOf(failures[0]) })
      if (failures.length > 0 && !goOn) break
    }
    instrumentation.currentTestId = undefined
    return results
  }

  /** The tests beside a mutant most likely kill it, and the first failure ends its run; slow ones come last. */
  #nearestFirst(mutated: string): string[] {
    const place = relative(this.#sandbox, mutated).split(sep)
    const stem = join(...place).replace(/\.ts$/, '')
    const nearness = (file: string) => {
      if (file === `${stem}.test.ts`) return Number.POSITIVE_INFINITY
      const folders = dirname(file).split('/')
      const different = folders.findIndex((folder, depth) => folder !== place[depth])
      return different === -1 ? folders.length : different
    }
    const cost = (file: string) => {
      const ms = this.#msOf[file] ?? 0
      return ms > slowMs ? ms : 0
    }
    const rank = (a: string, b: string) => {
      const [nearA, nearB] = [nearness(a), nearness(b)]
      return cost(a) - cost(b) || (nearA === nearB ? 0 : nearB - nearA)
    }
    return this.#testFiles.toSorted(rank)
  }
}

function hasFailed({ status }: TestResult): boolean {
  return status === failure
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** How Stryker finds it. */
export const strykerPlugins = [
  { kind: 'TestRunner', name: 'node-test', injectableClass: NodeTestRunner },
]

export const strykerValidationSchema = {
  properties: { nodeTestFiles: { type: 'array', items: { type: 'string' } } },
}
