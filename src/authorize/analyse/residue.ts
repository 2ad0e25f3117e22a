import type { Formula } from './formula.ts'
import type { Term } from './term.ts'

/** What is left of a formula, to be read: its conditions as the policies have them. */
export type Residue =
  | { readonly all: readonly Residue[] }
  | { readonly any: readonly Residue[] }
  | {
      readonly operator: string
      readonly key: string
      readonly values: readonly string[]
      /** False: the condition must not hold, since a Deny has it. */
      readonly holds: boolean
    }
  /** Something else: a resource with a variable, or a condition with one that is open; the constraint of a grant. */
  | { readonly other: string; readonly holds: boolean }

export function residueOf(formula: Formula<Term>): Residue {
  switch (formula.is) {
    case 'constant':
      return formula.holds ? { all: [] } : { any: [] }
    case 'term': {
      const { condition, name } = formula.term
      if (condition === undefined) return { other: name, holds: formula.wanted }
      const { operator, key, values } = condition
      return { operator: operator.text, key, values, holds: formula.wanted }
    }
    case 'all':
      return { all: formula.of.map(residueOf) }
    case 'any':
      return { any: formula.of.map(residueOf) }
  }
}

/** One line of text. */
export function residueText(residue: Residue): string {
  if ('all' in residue) return joined(residue.all, ' and ', 'always')
  if ('any' in residue) return joined(residue.any, ' or ', 'never')
  const not = residue.holds ? '' : 'not '
  if ('other' in residue) return `${not}${residue.other}`
  return `${not}${residue.operator} ${residue.key} [${residue.values.join(', ')}]`
}

function joined(parts: readonly Residue[], word: string, none: string): string {
  if (parts.length === 0) return none
  return parts
    .map((part) => {
      const simple = !('all' in part || 'any' in part)
      return simple ? residueText(part) : `(${residueText(part)})`
    })
    .join(word)
}
