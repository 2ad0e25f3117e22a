/**
 * The little of S3's answers that is read: texts of elements, by name. An answer comes from the engine that the
 * operator chose and is bounded; nothing of it is trusted with more than a name, an id or a word for the log.
 */
export function elementsOf(xml: string, name: string): string[] {
  const found: string[] = []
  const [open, close] = [`<${name}>`, `</${name}>`]
  for (let at = xml.indexOf(open); at >= 0; at = xml.indexOf(open, at)) {
    const end = xml.indexOf(close, at)
    if (end < 0) break
    found.push(xml.slice(at + open.length, end))
    at = end
  }
  return found
}

/** The first of that name; undefined where there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const [first] = elementsOf(xml, name)
  return first === undefined ? undefined : decode(first)
}

export function encodeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const named: Readonly<Record<string, string>> = {
  ...{ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" },
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w{2,4}));/g, (all, ten, hex, name) => {
    if (name !== undefined) return named[name] ?? all
    const code = ten === undefined ? Number.parseInt(hex, 16) : Number(ten)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}
