import type { ConditionContext } from '../conditions/context.ts'
import { parseTemplate, resolveTemplate, type Template } from '../conditions/template.ts'
import { matchText } from '../conditions/text.ts'
import { compileAnyGlob, parseGlob } from '../glob.ts'
import { syntaxError } from '../json.ts'
import type { PatternElement, PolicyDocument, Text } from './document.ts'

/** `foldedAction` is in lower case. */
export type ActionMatcher = (foldedAction: string) => boolean
export type ResourceMatcher = (arn: string, context: ConditionContext) => boolean

const actionForm = /^[a-z0-9-]{1,64}:[a-z0-9*?]{1,128}$/

/** Actions match without regard to case: `*`, or a service prefix and a name with wildcards. */
export function compileActions(element: PatternElement): ActionMatcher {
  const match = compileAnyGlob(element.patterns.map((value) => parseGlob(requireAction(value))))
  return element.inverted ? (action) => !match(action) : match
}

function requireAction({ at, text }: Text): string {
  const action = text.toLowerCase()
  if (action === '*' || actionForm.test(action)) return action
  throw syntaxError(at, 'an action is "*" or a service prefix, one colon and a name.')
}

/**
 * Resources match with regard to case. A resource that names another key is accepted and matches nothing here. An
 * unresolvable variable makes a pattern match no resource, and NotResource match none either.
 */
export function compileResources(
  element: PatternElement,
  version: PolicyDocument['version'],
): ResourceMatcher {
  const { inverted, patterns } = element
  const templates = patterns.map((value) => requireResource(value, version))
  if (patterns.some(({ text }) => text === '*')) return () => !inverted
  const match = matchText(templates)
  if (!inverted) return match
  return (arn, context) =>
    templates.every((template) => !unresolvable(template, context)) && !match(arn, context)
}

function unresolvable(template: Template, context: ConditionContext): boolean {
  return resolveTemplate(template, context) === undefined
}

function requireResource(value: Text, version: PolicyDocument['version']): Template {
  const { at, text } = value
  if (text !== '*' && !text.startsWith('arn:')) {
    throw syntaxError(at, 'a resource is "*" or an ARN.')
  }
  const variable = version === '2012-10-17' ? text.indexOf('${') : -1
  if (variable >= 0 && text.slice(0, variable).split(':').length < 6) {
    throw syntaxError(at, 'a variable may stand only behind the fifth colon of an ARN.')
  }
  return parseTemplate(value, { version, wildcards: true })
}
