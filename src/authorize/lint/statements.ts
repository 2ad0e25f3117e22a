import { compileAnyGlob, parseGlob } from '../glob.ts'
import type { PatternElement, PolicyKind, Statement, Text } from '../policy/document.ts'
import type { Remark } from './lint.ts'
import { kmsPermissions } from './permissions.ts'

/** Checks of a statement as a whole, of its principals, actions and resources. */
export function statementFindings(
  statement: Statement,
  all: readonly Statement[],
  kind: PolicyKind,
): readonly Remark[] {
  return [
    ...inert(statement, kind),
    ...invertedPrincipal(statement),
    ...everyone(statement, kind),
    ...unknownActions(statement),
    ...controlByWildcard(statement),
    ...repeated(statement.action, 'action'),
    ...repeated(statement.resource, 'resource'),
    ...sameAsAnother(statement, all),
  ]
}

function inert({ at, action, resource }: Statement, kind: PolicyKind): readonly Remark[] {
  if (kind !== 'key' || (action !== undefined && resource !== undefined)) return []
  const sentence = `without ${action === undefined ? 'Action' : 'Resource'} the statement has no effect; KMS accepts it all the same.`
  return [{ severity: 'error', check: 'inert-statement', at, sentence }]
}

function invertedPrincipal({ at, effect, principal }: Statement): readonly Remark[] {
  if (principal?.inverted !== true) return []
  if (effect === 'Allow') {
    const sentence = 'Allow with NotPrincipal lets in everybody else, of every account.'
    return [{ severity: 'security', check: 'allow-not-principal', at, sentence }]
  }
  const sentence =
    'Deny with NotPrincipal spares a role session only if account, role and session are all listed, and never a principal with a permissions boundary; aws:PrincipalArn in a condition says it better.'
  return [{ severity: 'warning', check: 'deny-not-principal', at, sentence }]
}

const narrowing =
  /^(?:aws:Principal(?:Arn|Account|OrgID|OrgPaths|Tag)|kms:CallerAccount|aws:Source|aws:userid)/i

function everyone(
  { effect, principal, conditions }: Statement,
  kind: PolicyKind,
): readonly Remark[] {
  if (effect !== 'Allow' || principal?.inverted !== false || kind === 'resource-control') return []
  const entry = principal.entries.find(({ kind: of, text }) => of === 'AWS' && text === '*')
  if (entry === undefined || conditions.some(({ key }) => narrowing.test(key))) return []
  const sentence =
    'every principal of every account is let in; a condition such as kms:CallerAccount would say which.'
  return [{ severity: 'security', check: 'open-to-everyone', at: entry.at, sentence }]
}

function unknownActions({ action }: Statement): readonly Remark[] {
  return (action?.patterns ?? [])
    .filter(({ text }) => /^kms:/i.test(text) && matched(text).length === 0)
    .map(({ at, text }) => ({
      ...{ severity: 'error', check: 'unknown-action', at },
      sentence: `there is no permission that ${text} stands for.`,
    }))
}

/** Permissions by which whoever administers a key can make itself a user of it. */
const control = ['kms:CreateGrant', 'kms:PutKeyPolicy', 'kms:ReplicateKey', 'kms:ImportKeyMaterial']

function controlByWildcard({ effect, action, conditions }: Statement): readonly Remark[] {
  if (effect !== 'Allow' || action === undefined || action.inverted || conditions.length > 0) {
    return []
  }
  return action.patterns.flatMap(({ at, text }) => {
    if (!/[*?]/.test(text) || /^(?:\*|kms:\*)$/i.test(text)) return []
    const found = control.filter((name) => matched(text).includes(name))
    if (found.length === 0) return []
    const sentence = `${text} includes ${found.join(' and ')}, by which its holder can make itself a user of the key.`
    return [{ severity: 'security', check: 'control-by-wildcard', at, sentence } as const]
  })
}

function matched(pattern: string): readonly string[] {
  const test = compileAnyGlob([parseGlob(pattern.toLowerCase())])
  return kmsPermissions.filter((name) => test(name.toLowerCase()))
}

/** A pattern that another of the same element covers. */
function repeated(
  element: PatternElement | undefined,
  what: 'action' | 'resource',
): readonly Remark[] {
  const patterns = element?.patterns ?? []
  return patterns.flatMap((value, index) => {
    const by = patterns.find(
      (other, place) =>
        place !== index &&
        covers(other, value, what) &&
        !(covers(value, other, what) && place > index),
    )
    if (by === undefined) return []
    const sentence = `${value.text} is covered by ${by.text}.`
    return [{ severity: 'suggestion', check: `redundant-${what}`, at: value.at, sentence } as const]
  })
}

/** Whether a pattern without wildcards, or the very same text, is matched by another. */
function covers(general: Text, special: Text, what: 'action' | 'resource'): boolean {
  const fold = (text: string) => (what === 'action' ? text.toLowerCase() : text)
  if (fold(general.text) === fold(special.text)) return true
  if (/[*?$]/.test(special.text) && !/^[^*?$]*\*$/.test(special.text)) return false
  if (/\$/.test(general.text)) return false
  // A trailing star is covered where its beginning is, by a pattern that ends in a star itself.
  if (special.text.endsWith('*') && !general.text.endsWith('*')) return false
  return compileAnyGlob([parseGlob(fold(general.text))])(fold(special.text.replace(/\*$/, '')))
}

function sameAsAnother(statement: Statement, all: readonly Statement[]): readonly Remark[] {
  const text = contentOf(statement)
  const first = all.find((other) => contentOf(other) === text)
  if (first === statement || first === undefined) return []
  const sentence = 'another statement says the same.'
  return [{ severity: 'suggestion', check: 'redundant-statement', at: statement.at, sentence }]
}

function contentOf({ effect, principal, action, resource, conditions }: Statement): string {
  const texts = (element: PatternElement | undefined) =>
    element && [element.inverted, ...element.patterns.map(({ text }) => text).toSorted()]
  return JSON.stringify([
    effect,
    principal && [principal.inverted, ...principal.entries.map(({ kind, text }) => [kind, text])],
    texts(action),
    texts(resource),
    conditions.map(({ operator, key, values }) => [operator.text, key, values.map((v) => v.text)]),
  ])
}
