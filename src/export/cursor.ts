import { type Files, readSmallFile, replaceFile } from '../journal/files.ts'
import type { Position } from '../journal/journal-reader.ts'
import { type ReadFrame, stillHolds } from '../journal/last-frame.ts'
import type { SinkState } from './sink.ts'

/** Where in its journal an export stands. */
export type Place = {
  /** Before the batch that holds the next entry. */
  readonly position: Position
  /** Index of the next entry to hand on. */
  readonly next: number
  /** What was read last; absent at the beginning. */
  readonly last?: ReadFrame | undefined
}

export type Cursor = {
  /** Of the journal that the places are in. */
  readonly origin: string
  readonly place: Place
  /**
   * Places before it, the newest first, each about twice as far back as the one before: when the journal was restored,
   * or lost in a power cut what was never acknowledged, the export goes on from the newest that both still share.
   */
  readonly earlier: readonly Place[]
  readonly state?: SinkState | undefined
}

const cursorBytesMax = 64 * 1024

/** The file that a cursor is kept in; every replacement is on the disk before `write` answers. */
export class CursorFile {
  readonly #files: Files
  readonly #path: string

  constructor(files: Files, path: string) {
    this.#files = files
    this.#path = path
  }

  /** Undefined when there is none. Throws when it cannot be understood: to begin anew is for the operator to say. */
  read(): Cursor | undefined {
    const bytes = readSmallFile(this.#files, this.#path, cursorBytesMax)
    if (bytes === undefined) return undefined
    const cursor = parsed(bytes.toString('utf8'))
    if (isCursor(cursor)) return cursor
    throw new Error(`${this.#path} is damaged; without it the export begins anew`)
  }

  write(cursor: Cursor): void {
    replaceFile(this.#files, this.#path, Buffer.from(JSON.stringify(cursor)))
  }
}

/** The cursor behind another one of the same export. */
export function advanced(cursor: Cursor, place: Place, state: SinkState | undefined): Cursor {
  return {
    origin: cursor.origin,
    place,
    earlier: thinned([cursor.place, ...cursor.earlier]),
    state,
  }
}

/**
 * The newest place of a cursor that the journal still has, and whether it is the last one. Undefined when the journal
 * is another one, or shares nothing with it.
 */
export function placeIn(
  { origin, place, earlier }: Cursor,
  journal: { readonly files: Files; readonly directory: string; readonly origin: string },
): { readonly place: Place; readonly isLast: boolean } | undefined {
  if (origin !== journal.origin) return undefined
  const isThere = ({ last }: Place) =>
    last === undefined || stillHolds(journal.files, journal.directory, last)
  if (isThere(place)) return { place, isLast: true }
  const found = earlier.find(isThere)
  return found === undefined ? undefined : { place: found, isLast: false }
}

function thinned(places: readonly Place[]): readonly Place[] {
  const [newest] = places
  if (newest === undefined) return places
  const kept = [newest]
  const distanceOf = ({ next }: Place) => newest.next - next
  let reached = 1
  for (const [at, place] of places.entries()) {
    if (at === 0) continue
    const older = places[at + 1]
    // One is left out while the next older one is near enough to stand for it.
    if (older !== undefined && distanceOf(older) <= 2 * reached) continue
    kept.push(place)
    reached = Math.max(1, distanceOf(place))
  }
  return kept
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCursor(value: unknown): value is Cursor {
  if (!isObject(value) || typeof value['origin'] !== 'string') return false
  const { place, earlier, state } = value
  return (
    isPlace(place) &&
    Array.isArray(earlier) &&
    earlier.every(isPlace) &&
    (state === undefined || isState(state))
  )
}

function isPlace(value: unknown): value is Place {
  if (!isObject(value) || !isObject(value['position'])) return false
  const { position, next, last } = value
  return (
    areNumbers(position, 'segment', 'offset', 'sequence', 'batch') &&
    Number.isSafeInteger(next) &&
    (last === undefined || (isObject(last) && areNumbers(last, 'segment', 'offset', 'checksum')))
  )
}

function isState(value: unknown): boolean {
  return isObject(value) && typeof value['file'] === 'string' && areNumbers(value, 'bytes')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function areNumbers(value: object, ...names: readonly string[]): boolean {
  return names.every((name) => Number.isSafeInteger((value as Record<string, unknown>)[name]))
}
