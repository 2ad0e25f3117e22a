/**
 * AWS's patterns, compiled to match the whole value. The texts come from our own schemas, never from a request.
 *
 * The engine backtracks, so a pattern that could take exponential time is refused: a repeated group holds no
 * alternatives, and if it holds a repetition, it begins or ends with a literal that nothing else in it matches, as in
 * `([a-z]+-){2,3}`. Back-references and look-around are refused too. `\s` is JavaScript's, which also takes the white
 * space of Unicode.
 */
export function compilePattern(source: string): RegExp {
  if (isRisky(source)) throw new Error(`pattern '${source}' could take exponential time`)
  return new RegExp(`^(?:${source})$`, 'u')
}

/** An escape, a class, or one character. */
const atoms = /\\p\{[^}]*\}|\\u[0-9A-Fa-f]{4}|\\.|\[(?:\\.|[^\]\\])*\]|./gsu
const lookAroundOrName = /\(\?(?!:)/

function isRisky(source: string): boolean {
  const parts = source.match(atoms) ?? []
  if (lookAroundOrName.test(source) || parts.some((part) => /^\\[1-9k]/.test(part))) return true
  const opened: number[] = []
  for (const [at, part] of parts.entries()) {
    if (part === '(') opened.push(at + 1)
    if (part !== ')') continue
    const start = opened.pop() ?? 0
    const repeated = isRepetition(parts[at + 1])
    if (repeated && !isSeparated(parts.slice(start, at))) return true
  }
  return false
}

function isRepetition(part: string | undefined): boolean {
  return part === '*' || part === '+' || part === '{'
}

/** Whether every round of the repeated group can be told from the next. */
function isSeparated(group: readonly string[]): boolean {
  if (group.includes('|')) return false
  if (!group.some(isRepetition)) return true
  return [0, group.length - 1].some((edge) => {
    const separator = group[edge] ?? ''
    if (!/^(?:\\\W|[-:/,@_])$/.test(separator) || isRepetition(group[edge + 1])) return false
    const character = separator.replace('\\', '')
    return !group.some((part, at) => at !== edge && canMatch(part, character))
  })
}

function canMatch(part: string, character: string): boolean {
  if (part.length === 1 && part !== '.') return part === character
  return new RegExp(`^${part}$`, 'u').test(character)
}
