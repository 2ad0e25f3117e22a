import { literalOf } from '../glob.ts'
import { syntaxError } from '../json.ts'
import type { PolicyDocument, Text } from '../policy/document.ts'
import { parseDate } from './date.ts'
import { inRange, parseIp, parseIpRange } from './ip.ts'
import { parseNumber } from './number.ts'
import type { BaseOperator } from './operator-name.ts'
import { fixedPattern, parseTemplate, type Template } from './template.ts'
import { type AnyMatch, compileArn, matchArn, matchText, matchTextIgnoringCase } from './text.ts'

/** How the values of one operator are read and compared. */
export type Operator = {
  /** The comparison is turned round: the request's value must match none of the policy's. */
  readonly negated: boolean
  /** Throws 'malformed-policy' for a value that can be compared with nothing. */
  compile(values: readonly Text[], version: PolicyDocument['version']): AnyMatch
}

/** Null asks for presence only and has no comparison. */
export const operators: Readonly<Record<Exclude<BaseOperator, 'Null'>, Operator>> = {
  StringEquals: textual(matchText, { negated: false, wildcards: false }),
  StringNotEquals: textual(matchText, { negated: true, wildcards: false }),
  StringEqualsIgnoreCase: textual(matchTextIgnoringCase, { negated: false, wildcards: false }),
  StringNotEqualsIgnoreCase: textual(matchTextIgnoringCase, { negated: true, wildcards: false }),
  StringLike: textual(matchText, { negated: false, wildcards: true }),
  StringNotLike: textual(matchText, { negated: true, wildcards: true }),
  ArnEquals: textual(matchArn, { negated: false, wildcards: true, check: requireArn }),
  ArnLike: textual(matchArn, { negated: false, wildcards: true, check: requireArn }),
  ArnNotEquals: textual(matchArn, { negated: true, wildcards: true, check: requireArn }),
  ArnNotLike: textual(matchArn, { negated: true, wildcards: true, check: requireArn }),
  Bool: textual(matchTextIgnoringCase, { negated: false, wildcards: false, check: requireBool }),
  BinaryEquals: parsed(parseBinary, parseBinary, (request, policy) => request === policy),
  IpAddress: parsed(parseIp, parseIpRange, inRange),
  NotIpAddress: not(parsed(parseIp, parseIpRange, inRange)),
  NumericEquals: ordered(parseNumber, (request, policy) => request === policy),
  NumericNotEquals: not(ordered(parseNumber, (request, policy) => request === policy)),
  NumericLessThan: ordered(parseNumber, (request, policy) => request < policy),
  NumericLessThanEquals: ordered(parseNumber, (request, policy) => request <= policy),
  NumericGreaterThan: ordered(parseNumber, (request, policy) => request > policy),
  NumericGreaterThanEquals: ordered(parseNumber, (request, policy) => request >= policy),
  DateEquals: ordered(parseDate, (request, policy) => request === policy),
  DateNotEquals: not(ordered(parseDate, (request, policy) => request === policy)),
  DateLessThan: ordered(parseDate, (request, policy) => request < policy),
  DateLessThanEquals: ordered(parseDate, (request, policy) => request <= policy),
  DateGreaterThan: ordered(parseDate, (request, policy) => request > policy),
  DateGreaterThanEquals: ordered(parseDate, (request, policy) => request >= policy),
}

type TextOptions = {
  readonly negated: boolean
  readonly wildcards: boolean
  readonly check?: (template: Template, value: Text) => void
}

function textual(
  match: (templates: readonly Template[]) => AnyMatch,
  { negated, wildcards, check }: TextOptions,
): Operator {
  return {
    negated,
    compile(values, version) {
      const templates = values.map((value) => {
        const template = parseTemplate(value, { version, wildcards })
        check?.(template, value)
        return template
      })
      return match(templates)
    },
  }
}

function requireArn(template: Template, { at }: Text): void {
  const pattern = fixedPattern(template)
  if (pattern !== undefined && compileArn(pattern) === undefined) {
    throw syntaxError(at, 'an ARN has six parts, divided by colons.')
  }
}

function requireBool(template: Template, { at }: Text): void {
  const pattern = fixedPattern(template)
  if (pattern === undefined) return
  const literal = literalOf(pattern)?.toLowerCase()
  if (literal !== 'true' && literal !== 'false') throw syntaxError(at, 'true or false is needed.')
}

/** What comparing with one value takes, as `ConditionContext.spend` counts it. */
const comparisonWork = 32

/** A value of the request that cannot be read matches nothing. */
function parsed<Request, Policy>(
  parseRequest: (text: string) => Request | undefined,
  parsePolicy: (text: string) => Policy | undefined,
  matches: (request: Request, policy: Policy) => boolean,
): Operator {
  return {
    negated: false,
    compile(values) {
      const wanted = values.map(({ at, text }) => {
        const value = parsePolicy(text)
        if (value !== undefined) return value
        throw syntaxError(at, 'the value does not fit the condition operator.')
      })
      return (text, context) => {
        context.spend(wanted.length * comparisonWork)
        const request = parseRequest(text)
        return request !== undefined && wanted.some((policy) => matches(request, policy))
      }
    },
  }
}

function ordered(
  parse: (text: string) => number | undefined,
  matches: (request: number, policy: number) => boolean,
): Operator {
  return parsed(parse, parse, matches)
}

function not(operator: Operator): Operator {
  return { ...operator, negated: true }
}

/** Base64, as the one text that stands for its bytes. */
function parseBinary(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  return Buffer.from(text, 'base64').toString('base64')
}
