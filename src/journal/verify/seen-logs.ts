import type { Checkpoint } from '../checkpoint.ts'
import type { VerifierKey } from '../note-keys.ts'
import { printable, signatureFault } from './checkpoint-chain.ts'
import type { EntryFault } from './entry-check.ts'
import { underName } from './journal-keys.ts'

/** More logs than a folder has had in its life. */
const logsMax = 10_000

/** What the root log has of the other logs: the last signed checkpoint of each, and that none went back. */
export class SeenLogs {
  readonly #keys: readonly VerifierKey[]
  readonly #last = new Map<string, Checkpoint>()

  constructor(keys: readonly VerifierKey[]) {
    this.#keys = keys
  }

  /** By their origins, in the order in which they came up. */
  get last(): ReadonlyMap<string, Checkpoint> {
    return this.#last
  }

  /** The next entry of the root log. */
  add(checkpoint: Checkpoint): EntryFault | undefined {
    const { origin, size } = checkpoint
    const fault = signatureFault(checkpoint, underName(origin, this.#keys))
    if (fault !== undefined) {
      const message = `the checkpoint of ${printable(origin)} in the root log ${fault}`
      return { kind: 'checkpoint-signature', message }
    }
    const before = this.#last.get(origin)?.size ?? 0
    if (size < before || this.#last.size >= logsMax) {
      const message = `the root log has a checkpoint of ${printable(origin)} of ${size} records behind one of ${before}`
      return { kind: 'checkpoint-order', message }
    }
    this.#last.set(origin, checkpoint)
    return undefined
  }
}
