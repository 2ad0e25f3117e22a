import type { Location } from '../json.ts'
import type { PolicyKind, PrincipalEntry } from './document.ts'
import { parsePolicy } from './parse.ts'
import { invalidPrincipals, type Principal, parsePrincipal } from './principal.ts'

/** Which unique id a principal has, undefined for one that is not there; and which ARN an id has now. */
export type PrincipalNames = {
  idOf(principal: Principal): string | undefined
  arnOf(id: string): string | undefined
}

/**
 * The text to be stored: users, roles and sessions in it stand by their unique ids, and all else as it was written.
 * Throws 'malformed-policy' for a principal that does not exist.
 */
export function bindPrincipals(
  text: string,
  kind: PolicyKind,
  names: Pick<PrincipalNames, 'idOf'>,
): string {
  return replaceEntries(text, kind, (entry) => {
    const principal = parsePrincipal(entry, kind)
    const id = principal === undefined ? undefined : names.idOf(principal)
    if (principal === undefined || id === undefined) {
      throw invalidPrincipals(`line ${entry.at.line}, column ${entry.at.column}: ${entry.kind}`)
    }
    return 'arn' in principal ? id : entry.text
  })
}

/** A stored text as its readers are shown it: ids are ARNs again, but for those of principals that are gone. */
export function showPrincipals(
  text: string,
  kind: PolicyKind,
  names: Pick<PrincipalNames, 'arnOf'>,
): string {
  return replaceEntries(text, kind, (entry) => {
    const principal = parsePrincipal(entry, kind)
    return principal?.type === 'id' ? (names.arnOf(principal.id) ?? entry.text) : entry.text
  })
}

function replaceEntries(
  text: string,
  kind: PolicyKind,
  replacement: (entry: PrincipalEntry) => string,
): string {
  const lineStarts = lineStartsOf(text)
  let result = ''
  let done = 0
  for (const { principal } of parsePolicy(text, kind).statements) {
    for (const entry of principal?.entries ?? []) {
      const given = replacement(entry)
      if (given === entry.text) continue
      const start = offsetOf(entry.at, lineStarts)
      result += text.slice(done, start) + JSON.stringify(given)
      done = endOfString(text, start)
    }
  }
  return result + text.slice(done)
}

function lineStartsOf(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function offsetOf({ line, column }: Location, lineStarts: readonly number[]): number {
  return (lineStarts[line - 1] ?? 0) + column - 1
}

/** Behind the closing quote of the string that starts there. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
