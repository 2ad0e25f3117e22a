import { isUtf8 } from 'node:buffer'
import type { EntryKind } from '../../base/entry-kind.ts'
import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { EventIds } from './event-ids.ts'
import type { FindingKind } from './finding.ts'

const openingBrace = 0x7b
const closingBrace = 0x7d

export type CheckpointCheck = (checkpoint: Checkpoint) => EntryFault | undefined

export type EntryFault = { readonly kind: FindingKind; readonly message: string }

/**
 * Whether entries are what entries are. Of an event it looks at the first and the last character and that it is UTF-8,
 * since the tree says that it is what was recorded; `thorough` parses every one and looks for ids that stand twice.
 */
export class EntryCheck {
  readonly #ids: EventIds | undefined
  readonly #checkpoints: CheckpointCheck | undefined

  /** `checkpoints` looks at those of other logs; undefined where none may be. */
  constructor(options: {
    readonly thorough: boolean
    readonly checkpoints: CheckpointCheck | undefined
  }) {
    this.#ids = options.thorough ? new EventIds() : undefined
    this.#checkpoints = options.checkpoints
  }

  check(kind: EntryKind, text: Buffer): EntryFault | undefined {
    if (kind === 'checkpoint') return this.#checkpoint(text)
    if (text[0] !== openingBrace || text[text.length - 1] !== closingBrace || !isUtf8(text)) {
      return malformed(`the ${kind} is no JSON object`)
    }
    // The others are rare.
    if (kind === 'event' && this.#ids === undefined) return undefined
    return this.#object(kind, text.toString())
  }

  #object(kind: string, text: string): EntryFault | undefined {
    const id = eventIdOf(text)
    if (id === undefined) return malformed(`the ${kind} is no JSON object with an eventID`)
    if (this.#ids?.add(Buffer.from(id)) !== false) return undefined
    return {
      kind: 'duplicate-event',
      message: `the eventID ${id} stands in an earlier record, too`,
    }
  }

  #checkpoint(text: Buffer): EntryFault | undefined {
    if (this.#checkpoints === undefined)
      return malformed('checkpoints of other logs belong to the root log')
    const checkpoint = parseCheckpoint(text.toString())
    if (typeof checkpoint === 'string') {
      return malformed(`what should be a checkpoint of a log has ${checkpoint}`)
    }
    return this.#checkpoints(checkpoint)
  }
}

/** The member `eventID` of a JSON object, or undefined if it is none or has none. */
export function eventIdOf(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || !('eventID' in parsed)) return undefined
    const { eventID } = parsed
    return typeof eventID === 'string' && /^[\w.:-]{1,128}$/.test(eventID) ? eventID : undefined
  } catch {
    return undefined
  }
}

function malformed(message: string): EntryFault {
  return { kind: 'malformed-entry', message }
}
