import { anyRun, anyTest, compileGlob, literalOf, type Pattern, type TextTest } from '../glob.ts'
import type { ConditionContext } from './context.ts'
import { fixedPattern, resolveTemplate, type Template } from './template.ts'

/** Whether one value of the request matches any of the policy's values. */
export type AnyMatch = (value: string, context: ConditionContext) => boolean

/** Compiles one pattern without variables; undefined when nothing can match it. */
type PatternCompiler = (pattern: Pattern) => TextTest | undefined

/**
 * Patterns are compiled once, and those with variables for each request. What matching takes is counted first: each
 * character of the value may have to be looked at for each place of a pattern.
 */
function anyOf(templates: readonly Template[], compile: PatternCompiler): AnyMatch {
  const literals: string[] = []
  const tests: TextTest[] = []
  const variable: Template[] = []
  let places = 1
  for (const template of templates) {
    const pattern = fixedPattern(template)
    const literal = pattern === undefined ? undefined : literalOf(pattern)
    if (pattern === undefined) variable.push(template)
    else if (literal !== undefined) literals.push(literal)
    else {
      const test = compile(pattern)
      if (test !== undefined) tests.push(test)
      places += lengthOf(pattern)
    }
  }
  const fixed = anyTest(literals, tests)
  return (value, context) => {
    context.spend(value.length * places)
    return (
      fixed(value) ||
      variable.some((template) => {
        const pattern = resolveTemplate(template, context)
        if (pattern === undefined || !canFit(pattern, value)) return false
        context.spend(value.length * lengthOf(pattern))
        return compile(pattern)?.(value) === true
      })
    )
  }
}

/** A value is no shorter than what has to stand in it, and folding case shortens nothing. */
function canFit(pattern: Pattern, value: string): boolean {
  let length = 0
  for (const piece of pattern) if (piece !== anyRun) length += lengthOfPiece(piece)
  return length <= value.length
}

function lengthOf(pattern: Pattern): number {
  let length = 0
  for (const piece of pattern) length += lengthOfPiece(piece)
  return length
}

function lengthOfPiece(piece: Pattern[number]): number {
  return typeof piece === 'string' ? piece.length : 1
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
