import { ServiceError } from '../base/errors.ts'

/**
 * A JSON reader for policy documents (RFC 8259), stricter than `JSON.parse`: a member that appears twice in one object
 * is refused, because two readers could disagree about which one counts; depth is bounded; and every value remembers
 * where it stands, so that its author can be told.
 */
export type JsonValue =
  | {
      readonly type: 'object'
      readonly at: Location
      readonly members: ReadonlyMap<string, JsonValue>
    }
  | { readonly type: 'array'; readonly at: Location; readonly items: readonly JsonValue[] }
  | { readonly type: 'string'; readonly at: Location; readonly text: string }
  /** `text` is the literal as it was written. */
  | { readonly type: 'number' | 'boolean' | 'null'; readonly at: Location; readonly text: string }

/** Where a value starts: line and column from 1, and the way to it from the top of the document. */
export type Location = {
  readonly line: number
  readonly column: number
  readonly parent: Location | undefined
  readonly step: string | number
}

export type JsonLimits = { readonly bytesMax: number; readonly depthMax: number }

const pathLengthMax = 200
const outsideCharset = /[^\t\n\r\u0020-\u00ff]/
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const literals = [
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
] as const

/**
 * Throws 'limit-exceeded' for a text of more than `bytesMax` bytes in UTF-8, else 'malformed-policy' with line, column
 * and path. Characters are TAB, LF, CR and U+0020 to U+00FF, also those written as escapes.
 */
export function readJson(text: string, limits: JsonLimits): JsonValue {
  // A string of n UTF-16 units has at least n bytes, so a huge one is refused without being encoded.
  if (text.length > limits.bytesMax || Buffer.byteLength(text) > limits.bytesMax) {
    throw new ServiceError(
      'limit-exceeded',
      `The policy document is larger than ${limits.bytesMax} bytes.`,
    )
  }
  return new Reader(text, limits.depthMax).document()
}

/** What is wrong with a policy, in the kinds that IAM tells apart. */
export type Fault =
  /** The text is no JSON of the kind that policies are. */
  | 'json'
  | 'structure'
  | 'version'
  | 'repeated-sid'
  | 'no-action'
  | 'no-resource'
  | 'resource-in-trust-policy'
  | 'no-principal'
  | 'principal-in-identity-policy'
  | 'not-principal-in-trust-policy'
  | 'action-not-of-sts'
  | 'condition-without-vendor'
  /** A value that its place does not take. */
  | 'value'

export class PolicyFault extends ServiceError {
  readonly fault: Fault
  readonly at: Location
  /** What is wrong, without its place. */
  readonly sentence: string

  constructor(at: Location, sentence: string, fault: Fault) {
    const path = pathOf(at)
    const place = path === '' ? '' : ` (${path})`
    super(
      'malformed-policy',
      `Policy contains a syntax error at line ${at.line}, column ${at.column}${place}: ${sentence}`,
    )
    this.fault = fault
    this.at = at
    this.sentence = sentence
  }
}

/** A 'malformed-policy' failure that tells the author of the document where it is. */
export function syntaxError(at: Location, sentence: string, fault: Fault = 'value'): PolicyFault {
  return new PolicyFault(at, sentence, fault)
}

/** For example `Statement[0].Condition.StringEquals.kms:ViaService`. */
export function pathOf(at: Location): string {
  let path = ''
  for (let place = at; place.parent !== undefined; place = place.parent) {
    path = typeof place.step === 'number' ? `[${place.step}]${path}` : `.${place.step}${path}`
    if (path.length > pathLengthMax) return `…${path.slice(-pathLengthMax)}`
  }
  return path.startsWith('.') ? path.slice(1) : path
}

function jsonError(at: Location, sentence: string): PolicyFault {
  return syntaxError(at, sentence, 'json')
}

class Reader {
  readonly #text: string
  readonly #depthMax: number
  #offset = 0
  #line = 1
  #lineStart = 0

  constructor(text: string, depthMax: number) {
    this.#text = text
    this.#depthMax = depthMax
  }

