import type { KeyUse } from '../journal/port.ts'
import { accountOf } from './facts.ts'
import { isUnavailable } from './outcome.ts'

/** What became of a key's uses, in the record of its own account. */
export type KeyHistory = {
  last?: KeyUse
  /** Failures while the key was disabled or pending deletion. */
  failures: number
  lastFailure?: KeyUse
}

/** By key. A use is a success of an operation that needs the key's material. */
export async function lastUses(
  uses: AsyncIterable<KeyUse>,
  operations: readonly string[],
): Promise<ReadonlyMap<string, KeyHistory>> {
  const tracked = new Set(operations)
  const found = new Map<string, KeyHistory>()
  for await (const use of uses) {
    const { key, account, name, error, count } = use
    if (account !== accountOf(key) || !tracked.has(name)) continue
    if (error !== '' && !isUnavailable(error)) continue
    const history = found.get(key) ?? { failures: 0 }
    found.set(key, history)
    if (error === '') history.last = later(history.last, use)
    else {
      history.failures += count
      history.lastFailure = later(history.lastFailure, use)
    }
  }
  return found
}

function later(before: KeyUse | undefined, use: KeyUse): KeyUse {
  return before === undefined || use.last > before.last ? use : before
}
