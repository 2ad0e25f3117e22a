/** What is wrong with a journal. `docs/operate/audit.md` has a line on each. */
export type FindingKind =
  | 'altered-record'
  | 'missing-records'
  | 'repeated-records'
  | 'erased-records'
  | 'bytes-behind'
  | 'malformed-frame'
  | 'malformed-entry'
  | 'duplicate-event'
  | 'missing-file'
  | 'foreign-file'
  | 'file-size'
  | 'segment-header'
  | 'other-segment'
  | 'origin'
  | 'signed-root'
  | 'checkpoint-form'
  | 'checkpoint-order'
  | 'checkpoint-signature'
  | 'older-checkpoint'
  | 'unsigned'
  | 'rolled-back'
  | 'fork'
  | 'unknown-origin'
  | 'other-key'

export type Place = {
  readonly file: string
  /** In bytes from the beginning of the file. */
  readonly byte?: number
  /** Index of the record, or of the first of those it may be. */
  readonly record?: number
}

/** The journal is not what was written and signed. The message is one sentence without its place. */
export class NotWhole extends Error {
  override readonly name = 'NotWhole'
  readonly kind: FindingKind
  readonly place: Place

  constructor(kind: FindingKind, place: Place, message: string) {
    super(message)
    this.kind = kind
    this.place = place
  }
}

/** As in `records 12 to 20`, without `to` itself. */
export function records(from: number, to: number): string {
  return to - from <= 1 ? `record ${from}` : `records ${from} to ${to - 1}`
}

export function isOrAre(from: number, to: number): 'is' | 'are' {
  return to - from <= 1 ? 'is' : 'are'
}
