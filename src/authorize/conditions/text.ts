import { anyTest, compileGlob, literalOf, type Pattern, type TextTest } from '../glob.ts'
import type { ConditionContext } from './context.ts'
import { fixedPattern, resolveTemplate, type Template } from './template.ts'

/** Whether one value of the request matches any of the policy's values. */
export type AnyMatch = (value: string, context: ConditionContext) => boolean

/** Compiles one pattern without variables; undefined when nothing can match it. */
type PatternCompiler = (pattern: Pattern) => TextTest | undefined

/** Patterns are compiled once, and those with variables for each request. */
function anyOf(templates: readonly Template[], compile: PatternCompiler): AnyMatch {
  const literals: string[] = []
  const tests: TextTest[] = []
  const variable: Template[] = []
  for (const template of templates) {
    const pattern = fixedPattern(template)
    const literal = pattern === undefined ? undefined : literalOf(pattern)
    if (pattern === undefined) variable.push(template)
    else if (literal !== undefined) literals.push(literal)
    else {
      const test = compile(pattern)
      if (test !== undefined) tests.push(test)
    }
  }
  const fixed = anyTest(literals, tests)
  if (variable.length === 0) return fixed
  return (value, context) =>
    fixed(value) ||
    variable.some((template) => {
      const pattern = resolveTemplate(template, context)
      return pattern !== undefined && compile(pattern)?.(value) === true
    })
}

export function matchText(templates: readonly Template[]): AnyMatch {
  return anyOf(templates, compileGlob)
}

export function matchTextIgnoringCase(templates: readonly Template[]): AnyMatch {
  const folded = templates.map((template) =>
    template.map((piece) => (typeof piece === 'string' ? piece.toLowerCase() : piece)),
  )
  const match = anyOf(folded, (pattern) =>
    compileGlob(pattern.map((piece) => (typeof piece === 'string' ? piece.toLowerCase() : piece))),
  )
  return (value, context) => match(value.toLowerCase(), context)
}

/** The six parts of an ARN are matched one by one: a `*` reaches over no colon, except in the last part. */
export function matchArn(templates: readonly Template[]): AnyMatch {
  return anyOf(templates, compileArn)
}

export function compileArn(pattern: Pattern): TextTest | undefined {
  const parts = arnPatternParts(pattern)
  if (parts.length !== arnParts) return undefined
  const tests = parts.map(compileGlob)
  return (value) => {
    let start = 0
    for (const [index, test] of tests.entries()) {
      const end = index === arnParts - 1 ? value.length : value.indexOf(':', start)
      if (end < 0 || !test(value.slice(start, end))) return false
      start = end + 1
    }
    return true
  }
}

const arnParts = 6

/** Cuts at the first five colons that stand in literal text. */
function arnPatternParts(pattern: Pattern): Pattern[] {
  const parts: Pattern[number][][] = [[]]
  for (const piece of pattern) {
    if (typeof piece !== 'string') {
      parts[parts.length - 1]?.push(piece)
      continue
    }
    for (const [index, text] of splitFirst(piece, arnParts - parts.length).entries()) {
      if (index > 0) parts.push([])
      parts[parts.length - 1]?.push(text)
    }
  }
  return parts
}

/** Cuts at the first `count` colons; what follows stays whole. */
function splitFirst(text: string, count: number): string[] {
  const texts = text.split(':')
  return texts.length <= count ? texts : [...texts.slice(0, count), texts.slice(count).join(':')]
}
