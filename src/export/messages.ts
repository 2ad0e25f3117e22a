import type { ExportSettings } from './settings.ts'

/** Where an export stands, as its thread says it. */
export type ExportState = {
  readonly name: string
  /** Index in the journal of what is handed on next. */
  readonly next: number
  /** ms since the epoch; undefined when nothing was since the start. */
  readonly deliveredAt: number | undefined
  readonly failure:
    | { readonly since: number; readonly reason: string; readonly attempts: number }
    | undefined
}

export type ExportThreadData = {
  readonly exports: readonly ExportSettings[]
  /** The journal of this process. */
  readonly journal: string
  /** The folder of the cursors. */
  readonly cursors: string
  readonly node: string
}

export type ToExports = { readonly kind: 'end' }
export type FromExports = { readonly kind: 'state'; readonly state: ExportState }
