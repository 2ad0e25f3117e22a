/**
 * Looks for secrets where none may be. A secret is looked for as it is, and in every form in which a careless line
 * of code would write it: hexadecimal, base64 by itself, and base64 as a part of something longer.
 */
export type Canary = { readonly name: string; readonly secret: Buffer }

export type Needle = { readonly name: string; readonly bytes: Buffer }

export function needlesOf({ name, secret }: Canary): Needle[] {
  const hex = secret.toString('hex')
  const forms: [string, string | Buffer][] = [
    ['as it is', secret],
    ['in hexadecimal', hex],
    ['in upper-case hexadecimal', hex.toUpperCase()],
    // What JSON makes of bytes that were taken for Latin-1 text is another text; V8 writes such strings in UTF-8.
    ['as UTF-8 of Latin-1', Buffer.from(secret.toString('latin1'), 'utf8')],
  ]
  for (const alignment of [0, 1, 2]) {
    forms.push([`in base64 at alignment ${alignment}`, innerBase64(secret, alignment)])
    const url = innerBase64(secret, alignment).replaceAll('+', '-').replaceAll('/', '_')
    forms.push([`in base64url at alignment ${alignment}`, url])
  }
  return forms.map(([form, text]) => ({ name: `${name} ${form}`, bytes: Buffer.from(text) }))
}

/** The base64 characters that depend on the secret alone when `alignment` bytes stand before it. */
function innerBase64(secret: Buffer, alignment: number): string {
  const padded = Buffer.concat([Buffer.alloc(alignment), secret])
  const text = padded.toString('base64').replaceAll('=', '')
  const before = Math.ceil((alignment * 8) / 6)
  const after = padded.length % 3 === 0 ? 0 : 1
  return text.slice(before, text.length - after)
}

/** The names of the needles that stand in the bytes. */
export function found(needles: readonly Needle[], haystack: Buffer): string[] {
  return needles.filter(({ bytes }) => haystack.includes(bytes)).map(({ name }) => name)
}
