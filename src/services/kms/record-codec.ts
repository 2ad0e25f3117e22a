import type { Codec } from '../../storage/mirror.ts'

/**
 * Records as JSON. The named members are what indexes need: they are written first, in this order, and `glance` reads
 * them from the beginning of the text without parsing it. Members that a record may lack are `optional`. Anything
 * that does not stand there just so is left to `decode`.
 */
export function recordCodec<T extends object, Name extends keyof T & string>(
  required: readonly Name[],
  optional: readonly Name[] = [],
): Codec<T, Pick<T, Name>> {
  const names = [...required, ...optional]
  const first = Object.fromEntries(names.map((name) => [name, undefined]))
  const members = names.map((name) => ({
    name,
    opening: `"${name}":`,
    isOptional: optional.includes(name),
  }))
  return {
    decode: (body) => {
      const record = JSON.parse(body) as Record<string, unknown>
      for (const name of sharedNames) {
        const text = record[name]
        if (typeof text === 'string') record[name] = shared(text)
      }
      return record as T
    },
    encode: (record) => JSON.stringify({ ...first, ...record }),
    glance: (body) => {
      const part: Partial<Record<Name, unknown>> = {}
      const text = new Beginning(body)
      for (const { name, opening, isOptional } of members) {
        part[name] = text.member(opening)
        if (part[name] === undefined && !(isOptional && text.isRead)) return undefined
      }
      return part as Pick<T, Name>
    },
  }
}

/** Few values of these are in many records: one copy of each will do. */
const sharedNames = ['region', 'account'] as const
const sharedMax = 1024
const sharedTexts = new Map<string, string>()

function shared(text: string): string {
  const known = sharedTexts.get(text)
  if (known === undefined && sharedTexts.size < sharedMax) sharedTexts.set(text, text)
  return known ?? text
}

const zero = 0x30
const quote = 0x22
const brace = 0x7b

/** The beginning of an object in JSON, as JSON.stringify writes it, read member by member. */
class Beginning {
  readonly #body: string
  #at = 1
  /** Whether all that was asked for and was there could be read. */
  isRead = true

  constructor(body: string) {
    this.#body = body
  }

  /** A whole number, a text without escapes or an object of such numbers; undefined when another member comes next. */
  member(opening: string): unknown {
    if (!this.#body.startsWith(opening, this.#at)) return undefined
    const start = this.#at + opening.length
    const kind = this.#body.charCodeAt(start)
    const value =
      kind === quote
        ? this.#text(start + 1)
        : kind === brace
          ? this.#object(start)
          : this.#number(start)
    this.isRead = value !== undefined
    return value
  }

  #text(start: number): string | undefined {
    const end = this.#body.indexOf('"', start)
    const text = this.#body.slice(start, end)
    this.#at = end + 2
    return end === -1 || text.includes('\\') ? undefined : text
  }

  #number(start: number): number | undefined {
    let value = 0
    let at = start
    for (; ; at++) {
      const digit = this.#body.charCodeAt(at) - zero
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
    }
    this.#at = at + 1
    const isWhole = at > start && (this.#body[at] === ',' || this.#body[at] === '}')
    return isWhole && Number.isSafeInteger(value) ? value : undefined
  }

  #object(start: number): unknown {
    const end = this.#body.indexOf('}', start) + 1
    this.#at = end + 1
    try {
      // Cut at a brace within one of its members it is no JSON.
      return JSON.parse(this.#body.slice(start, end))
    } catch {
      return undefined
    }
  }
}
