import type { ExportedKind } from './settings.ts'

/** One entry of the journal, as a sink gets it. */
export type Entry = {
  /** In the journal, from 0. */
  readonly index: number
  readonly kind: ExportedKind
  /** The exact text that was recorded, on one line. */
  readonly record: string
}

/** Of a sink of files: up to where the file that is written to is good. */
export type SinkState = { readonly file: string; readonly bytes: number }

/** Where an export goes to. */
export interface Sink {
  /**
   * Resolves once the receiver has all of them, with the state that the next call gets; `state` is undefined at first
   * and after the journal went back. Rejects when the receiver may not have them: they are then given again, in the
   * same order, for ever.
   */
  deliver(entries: readonly Entry[], state: SinkState | undefined): Promise<SinkState | undefined>
  /** What is under way rejects. */
  close(): void
}

/** Why a receiver did not take something, for the status and the log: never with what was to be taken, or a secret. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
}

export function lines(entries: readonly Entry[]): Buffer {
  return Buffer.from(entries.map(({ record }) => `${record}\n`).join(''))
}
