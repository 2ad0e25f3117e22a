import { ServiceError } from '../../base/errors.ts'
import { type Location, PolicyFault, pathOf } from '../json.ts'
import { compileDocument } from '../policy/compile.ts'
import type { PolicyDocument, PolicyKind } from '../policy/document.ts'
import { parsePolicy } from '../policy/parse.ts'
import { conditionFindings } from './conditions.ts'
import { statementFindings } from './statements.ts'

/**
 * What is wrong, dangerous or pointless in a policy. `error`: it is refused when it is put, or never means what it
 * says; `security`: it lets in more than its author is likely to mean; `warning`: it is likely to surprise;
 * `suggestion`: it could be shorter.
 */
export type Finding = {
  readonly severity: Severity
  /** The check, as in `wildcard-without-like`. */
  readonly check: string
  readonly line: number
  readonly column: number
  /** As in `Statement[0].Condition.StringEquals.kms:ViaService`. */
  readonly path: string
  readonly sentence: string
}

export const severities = ['error', 'security', 'warning', 'suggestion'] as const
export type Severity = (typeof severities)[number]

/** A finding before its place is written out. */
export type Remark = Pick<Finding, 'severity' | 'check' | 'sentence'> & { readonly at: Location }

/** All findings in the order of the text. A policy that cannot be read has one: the first fault. */
export function lintPolicy(text: string, kind: PolicyKind): readonly Finding[] {
  let document: PolicyDocument
  try {
    document = parsePolicy(text, kind)
    compileDocument(document, text)
  } catch (error) {
    if (error instanceof ServiceError) return [refusal(error)]
    throw error
  }
  const remarks = document.statements.flatMap((statement) => [
    ...statementFindings(statement, document.statements, kind),
    ...conditionFindings(statement, document.version),
  ])
  return remarks
    .map(({ at, ...finding }) => ({
      ...finding,
      ...{ line: at.line, column: at.column, path: pathOf(at) },
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
}

function refusal(error: ServiceError): Finding {
  const sentence = error.publicMessage ?? error.message
  const found = { severity: 'error', check: 'not-accepted' } as const
  if (!(error instanceof PolicyFault)) return { ...found, line: 1, column: 1, path: '', sentence }
  const { line, column } = error.at
  return { ...found, line, column, path: pathOf(error.at), sentence: error.sentence }
}
