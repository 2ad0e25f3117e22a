const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const closingBrace = 0x7d

/**
 * The texts of some members of a JSON object as it stands in the journal, without blanks; the others are passed over,
 * which costs a fraction of parsing them. Undefined for what does not look like such an object.
 */
export function membersOf(
  text: string,
  names: ReadonlySet<string>,
): ReadonlyMap<string, string> | undefined {
  if (!text.startsWith('{"')) return undefined
  const members = new Map<string, string>()
  for (let at = 1; ; ) {
    const nameEnd = text.charCodeAt(at) === quote ? stringEnd(text, at) : 0
    if (nameEnd === 0 || text.charCodeAt(nameEnd) !== colon) return undefined
    const from = nameEnd + 1
    const to = valueEnd(text, from)
    if (to <= from) return undefined
    const name = text.slice(at + 1, nameEnd - 1)
    if (names.has(name)) members.set(name, text.slice(from, to))
    const next = text.charCodeAt(to)
    if (next === closingBrace) return to === text.length - 1 ? members : undefined
    if (next !== comma) return undefined
    at = to + 1
  }
}

/** Behind the value; not above `from` where there is none. */
function valueEnd(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === quote) return stringEnd(text, from)
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = stringEnd(text, at) - 1
      if (at < from) return -1
    } else if (isOpening(code)) depth += 1
    else if (isClosing(code)) {
      if (depth === 0) return at
      depth -= 1
    } else if (code === comma && depth === 0) return at
  }
  return -1
}

/** Behind the closing quote; 0 where there is none. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at
    while (text.charCodeAt(before - 1) === backslash) before -= 1
    if ((at - before) % 2 === 0) return at + 1
  }
  return 0
}

const isOpening = (code: number) => code === 0x7b || code === 0x5b
const isClosing = (code: number) => code === closingBrace || code === 0x5d
