import type { UpstreamEngine } from './engine.ts'
import { markerName } from './marker.ts'
import type { Probe } from './upstream-bodies.ts'

const everyMs = 5_000

/** Whether the engine answers: by the calls there are and, where there are none, by one of its own. */
export class EngineProbe implements Probe {
  readonly #engine: UpstreamEngine
  readonly #everyMs: number
  #answers = 0
  #probing: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(engine: UpstreamEngine, each = everyMs) {
    this.#engine = engine
    this.#everyMs = each
    this.#later()
  }

  get healthy(): boolean {
    return this.#engine.failure === undefined
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#probing
  }

  #later(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#probing = this.#probe().finally(() => this.#later())
    }, this.#everyMs).unref()
  }

  async #probe(): Promise<void> {
    const { answers, failure } = this.#engine
    if (answers === this.#answers || failure !== undefined) {
      // Its failure is the engine's, who remembers it.
      await this.#engine.call({ method: 'HEAD', name: markerName }, 1).catch(() => {})
    }
    this.#answers = this.#engine.answers
  }
}
