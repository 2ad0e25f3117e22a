import { isUtf8 } from 'node:buffer'
import { ServiceError } from '../../base/errors.ts'
import { decodeBase64, isBase64Byte } from './base64.ts'

/** The bytes that JSON (RFC 8259) gives a meaning. */
export const quoteMark = 0x22
export const comma = 0x2c
export const colon = 0x3a
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
export const minus = 0x2d
export const letterF = 0x66
export const letterN = 0x6e
export const letterT = 0x74
const backslash = 0x5c
const point = 0x2e
const zero = 0x30
const nine = 0x39
const letterU = 0x75

/** Objects and lists inside one another; more is refused. */
export const depthMax = 32

export function serializationError(text: string, detail?: string): ServiceError {
  return new ServiceError('serialization', text, detail === undefined ? {} : { detail })
}

/** Buffer's own slicing, which `toString` wraps at a third of the cost of reading a string. */
type Bytes = Buffer & {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/**
 * The tokens of one JSON text, read from its bytes. As strict as RFC 8259, and stricter in one point: an escaped
 * surrogate without its other half is refused, since no UTF-8 text can hold it.
 *
 * Every failure is ServiceError 'serialization'.
 */
export class Scanner {
  readonly #bytes: Bytes
  readonly #end: number
  /** The position of the next byte to read. */
  #at = 0

  constructor(bytes: Buffer) {
    if (!isUtf8(bytes)) throw serializationError('Request body is not valid UTF-8')
    this.#bytes = bytes as Bytes
    this.#end = bytes.length
  }

  /** Steps over white space and answers the next byte without taking it; -1 at the end. */
  next(): number {
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at] as number
      if (byte > 0x20) return byte
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) throw this.malformed()
      this.#at++
    }
    return -1
  }

  /** Takes `byte` if it comes next, after white space. */
  take(byte: number): boolean {
    if (this.next() !== byte) return false
    this.#at++
    return true
  }

  expect(byte: number): void {
    if (!this.take(byte)) throw this.malformed()
  }

  /** Takes the string that begins here if it is `name`, written without escapes. */
  takeName(name: Uint8Array): boolean {
    const bytes = this.#bytes
    const start = this.#at + 1
    if (bytes[start + name.length] !== quoteMark) return false
    for (let index = 0; index < name.length; index++) {
      if (bytes[start + index] !== name[index]) return false
    }
    this.#at = start + name.length + 1
    return true
  }

  /** Takes `true`, `false` or `null`. */
  literal(text: string): void {
    for (let index = 0; index < text.length; index++) {
      if (this.#bytes[this.#at + index] !== text.charCodeAt(index)) throw this.malformed()
    }
    this.#at += text.length
  }

  /** Takes a string. The next byte is its quotation mark. */
  string(): string {
    const bytes = this.#bytes
    const start = this.#at + 1
    let seen = 0
    for (let at = start; at < this.#end; at++) {
      const byte = bytes[at] as number
      if (byte === quoteMark) {
        this.#at = at + 1
        return seen < 0x80 ? bytes.latin1Slice(start, at) : bytes.utf8Slice(start, at)
      }
      if (byte === backslash) return this.#escapedString(start)
      if (byte < 0x20) break
      seen |= byte
    }
    throw this.malformed()
  }

  #escapedString(start: number): string {
    let text = ''
    let from = start
    this.#at = start
    for (;;) {
      const byte = this.#stringByte()
      if (byte === quoteMark || byte === backslash) {
        text += this.#bytes.utf8Slice(from, this.#at - 1)
        if (byte === quoteMark) return text
        text += String.fromCodePoint(this.#escape())
        from = this.#at
      }
    }
  }

  /** Steps over a string without making one. */
  #skipString(): void {
    this.#at++
    for (;;) {
      const byte = this.#stringByte()
      if (byte === quoteMark) return
      if (byte === backslash) this.#escape()
    }
  }

  /** Takes one byte inside a string. */
  #stringByte(): number {
    const byte = this.#at < this.#end ? (this.#bytes[this.#at] as number) : -1
    if (byte < 0x20) throw this.malformed()
    this.#at++
    return byte
  }

  /** Takes what follows a backslash; answers the code point. */
  #escape(): number {
    const byte = this.#stringByte()
    if (byte !== letterU) return escapes.get(byte) ?? this.#fail()
    const unit = this.#hexadecimal()
    if (unit < 0xd800 || unit > 0xdfff) return unit
    if (unit > 0xdbff || this.#stringByte() !== backslash || this.#stringByte() !== letterU) {
      return this.#fail()
    }
    const low = this.#hexadecimal()
    if (low < 0xdc00 || low > 0xdfff) return this.#fail()
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
  }

  #hexadecimal(): number {
    let unit = 0
    for (let count = 0; count < 4; count++) {
      const byte = this.#stringByte()
      const lower = byte | 0x20
      if (isDigit(byte)) unit = unit * 16 + byte - zero
      else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57
      else this.#fail()
    }
    return unit
  }

  /** Takes a string of base64 and answers what it stands for, in memory of its own. The text never becomes a string. */
  blob(): Buffer {
    const start = this.#at + 1
    const close = this.#bytes.indexOf(quoteMark, start)
    if (close < 0) throw this.malformed()
    const decoded = decodeBase64(this.#bytes, start, close)
    if (decoded === undefined) return this.#escapedBlob(start, close)
    this.#at = close + 1
    return decoded
  }

  /** Base64 written with escapes, as by encoders that turn `/` into `\/` or `+` into `\u002B`. */
  #escapedBlob(start: number, close: number): Buffer {
    const plain = Buffer.allocUnsafe(close - start)
    let length = 0
    this.#at = start
    try {
      for (let byte = this.#stringByte(); byte !== quoteMark; byte = this.#stringByte()) {
        const code = byte === backslash ? this.#escape() : byte
        // A quotation mark behind a backslash ends here too, so `plain` is always long enough.
        if (!isBase64Byte(code)) throw serializationError('Invalid base64')
        plain[length++] = code
      }
      const decoded = decodeBase64(plain, 0, length)
      if (decoded === undefined) throw serializationError('Invalid base64')
      return decoded
    } finally {
      plain.fill(0)
    }
  }

  /** Takes a number. The next byte is a digit or a minus. */
  number(): number {
    const start = this.#at
    if (this.#peek() === minus) this.#at++
    const first = this.#peek()
    if (!isDigit(first)) throw this.malformed()
    let value = 0
    if (first === zero) this.#at++
    else value = this.#digits()
    const after = this.#peek()
    if (after !== point && (after | 0x20) !== 0x65 && this.#at - start <= 15) {
      return this.#bytes[start] === minus ? -value : value
    }
    if (after === point) {
      this.#at++
      this.#digits()
    }
    if ((this.#peek() | 0x20) === 0x65) {
      this.#at++
      if (this.#peek() === 0x2b || this.#peek() === minus) this.#at++
      this.#digits()
    }
    return Number(this.#bytes.latin1Slice(start, this.#at))
  }

  /** Takes at least one digit; the answer is exact for 15 of them. */
  #digits(): number {
    const start = this.#at
    let value = 0
    for (let byte = this.#peek(); isDigit(byte); byte = this.#peek()) {
      value = value * 10 + byte - zero
      this.#at++
    }
    return this.#at > start ? value : this.#fail()
  }

  /** Steps over a value of any type, checking only that it is JSON. `depth` counts it if it is an object or a list. */
  skip(depth: number): void {
    const byte = this.next()
    if (byte === quoteMark) this.#skipString()
    else if (byte === openBrace) this.#skipMembers(depth)
    else if (byte === openBracket) this.#skipElements(depth)
    else if (byte === letterT) this.literal('true')
    else if (byte === letterF) this.literal('false')
    else if (byte === letterN) this.literal('null')
    else this.number()
  }

  #skipMembers(depth: number): void {
    this.enter(depth)
    if (this.take(closeBrace)) return
    do {
      if (this.next() !== quoteMark) throw this.malformed()
      this.#skipString()
      this.expect(colon)
      this.skip(depth + 1)
    } while (this.take(comma))
    this.expect(closeBrace)
  }

  #skipElements(depth: number): void {
    this.enter(depth)
    if (this.take(closeBracket)) return
    do this.skip(depth + 1)
    while (this.take(comma))
    this.expect(closeBracket)
  }

  /** Takes the brace or bracket that begins an object or a list of this depth. */
  enter(depth: number): void {
    if (depth > depthMax) throw serializationError('Request body is nested too deeply')
    this.#at++
  }

  #peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] as number) : -1
  }

  malformed(): ServiceError {
    return serializationError('Request body is not valid JSON', `malformed at byte ${this.#at}`)
  }

  #fail(): never {
    throw this.malformed()
  }
}

/** Behind a backslash, except `u`. */
const escapes: ReadonlyMap<number, number> = new Map([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
])

export function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine
}
