import { ServiceError } from '../../../base/errors.ts'
import type { Field, Literal, Path, Selection, Test } from './syntax.ts'

type Item = Readonly<Record<string, unknown>>
export type Row = Readonly<Record<string, unknown>>

/**
 * What stands below a path. Below a list it is what stands below any of its members; a text that holds JSON is read
 * where something below it is asked for.
 */
function valuesAt(value: unknown, path: Path): readonly unknown[] {
  const [name, ...rest] = path
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, path))
  if (name === undefined) return value === undefined || value === null ? [] : [value]
  const object = typeof value === 'string' ? parsed(value) : value
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, name)) return []
  return valuesAt((object as Record<string, unknown>)[name], rest)
}

function parsed(text: string): unknown {
  if (!/^[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What looking for the items of one expression may take in all, in characters compared: some tenths of a second. */
export class Work {
  #left = 50_000_000

  /** Throws 'invalid-expression' beyond the bound, whoever wrote the texts. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) {
      throw new ServiceError(
        'invalid-expression',
        'The expression takes too long: narrow it, or use fewer wildcards.',
      )
    }
  }
}

export function holds(test: Test, item: Item, work: Work): boolean {
  switch (test.is) {
    case 'all':
      return test.tests.every((each) => holds(each, item, work))
    case 'any':
      return test.tests.some((each) => holds(each, item, work))
    case 'not':
      return !holds(test.test, item, work)
    case 'null':
      return valuesAt(item, test.path).length === 0
    case 'in':
      return valuesAt(item, test.path).some((value) =>
        test.values.some((each) => isEqual(value, each)),
      )
    case 'like':
      return valuesAt(item, test.path).some((value) => isLike(String(value), test.pattern, work))
    case 'compare': {
      const { operator, value: wanted } = test
      const values = valuesAt(item, test.path)
      if (operator === '!=') return values.length > 0 && !values.some((one) => isEqual(one, wanted))
      return values.some((value) => compares(value, operator, wanted))
    }
  }
}

/** Texts, numbers and booleans are compared as what the literal is. */
function isEqual(value: unknown, literal: Literal): boolean {
  return typeof literal === 'string' ? String(value) === literal : String(value) === String(literal)
}

function compares(value: unknown, operator: '=' | '<' | '<=' | '>' | '>=', to: Literal): boolean {
  if (operator === '=') return isEqual(value, to)
  const [one, other] = typeof to === 'number' ? [Number(value), to] : [String(value), String(to)]
  if (operator === '<') return one < other
  if (operator === '>') return one > other
  return operator === '<=' ? one <= other : one >= other
}

/** `%` stands for any characters, `_` for one; the others for themselves, as in AWS without regard to case. */
function isLike(text: string, pattern: string, work: Work): boolean {
  const [value, wanted] = [text.toLowerCase(), pattern.toLowerCase()]
  work.spend(value.length)
  let [at, of, star, mark] = [0, 0, -1, 0]
  while (at < value.length) {
    if (
      of < wanted.length &&
      wanted[of] !== '%' &&
      (wanted[of] === '_' || wanted[of] === value[at])
    ) {
      at++
      of++
    } else if (wanted[of] === '%') {
      star = of++
      mark = at
    } else if (star >= 0) {
      work.spend(at - mark + 1)
      of = star + 1
      at = ++mark
    } else return false
  }
  while (wanted[of] === '%') of++
  return of === wanted.length
}

/** One item as the fields show it: nested as they are, AWS writes `{"configuration":{"keyState":"Enabled"}}`. */
export function shownRow(fields: readonly Field[], item: Item): Row {
  const row: Record<string, unknown> = {}
  for (const { path } of fields) {
    if (path === 'count') continue
    if (path === 'all') Object.assign(row, withoutInner(item))
    else place(row, path, item)
  }
  return row
}

function place(row: Record<string, unknown>, path: Path, item: Item): void {
  const values = valuesAt(item, path)
  if (values.length === 0) return
  const isOne = values.length === 1 && !Array.isArray(plainAt(item, path))
  let within = row
  for (const name of path.slice(0, -1)) {
    const inner = Object.hasOwn(within, name) ? within[name] : {}
    // What is shown whole already has it.
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return
    const copy: Record<string, unknown> = { ...inner }
    define(within, name, copy)
    within = copy
  }
  define(within, path.at(-1) ?? '', isOne ? values[0] : values)
}

/** Any name is a member like others, `__proto__` too. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    ...{ value, enumerable: true, configurable: true, writable: true },
  })
}

function plainAt(value: unknown, path: Path): unknown {
  const [name, ...rest] = path
  if (name === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return plainAt((value as Record<string, unknown>)[name], rest)
}

function withoutInner({ eventID, ...item }: Item): Item {
  return item
}

/** Counts items by what is grouped by; without that, all of them. */
export function grouped(selection: Selection, items: readonly Item[]): readonly Row[] {
  const { fields, groupBy } = selection
  const groups = new Map<string, { readonly row: Row; count: number }>()
  const paths = fields.filter(({ path }) => path !== 'count')
  for (const item of items) {
    const key = JSON.stringify(groupBy.map((path) => valuesAt(item, path)))
    const known = groups.get(key)
    if (known === undefined) groups.set(key, { row: shownRow(paths, item), count: 1 })
    else known.count++
  }
  if (groupBy.length === 0 && groups.size === 0) return [{ 'COUNT(*)': 0 }]
  const counts = fields.some(({ path }) => path === 'count')
  return [...groups.values()].map(({ row, count }) =>
    counts ? { ...row, 'COUNT(*)': count } : row,
  )
}

export function ordered(selection: Selection, rows: readonly Row[]): readonly Row[] {
  if (selection.orderBy.length === 0) return rows
  const value = (row: Row, name: string) =>
    Object.hasOwn(row, name) ? row[name] : valuesAt(row, name.split('.'))[0]
  return [...rows].sort((a, b) => {
    for (const { name, descending } of selection.orderBy) {
      const [one, other] = [value(a, name), value(b, name)]
      const before =
        typeof one === 'number' && typeof other === 'number'
          ? one - other
          : String(one ?? '') < String(other ?? '')
            ? -1
            : String(one ?? '') > String(other ?? '')
              ? 1
              : 0
      if (before !== 0) return descending ? -before : before
    }
    return 0
  })
}
