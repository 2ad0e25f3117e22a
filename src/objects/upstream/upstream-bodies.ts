import { internalError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { Bodies, NewBody, OpenBody } from '../rows/bodies.ts'
import type { Budget } from './budget.ts'
import { type UpstreamEngine, upstreamError } from './engine.ts'
import { UpstreamFailure } from './failure.ts'
import type { PartBuffers } from './part-buffers.ts'
import type { FormerRuns } from './sweep.ts'
import { UpstreamBody } from './upstream-body.ts'

export type UpstreamBodiesOptions = {
  readonly engine: UpstreamEngine
  readonly random: Random
  /** With what the names of this process begin. */
  readonly run: string
  readonly buffers: PartBuffers
  /** For what is being sent. */
  readonly budget: Budget
  readonly probe: Probe
  readonly former: FormerRuns
}

export interface Probe {
  readonly healthy: boolean
  stop(): Promise<void>
}

/** Rows that somebody else wrote must lead to nothing else that the credentials can reach. */
const nameForm = /^[0-9a-f]{1,32}\/[0-9a-f]{32}$/

/**
 * Bodies as objects of an upstream S3 engine, by names that say nothing: `<run>/<32 random hex digits>`. The engine
 * needs to know PUT, GET with a range, HEAD, DELETE, multipart uploads, and listings for what a crash left; neither
 * versions nor conditions nor metadata.
 */
export class UpstreamBodies implements Bodies {
  readonly #options: UpstreamBodiesOptions

  constructor(options: UpstreamBodiesOptions) {
    this.#options = options
  }

  get healthy(): boolean {
    return this.#options.probe.healthy
  }

  create(): NewBody {
    const { run, random } = this.#options
    return new UpstreamBody(`${run}/${random.bytes(16).toString('hex')}`, this.#options)
  }

  async open(name: string): Promise<OpenBody> {
    const { engine } = this.#options
    if (!nameForm.test(name)) throw internalError('a row names a body that is none')
    return { read: (start, end) => read(engine, name, start, end), close: async () => {} }
  }

  async remove(name: string): Promise<void> {
    if (!nameForm.test(name)) return
    try {
      await this.#options.engine.call({ method: 'DELETE', name })
    } catch (error) {
      if (error instanceof UpstreamFailure && error.isAbsence) return
      throw upstreamError('a body cannot be removed', error)
    }
  }

  async close(): Promise<void> {
    this.#options.engine.close()
    await this.#options.probe.stop()
    await this.#options.former.stop()
  }
}

async function* read(engine: UpstreamEngine, name: string, start: number, end: number) {
  try {
    yield* engine.read(name, start, end)
  } catch (error) {
    throw upstreamError(`the body '${name}' cannot be read`, error)
  }
}
