import {
  type Field,
  invalidExpression,
  type Literal,
  type Path,
  type Selection,
  type Test,
  type Token,
  tokensOf,
} from './syntax.ts'

/** Members that an item has at the top; whatever else is named stands below one of them. */
const members = [
  ...['version', 'accountId', 'configurationItemCaptureTime', 'configurationItemStatus'],
  ...['configurationStateId', 'arn', 'resourceType', 'resourceId', 'resourceName', 'awsRegion'],
  ...['availabilityZone', 'resourceCreationTime', 'tags', 'relatedEvents', 'relationships'],
  ...['configuration', 'supplementaryConfiguration'],
]
const words = [
  ...['select', 'where', 'and', 'or', 'not', 'like', 'in', 'group', 'order', 'by', 'asc', 'desc'],
  ...['is', 'null', 'between', 'join', 'from', 'having', 'as', 'distinct', 'limit'],
]
const depthMax = 32

/**
 * SELECT, WHERE, GROUP BY and ORDER BY over items. Throws 'invalid-expression' with the place of what is not
 * understood. https://docs.aws.amazon.com/config/latest/developerguide/query-components.html
 */
export function parseSelection(expression: string): Selection {
  return new Parser(expression).selection()
}

class Parser {
  readonly #expression: string
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(expression: string) {
    this.#expression = expression
    this.#tokens = tokensOf(expression)
  }

  selection(): Selection {
    this.#word('select')
    const fields = this.#list(() => this.#field())
    const where = this.#takes('where') ? this.#any(0) : undefined
    const groupBy = this.#takes('group') ? this.#by(() => this.#path()) : []
    const orderBy = this.#takes('order') ? this.#by(() => this.#ordering(fields)) : []
    if (this.#token().kind !== 'end') throw this.#unexpected('the end')
    this.#requireGroups(fields, groupBy)
    return { fields, where, groupBy, orderBy }
  }

  #requireGroups(fields: readonly Field[], groupBy: readonly Path[]): void {
    const counts = fields.some(({ path }) => path === 'count')
    if (!counts && groupBy.length === 0) return
    const grouped = groupBy.map((path) => path.join('.'))
    const other = fields.find(({ name, path }) => path !== 'count' && !grouped.includes(name))
    if (other === undefined) return
    throw invalidExpression(this.#expression, 0, `${other.name} is neither counted nor grouped by`)
  }

  #by<T>(read: () => T): readonly T[] {
    this.#word('by')
    return this.#list(read)
  }

  #list<T>(read: () => T): readonly T[] {
    const items = [read()]
    while (this.#takesSign(',')) items.push(read())
    return items
  }

  #field(): Field {
    if (this.#takesSign('*')) return { name: '*', path: 'all' }
    const token = this.#token()
    if (token.kind === 'name' && token.text.toLowerCase() === 'count') {
      this.#next++
      for (const each of ['(', '*', ')']) this.#sign(each)
      return { name: 'COUNT(*)', path: 'count' }
    }
    const path = this.#path()
    return { name: path.join('.'), path }
  }

  #ordering(fields: readonly Field[]) {
    const at = this.#token()
    const { name } = this.#field()
    if (!fields.some((field) => field.name === name || field.path === 'all')) {
      throw invalidExpression(this.#expression, at.at, `${name} is not selected`)
    }
    const descending = this.#takes('desc')
    if (!descending) this.#takes('asc')
    return { name, descending }
  }

  #any(depth: number): Test {
    const tests = [this.#every(depth)]
    while (this.#takes('or')) tests.push(this.#every(depth))
    const [only] = tests
    return tests.length === 1 && only !== undefined ? only : { is: 'any', tests }
  }

  #every(depth: number): Test {
    const tests = [this.#one(depth)]
    while (this.#takes('and')) tests.push(this.#one(depth))
    const [only] = tests
    return tests.length === 1 && only !== undefined ? only : { is: 'all', tests }
  }

  #one(depth: number): Test {
    if (depth > depthMax) {
      throw invalidExpression(this.#expression, this.#token().at, 'it is nested too deeply')
    }
    if (this.#takes('not')) return { is: 'not', test: this.#one(depth + 1) }
    if (this.#takesSign('(')) {
      const test = this.#any(depth + 1)
      this.#sign(')')
      return test
    }
    return this.#comparison()
  }

  #comparison(): Test {
    const path = this.#path()
    if (this.#takes('is')) {
      const isNot = this.#takes('not')
      this.#word('null')
      const test: Test = { is: 'null', path }
      return isNot ? { is: 'not', test } : test
    }
    const isNot = this.#takes('not')
    const test = this.#membership(path) ?? (isNot ? undefined : this.#comparing(path))
    if (test === undefined) throw this.#unexpected('a comparison')
    return isNot ? { is: 'not', test } : test
  }

  #membership(path: Path): Test | undefined {
    if (this.#takes('like')) {
      const token = this.#token()
      const pattern = this.#literal()
      if (typeof pattern === 'string') return { is: 'like', path, pattern }
      throw invalidExpression(this.#expression, token.at, 'a pattern is a text')
    }
    if (!this.#takes('in')) return undefined
    this.#sign('(')
    const values = this.#list(() => this.#literal())
    this.#sign(')')
    return { is: 'in', path, values }
  }

  #comparing(path: Path): Test | undefined {
    for (const operator of ['=', '!=', '<=', '>=', '<', '>'] as const) {
      if (this.#takesSign(operator)) {
        return { is: 'compare', path, operator, value: this.#literal() }
      }
    }
    if (!this.#takesSign('<>')) return undefined
    return { is: 'compare', path, operator: '!=', value: this.#literal() }
  }

  #literal(): Literal {
    const { kind, text } = this.#token()
    const word = text.toLowerCase()
    if (kind === 'text') return this.#taken(text)
    if (kind === 'number') return this.#taken(Number(text))
    if (kind === 'name' && (word === 'true' || word === 'false'))
      return this.#taken(word === 'true')
    throw this.#unexpected('a text in single quotes, a number, true or false')
  }

  #path(): Path {
    const { kind, text, at } = this.#token()
    if (kind !== 'name' || words.includes(text.toLowerCase())) throw this.#unexpected('a member')
    const path = text.split('.')
    const [top = ''] = path
    if (!members.includes(top)) {
      throw invalidExpression(this.#expression, at, `items have no member '${top}'`)
    }
    return this.#taken(path)
  }

  #taken<T>(value: T): T {
    this.#next++
    return value
  }

  #token(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1)
    if (token === undefined) throw new Error('an expression ends')
    return token
  }

  #takes(word: string): boolean {
    const { kind, text } = this.#token()
    const isIt = kind === 'name' && text.toLowerCase() === word
    if (isIt) this.#next++
    return isIt
  }

  #word(word: string): void {
    if (!this.#takes(word)) throw this.#unexpected(word.toUpperCase())
  }

  #takesSign(sign: string): boolean {
    const { kind, text } = this.#token()
    const isIt = kind === 'sign' && text === sign
    if (isIt) this.#next++
    return isIt
  }

  #sign(sign: string): void {
    if (!this.#takesSign(sign)) throw this.#unexpected(`'${sign}'`)
  }

  #unexpected(wanted: string) {
    const { text, at } = this.#token()
    return invalidExpression(this.#expression, at, `${wanted} is expected, and there is ${text}`)
  }
}
