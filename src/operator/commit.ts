import { DutiesMixed } from '../authorize/analyse/mixed.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { type OutboxEvent, type Put, StoreConflict } from '../storage/port.ts'
import { OperatorError } from './socket.ts'

/** For what says who there is and what they may: keys that keep their duties separate bind the operator too. */
export async function commitGuarded(
  recorder: Recorder,
  puts: readonly Put[],
  events: readonly OutboxEvent[],
): Promise<void> {
  try {
    await commitRecorded(recorder, puts, events)
  } catch (error) {
    if (error instanceof StoreConflict) {
      throw new OperatorError('Somebody changed the same meanwhile: nothing was done, try again.')
    }
    if (error instanceof DutiesMixed) throw new OperatorError(`Refused: ${error.message}.`)
    throw error
  }
}
