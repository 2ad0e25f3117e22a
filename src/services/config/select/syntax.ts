import { ServiceError } from '../../../base/errors.ts'

/** A member of an item, as in `configuration.keyState`. */
export type Path = readonly string[]

export type Literal = string | number | boolean

export type Test =
  | { readonly is: 'all' | 'any'; readonly tests: readonly Test[] }
  | { readonly is: 'not'; readonly test: Test }
  | {
      readonly is: 'compare'
      readonly path: Path
      readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>='
      readonly value: Literal
    }
  | { readonly is: 'like'; readonly path: Path; readonly pattern: string }
  | { readonly is: 'in'; readonly path: Path; readonly values: readonly Literal[] }
  | { readonly is: 'null'; readonly path: Path }

export type Field = { readonly name: string; readonly path: Path | 'count' | 'all' }

export type Selection = {
  readonly fields: readonly Field[]
  readonly where: Test | undefined
  readonly groupBy: readonly Path[]
  readonly orderBy: readonly { readonly name: string; readonly descending: boolean }[]
}

/** One word of an expression, and where it begins. */
export type Token = {
  readonly kind: 'name' | 'text' | 'number' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

export function invalidExpression(expression: string, at: number, what: string): ServiceError {
  const before = expression.slice(0, at).split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  return new ServiceError(
    'invalid-expression',
    `The expression is not valid: line ${before.length}, column ${column}: ${what}`,
  )
}

const name = /[A-Za-z_][\w:-]*(?:\.[A-Za-z_][\w:-]*)*/y
const number = /-?\d+(?:\.\d+)?/y
const sign = /<>|!=|<=|>=|[=<>(),*]/y

/** Throws 'invalid-expression' for what is no word. */
export function tokensOf(expression: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(expression[at] ?? '')) at++
    if (at >= expression.length) return [...tokens, { kind: 'end', text: 'the end', at }]
    const token = textAt(expression, at) ?? wordAt(expression, at)
    if (token === undefined) {
      throw invalidExpression(expression, at, `'${expression[at]}' is not understood`)
    }
    tokens.push(token.token)
    at = token.end
  }
}

function wordAt(expression: string, at: number) {
  for (const [kind, form] of [
    ['name', name],
    ['number', number],
    ['sign', sign],
  ] as const) {
    form.lastIndex = at
    const [text] = form.exec(expression) ?? []
    if (text !== undefined) return { token: { kind, text, at }, end: at + text.length }
  }
  return undefined
}

/** In single quotes; two of them stand for one. */
function textAt(expression: string, at: number) {
  if (expression[at] !== "'") return undefined
  let end = at + 1
  let text = ''
  for (;;) {
    const close = expression.indexOf("'", end)
    if (close < 0) throw invalidExpression(expression, at, 'a text does not end')
    text += expression.slice(end, close)
    end = close + 1
    if (expression[end] !== "'") break
    text += "'"
    end++
  }
  return { token: { kind: 'text' as const, text, at }, end }
}
