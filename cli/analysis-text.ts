import type { DiffAccess, StatementPlace } from '../src/authorize/analyse/diff-access.ts'
import type { Reached } from '../src/authorize/analyse/key-reach.ts'
import { residueText } from '../src/authorize/analyse/residue.ts'
import type { Separation } from '../src/authorize/analyse/separation.ts'
import type { Row, WhoCan } from '../src/authorize/analyse/who-can.ts'

import { printableLines } from './explain-text.ts'

type Conditions = Readonly<Record<string, string | readonly string[]>>

/** Those who never can are counted, unless all are asked for. */
export function whoCanText({ key, rows }: WhoCan, all: boolean): string {
  const shown = all ? rows : rows.filter(({ status }) => status !== 'NEVER')
  const lines = [key]
  let principal: string | undefined
  for (const row of shown) {
    if (row.principal !== principal) lines.push('', row.principal)
    principal = row.principal
    lines.push(...rowLines(row))
  }
  if (shown.some(({ permission }) => permission === 'kms:ReEncryptFrom')) {
    lines.push('', 'kms:ReEncryptFrom is as good as kms:Decrypt to whoever has a key of their own.')
  }
  const never = rows.length - rows.filter(({ status }) => status !== 'NEVER').length
  if (!all)
    lines.push(
      '',
      `NEVER, proven: ${never} of ${rows.length} pairs of a principal and a permission`,
    )
  return printableLines(lines)
}

function rowLines({ permission, status, path, grantId, condition, allowedWith }: Row): string[] {
  const how = [path && `path ${path}`, grantId && `grant ${grantId}`].filter(Boolean).join(', ')
  const lines = [`  ${permission.padEnd(42)} ${status.padEnd(12)} ${how}`.trimEnd()]
  if (condition !== undefined) lines.push(`      if ${residueText(condition)}`)
  if (condition !== undefined && allowedWith !== undefined) {
    lines.push(`      for example with ${conditionsText(allowedWith)}`)
  }
  return lines
}

export function diffText({ key, result, findings, unknown }: DiffAccess): string {
  const lines = [`${result}  ${key}`]
  for (const { principal, permission, witness, statements } of findings) {
    lines.push('', `new: ${permission} by ${principal}`, `  with ${conditionsText(witness)}`)
    for (const place of statements) lines.push(`  ${placeText(place)}`)
  }
  for (const { principal, permission } of unknown) {
    lines.push('', `unknown: ${permission} by ${principal}`)
  }
  return printableLines(lines)
}

function placeText({ policy, effect, index, sid }: StatementPlace): string {
  const name = sid === undefined ? '' : ` "${sid}"`
  const what = effect === 'Allow' ? 'allowed by' : 'was denied by'
  return `${what} statement ${index}${name} of the ${policy} policy`
}

export function separationText(separation: Separation): string {
  const { key, result, counterexample, principals, assumptions } = separation
  const lines = [`${result}  ${key}`, `${principals} principals`]
  if (counterexample !== undefined) {
    const { principal, administration, use } = counterexample
    const word = result === 'VIOLATED' ? 'can' : 'perhaps can'
    lines.push('', `${principal} ${word} come to both:`)
    lines.push(...reachedLines('administration', administration), ...reachedLines('use', use))
  } else if (result === 'UNKNOWN') lines.push('', 'There is more to look at than the bounds allow.')
  lines.push('', 'This assumes:', ...assumptions.map((assumption) => `- ${assumption}`))
  return printableLines(lines)
}

function reachedLines(side: string, { permission, principal, steps, witness }: Reached): string[] {
  const lines = [`  ${side}: ${permission} as ${principal}${sureText(witness)}`]
  for (const [index, step] of steps.entries()) {
    const { action, resource, gives } = step
    lines.push(
      `    ${index + 1}. ${step.principal}: ${action} on ${resource}${sureText(step.witness)}`,
    )
    lines.push(`       gives ${gives}`)
  }
  return lines
}

function sureText(witness: Conditions | undefined): string {
  if (witness === undefined) return ' (perhaps)'
  return Object.keys(witness).length === 0 ? '' : ` with ${conditionsText(witness)}`
}

function conditionsText(values: Conditions): string {
  const pairs = Object.entries(values)
  if (pairs.length === 0) return 'any request'
  return pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')
}
