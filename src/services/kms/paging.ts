import { hash } from 'node:crypto'
import { invalidMarker } from './errors.ts'

export type PageRequest = {
  readonly Limit?: number | undefined
  readonly Marker?: string | undefined
}

/** How a list can be read on from a position. */
export type Listing<Item> = {
  /** What is listed, for whom: a marker is good for nothing else. */
  readonly scope: readonly string[]
  readonly defaultLimit: number
  /** At most `count` items after the position, or from the start, in the order of their positions. */
  after(position: string | undefined, count: number): readonly Item[]
  positionOf(item: Item): string
}

export type Page<Item> = {
  readonly items: readonly Item[]
  readonly truncated: { readonly NextMarker?: string; readonly Truncated: boolean }
}

/**
 * One page of a list. A marker holds the position of the last item seen, so pages neither repeat nor skip what stays
 * in the list while it changes, and none is kept on the server. Throws 'invalid-marker' for any that was not given out
 * for this very list.
 */
export function readPage<Item>(request: PageRequest, listing: Listing<Item>): Page<Item> {
  const limit = request.Limit ?? listing.defaultLimit
  const position =
    request.Marker === undefined ? undefined : positionIn(request.Marker, listing.scope)
  const found = listing.after(position, limit + 1)
  if (found.length <= limit) return { items: found, truncated: { Truncated: false } }
  const items = found.slice(0, limit)
  const last = items[limit - 1]
  if (last === undefined) return { items, truncated: { Truncated: false } }
  const NextMarker = markerOf(listing.positionOf(last), listing.scope)
  return { items, truncated: { NextMarker, Truncated: true } }
}

/**
 * The position and a digest that binds it to the list. Markers need no secret: whoever forges one reads his own list
 * from another place.
 */
function markerOf(position: string, scope: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify([...scope, position]), 'base64url')
  return `${Buffer.from(position).toString('base64url')}.${digest.slice(0, 22)}`
}

function positionIn(marker: string, scope: readonly string[]): string {
  const position = Buffer.from(marker.split('.', 1)[0] ?? '', 'base64url').toString()
  if (markerOf(position, scope) !== marker) throw invalidMarker()
  return position
}

/** A listing over few values that are at hand and in the order of their positions. */
export function afterIn<Item>(items: readonly Item[], positionOf: (item: Item) => string) {
  return (position: string | undefined, count: number): readonly Item[] =>
    (position === undefined ? items : items.filter((item) => positionOf(item) > position)).slice(
      0,
      count,
    )
}
