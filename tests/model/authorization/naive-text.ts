import { type Values, valuesFor } from './naive-values.ts'

/** A pattern, character by character: text, or one of the two wildcards. */
export type Pattern = readonly (string | { readonly any: 'run' | 'one' })[]

/** `*` is any run of characters, `?` is any one. */
export function literal(text: string): Pattern {
  return [...text].map((character) =>
    character === '*' ? { any: 'run' } : character === '?' ? { any: 'one' } : character,
  )
}

export function matchesGlob(pattern: Pattern, text: string): boolean {
  const characters = [...text]
  // reached[i]: the pattern so far fits the first i characters.
  let reached = characters.map(() => false)
  reached = [true, ...reached]
  for (const piece of pattern) {
    const next = reached.map(() => false)
    reached.forEach((fits, place) => {
      if (!fits) return
      if (typeof piece === 'string') {
        if (characters[place] === piece) next[place + 1] = true
      } else if (piece.any === 'one') {
        if (place < characters.length) next[place + 1] = true
      } else for (let end = place; end <= characters.length; end++) next[end] = true
    })
    reached = next
  }
  return reached.at(-1) === true
}

/** With the request's values in the place of variables; undefined when one has no value. */
export function substitute(text: string, values: Values, version: string): Pattern | undefined {
  if (version !== '2012-10-17') return literal(text)
  const pattern: Pattern[number][] = []
  let rest = text
  for (;;) {
    const found = /\$\{([^}]*)\}/.exec(rest)
    if (found === null) return [...pattern, ...literal(rest)]
    pattern.push(...literal(rest.slice(0, found.index)))
    const value = valueInside(found[1] ?? '', values)
    if (value === undefined) return undefined
    pattern.push(...value)
    rest = rest.slice(found.index + found[0].length)
  }
}

function valueInside(inside: string, values: Values): string | undefined {
  if (inside === '*' || inside === '?' || inside === '$') return inside
  const [, key = '', fallback] = /^([^,]*)(?:, '([^']*)')?$/.exec(inside) ?? []
  const found = valuesFor(values, key)
  if (found === undefined) return fallback
  return found.kind === 'one' ? found.values[0] : undefined
}
