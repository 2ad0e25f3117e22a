import { ServiceError } from '../../../base/errors.ts'
import { list, required, string, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { check, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { wholeItem } from '../item.ts'
import { limitOf, positionOf, tokenOf } from '../paging.ts'
import { parseSelection } from '../select/parse.ts'
import { grouped, holds, ordered, type Row, shownRow, Work } from '../select/run.ts'
import type { Selection } from '../select/syntax.ts'
import { limit, nextToken } from '../shapes.ts'

/** Resources that one page of the history brings. */
const perPage = 200
/** Beyond so many resources that fit, an expression has to say more. */
const foundMax = 10_000
/** Characters of their records, so that they fit into memory. */
const foundCharactersMax = 32 * 1024 * 1024

type Item = Readonly<Record<string, unknown>>

/**
 * The resources that there are now of which an expression holds.
 * https://docs.aws.amazon.com/config/latest/APIReference/API_SelectResourceConfig.html
 */
export const selectResourceConfig = operation({
  name: 'SelectResourceConfig',
  input: structure({
    Expression: required(string({ min: 1, max: 4096 })),
    Limit: limit,
    NextToken: nextToken,
  }),
  output: structure({
    Results: list(string()),
    QueryInfo: structure({ SelectFields: list(structure({ Name: string() })) }),
    NextToken: nextToken,
  }),
  effects: 'read',
  errors: ['invalid-expression', 'invalid-limit', 'invalid-next-token'],
  resolve(_call, { Expression, Limit, NextToken }, _deps: ConfigDeps) {
    const selection = parseSelection(Expression)
    const scope = ['select', Expression]
    const skip = Number(positionOf(NextToken, scope) ?? 0)
    return { selection, scope, skip, limit: limitOf(Limit, 100, 25) }
  },
  checks: (call) => check(call, 'SelectResourceConfig'),
  audit: { request: (request) => shown(request, ['Expression', 'Limit']) },
  async handle(call, _request, { selection, scope, skip, limit }, deps) {
    const found = await matching(call, selection, deps)
    const { fields, groupBy } = selection
    const isGrouped = groupBy.length > 0 || fields.some(({ path }) => path === 'count')
    const rows: readonly Row[] = isGrouped
      ? grouped(selection, found)
      : found.map((item) => shownRow(fields, item))
    const page = ordered(selection, rows).slice(skip, skip + limit)
    const isMore = rows.length > skip + limit
    return {
      output: {
        Results: page.map((row) => JSON.stringify(row)),
        QueryInfo: { SelectFields: fields.map(({ name }) => ({ Name: name })) },
        ...(isMore && { NextToken: tokenOf(String(skip + limit), scope) }),
      },
    }
  },
})

/** In pages, between which others have their turns. */
async function matching(
  call: CallContext,
  { where }: Selection,
  { history, archive }: ConfigDeps,
): Promise<readonly Item[]> {
  const found: Item[] = []
  const work = new Work()
  let characters = 0
  let after: { readonly type: string; readonly resource: string } | undefined
  for (;;) {
    const page = { deleted: false, records: true, limit: perPage, after }
    const rows = await history.resources({ ...whereOf(call), ...page })
    for (const { record } of rows) {
      if (record === undefined) continue
      const item = await wholeItem(record, archive)
      // A long one stalls others for as long as it takes: they have their turn after each.
      if (record.length > longRecord) await new Promise((resolve) => setImmediate(resolve))
      if (where === undefined || holds(where, item, work)) {
        found.push(item)
        characters += wholeLength(record, item)
      }
      if (found.length > foundMax || characters > foundCharactersMax) {
        throw new ServiceError(
          'invalid-expression',
          `More than ${foundMax} resources, or too much of them, fit the expression: narrow it with WHERE.`,
        )
      }
    }
    after = rows.at(-1)
    if (after === undefined) return found
  }
}

const longRecord = 8 * 1024

/** What was left out of the record is in the item, and may be as long again many times. */
function wholeLength(record: string, item: Item): number {
  return record.includes('"left":[') ? JSON.stringify(item).length : record.length
}
