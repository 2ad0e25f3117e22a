import { type Pattern, parseGlob } from '../glob.ts'
import { syntaxError } from '../json.ts'
import type { PolicyDocument, Text } from '../policy/document.ts'
import type { ConditionContext } from './context.ts'
import { foldKey } from './folded-names.ts'

/**
 * Text with policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the
 * characters themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export type Template = readonly (Pattern[number] | Variable)[]

export type Variable = { readonly key: string; readonly fallback: string | undefined }

export type TemplateOptions = {
  /** Documents of 2008 know no variables: `${…}` is then text like any other. */
  readonly version: PolicyDocument['version']
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean
}

/** Before the last colon stands a service's prefix, or the URL of a provider, perhaps with a port. */
const variablePattern =
  /^([A-Za-z0-9][\w.~%+@=/-]{0,254}(?::\d{1,5}(?:\/[\w.~%+@=/-]{0,254})?)?:[^'{}$*?,]*[^'{}$*?, ])(?:, '([^']*)')?$/

/** Throws 'malformed-policy' for a variable without its closing brace, name or quote. */
export function parseTemplate(value: Text, options: TemplateOptions): Template {
  const { text, at } = value
  const plain = (part: string): Pattern => (options.wildcards ? parseGlob(part) : [part])
  if (options.version === '2008-10-17') return plain(text)
  const template: Template[number][] = []
  let position = 0
  for (;;) {
    const start = text.indexOf('${', position)
    if (start < 0) break
    const end = text.indexOf('}', start)
    if (end < 0) throw syntaxError(at, 'a policy variable has no closing brace.')
    template.push(...plain(text.slice(position, start)))
    const inside = text.slice(start + 2, end)
    if (inside === '*' || inside === '?' || inside === '$') template.push(inside)
    else template.push(parseVariable(inside, value))
    position = end + 1
  }
  template.push(...plain(text.slice(position)))
  return template
}

function parseVariable(inside: string, { at }: Text): Variable {
  const [, key, fallback] = variablePattern.exec(inside) ?? []
  if (key === undefined) {
    throw syntaxError(at, 'a policy variable is a condition key, perhaps with a quoted default.')
  }
  return { key: foldKey(key), fallback }
}

function isVariable(piece: Template[number]): piece is Variable {
  return typeof piece === 'object'
}

function isFixed(piece: Template[number]): piece is Pattern[number] {
  return !isVariable(piece)
}

/** The pattern itself when the template has no variables. */
export function fixedPattern(template: Template): Pattern | undefined {
  return template.every(isFixed) ? template : undefined
}

/**
 * Puts the request's values in, as literal text: a value of `*` does not become a wildcard. Undefined when a variable
 * is absent or has several values, and has no default.
 */
export function resolveTemplate(
  template: Template,
  context: ConditionContext,
): Pattern | undefined {
  const pattern: Pattern[number][] = []
  for (const piece of template) {
    if (!isVariable(piece)) pattern.push(piece)
    else {
      const value = context.get(piece.key)
      const text =
        typeof value === 'string' ? value : value === undefined ? piece.fallback : undefined
      if (text === undefined) return undefined
      pattern.push(text)
    }
  }
  return pattern
}

/** The text of a document of 2012 as it would be without variables; undefined when one of them has no value. */
export function resolveText(value: Text, context: ConditionContext): string | undefined {
  const template = parseTemplate(value, { version: '2012-10-17', wildcards: false })
  return resolveTemplate(template, context)?.join('')
}
