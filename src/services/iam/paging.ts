import { hash } from 'node:crypto'
import { validation } from './errors.ts'

const defaultItems = 100

export type PageRequest = {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

/** One page of a list that is at hand, in the order of `nameOf`; a marker is good for the list of `scope` alone. */
export function readPage<T>(
  request: PageRequest,
  scope: readonly string[],
  items: readonly T[],
  nameOf: (item: T) => string,
): { readonly items: readonly T[]; readonly page: { IsTruncated: boolean; Marker?: string } } {
  const rest = request.Marker === undefined ? items : behind(request.Marker, scope, items, nameOf)
  const shown = rest.slice(0, request.MaxItems ?? defaultItems)
  const last = shown.at(-1)
  if (shown.length === rest.length || last === undefined) {
    return { items: shown, page: { IsTruncated: false } }
  }
  return { items: shown, page: { IsTruncated: true, Marker: markerOf(nameOf(last), scope) } }
}

/** Of a position; a marker may have 320 characters. */
const positionBytesMax = 200

/**
 * The position and a digest that binds it to its list; whoever forges one reads his own list from another place. Of a
 * position that is too long, the digest alone.
 */
function markerOf(position: string, scope: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify([...scope, position]), 'base64url').slice(0, 22)
  const bytes = Buffer.from(position)
  return bytes.length > positionBytesMax ? digest : `${bytes.toString('base64url')}.${digest}`
}

/** What follows the position, whether or not that item is still there; a digest alone needs it. */
function behind<T>(
  marker: string,
  scope: readonly string[],
  items: readonly T[],
  nameOf: (item: T) => string,
): readonly T[] {
  if (marker.includes('.')) {
    const after = positionIn(marker, scope)
    return items.filter((item) => nameOf(item) > after)
  }
  const at = items.findIndex((item) => markerOf(nameOf(item), scope) === marker)
  if (at < 0) throw validation(`Invalid Marker: ${marker}`)
  return items.slice(at + 1)
}

function positionIn(marker: string, scope: readonly string[]): string {
  const position = Buffer.from(marker.split('.', 1)[0] ?? '', 'base64url').toString()
  if (markerOf(position, scope) !== marker) throw validation(`Invalid Marker: ${marker}`)
  return position
}