  document(): JsonValue {
    const outside = outsideCharset.exec(this.#text)
    if (outside !== null) throw this.#outsideCharset(outside.index)
    this.#space()
    const value = this.#value(undefined, '', 1)
    this.#space()
    if (this.#offset < this.#text.length) throw this.#unexpected(value.at, 'the end of the text')
    return value
  }

  #value(parent: Location | undefined, step: string | number, depth: number): JsonValue {
    const at = this.#here(parent, step)
    if (depth > this.#depthMax) {
      throw jsonError(at, `the document is nested more than ${this.#depthMax} levels deep.`)
    }
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#object(at, depth)
      case '[':
        return this.#array(at, depth)
      case '"':
        return { type: 'string', at, text: this.#string(at) }
    }
    for (const [text, type] of literals) {
      if (this.#text.startsWith(text, this.#offset)) {
        this.#offset += text.length
        return { type, at, text }
      }
    }
    numberPattern.lastIndex = this.#offset
    const number = numberPattern.exec(this.#text)
    if (number === null) throw this.#unexpected(at, 'a value')
    this.#offset = numberPattern.lastIndex
    return { type: 'number', at, text: number[0] }
  }

  #object(at: Location, depth: number): JsonValue {
    const members = new Map<string, JsonValue>()
    this.#offset++
    this.#space()
    if (this.#take('}')) return { type: 'object', at, members }
    for (;;) {
      const nameAt = this.#here(at, '')
      if (this.#text[this.#offset] !== '"') throw this.#unexpected(at, 'a member name')
      const name = this.#string(at)
      if (members.has(name)) {
        throw jsonError({ ...nameAt, step: name }, 'the member appears more than once.')
      }
      this.#space()
      if (!this.#take(':')) throw this.#unexpected(at, '":"')
      this.#space()
      members.set(name, this.#value(at, name, depth + 1))
      this.#space()
      if (this.#take('}')) return { type: 'object', at, members }
      if (!this.#take(',')) throw this.#unexpected(at, '"," or "}"')
      this.#space()
    }
  }

  #array(at: Location, depth: number): JsonValue {
    const items: JsonValue[] = []
    this.#offset++
    this.#space()
    if (this.#take(']')) return { type: 'array', at, items }
    for (;;) {
      items.push(this.#value(at, items.length, depth + 1))
      this.#space()
      if (this.#take(']')) return { type: 'array', at, items }
      if (!this.#take(',')) throw this.#unexpected(at, '"," or "]"')
      this.#space()
    }
  }

  #string(at: Location): string {
    const start = this.#offset
    let escaped = false
    for (let offset = start + 1; ; offset++) {
      const code = this.#text.charCodeAt(offset)
      if (code === quote) {
        this.#offset = offset + 1
        break
      }
      if (code === backslash) {
        escaped = true
        offset++
      } else if (Number.isNaN(code) || code < 0x20) {
        this.#offset = Math.min(offset, this.#text.length)
        throw this.#unexpected(at, 'the end of the string')
      }
    }
    if (!escaped) return this.#text.slice(start + 1, this.#offset - 1)
    return this.#unescape(start, at)
  }

  #unescape(start: number, at: Location): string {
    let text: string
    try {
      text = JSON.parse(this.#text.slice(start, this.#offset))
    } catch {
      throw jsonError(this.#at(start, at, ''), 'the string has an escape that JSON does not know.')
    }
    if (outsideCharset.test(text)) throw this.#outsideCharset(start)
    return text
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset)
      if (code === lineFeed) {
        this.#line++
        this.#lineStart = this.#offset + 1
      } else if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return
      this.#offset++
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false
    this.#offset++
    return true
  }

  #here(parent: Location | undefined, step: string | number): Location {
    return this.#at(this.#offset, parent, step)
  }

  /** No value spans lines before it is entered, so the current line is the offset's line. */
  #at(offset: number, parent: Location | undefined, step: string | number): Location {
    return { line: this.#line, column: offset - this.#lineStart + 1, parent, step }
  }

  #unexpected(within: Location, expected: string): PolicyFault {
    const { line, column } = this.#here(undefined, '')
    return jsonError({ ...within, line, column }, `expected ${expected}.`)
  }

  #outsideCharset(offset: number): PolicyFault {
    const before = this.#text.slice(0, offset)
    const line = before.split('\n').length
    const column = offset - before.lastIndexOf('\n')
    return jsonError(
      { line, column, parent: undefined, step: '' },
      'only tab, line feed, carriage return and the characters U+0020 to U+00FF may appear.',
    )
  }
}

const quote = 0x22
const backslash = 0x5c
const lineFeed = 0x0a
