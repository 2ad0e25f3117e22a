import type { PolicyKind } from '../../../authorize/policy/document.ts'
import { parsePolicy } from '../../../authorize/policy/parse.ts'

export type Span = { readonly StartPosition: Position; readonly EndPosition: Position }
/** Both from 1. */
type Position = { readonly Line: number; readonly Column: number }

/**
 * Where each statement of a policy stands: the place of its opening brace, and the one behind its closing brace. The
 * text is one that parses.
 */
export function statementSpans(text: string, kind: PolicyKind): readonly Span[] {
  const lines = text.split('\n')
  return parsePolicy(text, kind).statements.map(({ at: { line, column } }) => ({
    StartPosition: { Line: line, Column: column },
    EndPosition: endOf(lines, line, column),
  }))
}

/** Strings of JSON end on the line on which they begin. */
function endOf(lines: readonly string[], line: number, column: number): Position {
  let depth = 0
  for (let at = line; at <= lines.length; at++) {
    const text = lines[at - 1] ?? ''
    for (let offset = at === line ? column - 1 : 0; offset < text.length; offset++) {
      const character = text[offset]
      if (character === '"') offset = endOfString(text, offset)
      else if (character === '{') depth++
      else if (character === '}' && --depth === 0) return { Line: at, Column: offset + 2 }
    }
  }
  throw new Error('a statement has no end')
}

/** The place of the closing quote of the string that starts there. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
