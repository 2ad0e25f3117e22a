import { s3Error } from '../../base/errors.ts'

/** An element: its name without a prefix, and either elements or text. Attributes are read over. */
export type Element = {
  readonly name: string
  readonly children: Element[]
  text: string
}

const depthMax = 16
const elementsMax = 128 * 1024
/** They cost more than other bytes: about a tenth of a second, at the most. */
const referencesMax = 256 * 1024
const space = /[ \t\r\n]*/y
const declaration = /<\?xml[ \t\r\n][^<>?]{0,100}\?>/y
const tag =
  /<(\/?)(?:[A-Za-z_][\w.-]{0,63}:)?([A-Za-z_][\w.-]{0,127})((?:[ \t\r\n]+[A-Za-z_][\w.:-]{0,127}[ \t\r\n]*=[ \t\r\n]*(?:"[^"<]{0,1024}"|'[^'<]{0,1024}'))*)[ \t\r\n]*(\/?)>/y
const reference = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));/y
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const
/** What XML 1.0 cannot hold in any spelling. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

/**
 * Reads a document: elements and text, and nothing else of XML: no document type, no entities but the five, no
 * comments, no processing instructions, no CDATA. Throws 'MalformedXML'.
 */
export function parseXml(bytes: Buffer): Element {
  const text = utf8(bytes)
  if (forbidden.test(text)) throw malformed()
  return new Reader(text).document()
}

class Reader {
  readonly #text: string
  #at = 0
  #elements = 0
  #references = 0
  /** The next `&` from here on: looked for once, not anew for each of many texts that have none. */
  #mark = -1

  constructor(text: string) {
    this.#text = text
  }

  document(): Element {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1
    this.#match(declaration)
    this.#match(space)
    const open: Element[] = []
    for (;;) {
      const found = this.#match(tag)
      if (found === null) throw malformed()
      const [, closing, name = '', attributes, empty] = found
      const top = open.at(-1)
      if (closing === '/') {
        if (top?.name !== name || attributes !== '' || empty === '/') throw malformed()
        open.pop()
      } else {
        const element: Element = { name, children: [], text: '' }
        if (++this.#elements > elementsMax || open.length >= depthMax) throw malformed()
        if (top !== undefined) {
          if (!isBlank(top.text)) throw malformed()
          top.children.push(element)
          top.text = ''
        }
        if (empty !== '/') open.push(element)
      }
      if (open.length === 0) {
        const root = top ?? { name, children: [], text: '' }
        this.#match(space)
        if (this.#at < this.#text.length) throw malformed()
        return root
      }
      this.#readText(open.at(-1))
    }
  }

  /** Text up to the next tag. Elements and text beside one another are in nothing that S3 takes. */
  #readText(element: Element | undefined): void {
    const end = this.#text.indexOf('<', this.#at)
    if (end === -1 || element === undefined) throw malformed()
    let text = ''
    while (this.#at < end) {
      const to = Math.min(end, this.#nextMark())
      text += this.#text.slice(this.#at, to)
      this.#at = to
      if (to < end) text += this.#character()
    }
    if (!isBlank(text) && element.children.length > 0) throw malformed()
    if (element.children.length === 0) element.text = text
  }

  #nextMark(): number {
    if (this.#mark < this.#at) {
      const found = this.#text.indexOf('&', this.#at)
      this.#mark = found === -1 ? this.#text.length : found
    }
    return this.#mark
  }

  #character(): string {
    const found = this.#match(reference)
    if (found === null || ++this.#references > referencesMax) throw malformed()
    const [, name, decimal, hexadecimal = ''] = found
    if (name !== undefined) return entities[name as keyof typeof entities]
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal)
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw malformed()
    const character = String.fromCodePoint(code)
    if (forbidden.test(character)) throw malformed()
    return character
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed()
  }
}

function malformed() {
  return s3Error('MalformedXML')
}
