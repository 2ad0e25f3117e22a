import { hash } from 'node:crypto'
import { type Atom, compileCondition } from '../conditions/atom.ts'
import type { Effect, PolicyDocument, PolicyKind, Statement } from './document.ts'
import { parsePolicy } from './parse.ts'
import {
  type ActionMatcher,
  compileActions,
  compileResources,
  type ResourceMatcher,
} from './pattern-match.ts'
import { requirePrincipal } from './principal.ts'
import { compilePrincipals, type PrincipalMatcher } from './principal-match.ts'

/** A policy made ready to be evaluated: nothing is parsed any more. */
export type CompiledPolicy = {
  readonly denies: readonly CompiledStatement[]
  readonly allows: readonly CompiledStatement[]
  readonly text: string
  /** SHA-256 of the text, in hexadecimal. */
  readonly digest: string
}

export type CompiledStatement = {
  /** The place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: Effect
  /** Undefined in policies that name nobody: those of identities and guardrails. */
  readonly principal: PrincipalMatcher | undefined
  /** Undefined when the statement has no Action, or no Resource: it then matches nothing. */
  readonly action: ActionMatcher | undefined
  readonly resource: ResourceMatcher | undefined
  readonly conditions: readonly Atom[]
}

/** Throws 'malformed-policy' or 'limit-exceeded'. The same text always gives the same result. */
export function compilePolicy(text: string, kind: PolicyKind = 'key'): CompiledPolicy {
  return compileDocument(parsePolicy(text, kind), text)
}

/** Throws 'malformed-policy'; what is wrong with principals is told after everything else. */
export function compileDocument(document: PolicyDocument, text: string): CompiledPolicy {
  const parts = document.statements.map((statement) => compileParts(statement, document.version))
  const statements = document.statements.map((statement, index): CompiledStatement => {
    const { sid, effect } = statement
    const [action, resource, conditions] = parts[index] ?? [undefined, undefined, []]
    return {
      index,
      sid,
      effect,
      principal: compilePrincipal(statement, document.kind),
      action,
      resource,
      conditions,
    }
  })
  return {
    denies: statements.filter(({ effect }) => effect === 'Deny'),
    allows: statements.filter(({ effect }) => effect === 'Allow'),
    text,
    digest: hash('sha256', text, 'hex'),
  }
}

function compileParts(statement: Statement, version: PolicyDocument['version']) {
  const { action, resource, conditions, effect } = statement
  return [
    action === undefined ? undefined : compileActions(action),
    resource === undefined ? undefined : compileResources(resource, version),
    conditions.map((condition) => compileCondition(condition, effect, version)),
  ] as const
}

function compilePrincipal(
  { principal, effect }: Statement,
  kind: PolicyKind,
): PrincipalMatcher | undefined {
  if (principal === undefined) return undefined
  const principals = principal.entries.map((entry) => requirePrincipal(entry, kind))
  return compilePrincipals(principals, principal.inverted, effect)
}
