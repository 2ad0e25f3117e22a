import { hash } from 'node:crypto'
import { invalidLimit, invalidToken } from './errors.ts'

/**
 * A token that holds where the next page begins, good only for the request that it was given for. It needs no secret:
 * whoever forges one reads his own list from another place.
 */
export function tokenOf(position: string, scope: readonly unknown[]): string {
  const digest = hash('sha256', JSON.stringify([scope, position]), 'base64url')
  return `${Buffer.from(position).toString('base64url')}.${digest.slice(0, 22)}`
}

/** Throws 'invalid-next-token' for any that was not given out for this request. Undefined: from the start. */
export function positionOf(
  token: string | undefined,
  scope: readonly unknown[],
): string | undefined {
  // The first page of some requests comes with an empty token.
  if (token === undefined || token === '') return undefined
  const position = Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString()
  if (tokenOf(position, scope) !== token) throw invalidToken()
  return position
}

export function limitOf(limit: number | undefined, max: number, standard: number): number {
  const wanted = limit ?? 0
  if (wanted < 0 || wanted > max) throw invalidLimit(max)
  return wanted === 0 ? standard : wanted
}

/** One page of values that are at hand, in the order of their texts. */
export function pageOf<T>(
  items: readonly T[],
  textOf: (item: T) => string,
  page: {
    readonly token: string | undefined
    readonly scope: readonly unknown[]
    readonly limit: number
  },
): { readonly items: readonly T[]; readonly NextToken: string | undefined } {
  const after = positionOf(page.token, page.scope)
  const rest = after === undefined ? items : items.filter((item) => textOf(item) > after)
  const shown = rest.slice(0, page.limit)
  const last = shown.at(-1)
  const NextToken =
    rest.length > shown.length && last !== undefined ? tokenOf(textOf(last), page.scope) : undefined
  return { items: shown, NextToken }
}
