import { parseOperator } from '../conditions/operator-name.ts'
import { type JsonValue, type Location, type PolicyFault, readJson, syntaxError } from '../json.ts'
import type {
  Condition,
  Effect,
  PatternElement,
  PolicyDocument,
  PolicyKind,
  PrincipalElement,
  PrincipalEntry,
  Statement,
  Text,
} from './document.ts'
import { principalOfKind, requireSidOfKind, requireWhole, resourceOfKind } from './kinds.ts'

/** Bytes of UTF-8, white space included. https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
export const policyBytesMax = 32_768
/** IAM counts characters without white space, and by the kind of policy: its own bound is of the whole text. */
const otherBytesMax = 2 * 131_072
const depthMax = 20

const policyMembers: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement'])
const statementMembers: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])
/** A service's prefix, or the URL of a provider, perhaps with a port: `aws:SourceIp`, `accounts.example/team:sub`. */
const conditionKey = /^[A-Za-z0-9][\w.~%+@=/-]{0,254}(?::\d{1,5}(?:\/[\w.~%+@=/-]{0,254})?)?:./
const principalKinds = new Set<string>(['AWS', 'CanonicalUser', 'Federated', 'Service'])

/**
 * Reads the structure of a policy. Names of principals, actions, resources and operators are looked at when it is
 * compiled. Throws 'limit-exceeded' or 'malformed-policy'.
 */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  const bytesMax = kind === 'key' ? policyBytesMax : otherBytesMax
  const root = readJson(text, { bytesMax, depthMax })
  const members = membersOf(root, 'The policy', policyMembers)
  const id = members.get('Id')
  if (id !== undefined && kind !== 'key' && kind !== 'trust' && kind !== 'bucket') {
    throw structureError(id.at, 'a policy of this kind has no Id.')
  }
  const statement = members.get('Statement')
  if (statement === undefined) throw structureError(root.at, 'Statement is missing.')
  const items = statement.type === 'array' ? statement.items : [statement]
  if (items.length === 0) throw structureError(statement.at, 'at least one statement is needed.')
  const statements = items.map((item) => parseStatement(item, kind))
  const version = versionOf(members.get('Version'))
  refuseRepeatedSids(statements)
  requireWhole(statements, kind)
  return { kind, version, id: optionalText(id, 'Id'), statements }
}

function structureError(at: Location, sentence: string): PolicyFault {
  return syntaxError(at, sentence, 'structure')
}

function versionOf(value: JsonValue | undefined): PolicyDocument['version'] {
  if (value === undefined) return '2008-10-17'
  const version = optionalText(value, 'Version')
  if (version === '2008-10-17' || version === '2012-10-17') return version
  throw syntaxError(value.at, 'Version must be "2012-10-17" or "2008-10-17".', 'version')
}

function parseStatement(value: JsonValue, kind: PolicyKind): Statement {
  const members = membersOf(value, 'A statement', statementMembers)
  const action = patternElement(members, 'Action', 'NotAction')
  const resource = patternElement(members, 'Resource', 'NotResource')
  return {
    at: value.at,
    sid: sidOf(members.get('Sid'), kind),
    effect: effectOf(members.get('Effect'), value.at),
    principal: principalOfKind(principalElement(members), value, kind),
    action,
    resource: resourceOfKind(resource, value, kind),
    conditions: conditionsOf(members.get('Condition')),
  }
}

function effectOf(value: JsonValue | undefined, statement: Location): Effect {
  const effect = optionalText(value, 'Effect')
  if (effect === 'Allow' || effect === 'Deny') return effect
  throw structureError(value?.at ?? statement, 'Effect must be "Allow" or "Deny".')
}

function sidOf(value: JsonValue | undefined, kind: PolicyKind): string | undefined {
  const sid = optionalText(value, 'Sid')
  if (value?.type === 'string') requireSidOfKind(value, kind)
  return sid
}

function refuseRepeatedSids(statements: readonly Statement[]): void {
  const seen = new Set<string>()
  for (const { sid, at } of statements) {
    if (sid === undefined || sid === '') continue
    if (seen.has(sid)) throw syntaxError(at, 'another statement has the same Sid.', 'repeated-sid')
    seen.add(sid)
  }
}

function patternElement(
  members: ReadonlyMap<string, JsonValue>,
  name: 'Action' | 'Resource',
  inverse: 'NotAction' | 'NotResource',
): PatternElement | undefined {
  const inverted = members.get(inverse)
  const value = exclusive(members, name, inverse)
  if (value === undefined) return undefined
  const patterns = textsOf(value, inverted === undefined ? name : inverse)
  if (patterns.length === 0) {
    // "All but nothing" could be read as everything or as nothing.
    if (inverted !== undefined) throw structureError(value.at, `${inverse} must not be empty.`)
    return undefined
  }
  return { inverted: inverted !== undefined, patterns }
}

function principalElement(members: ReadonlyMap<string, JsonValue>): PrincipalElement | undefined {
  const value = exclusive(members, 'Principal', 'NotPrincipal')
  if (value === undefined) return undefined
  const entries = principalEntries(value)
  if (entries.length === 0) throw structureError(value.at, 'at least one principal is needed.')
  return { inverted: members.has('NotPrincipal'), entries }
}

function principalEntries(value: JsonValue): PrincipalEntry[] {
  if (value.type === 'string' && value.text === '*') {
    return [{ kind: 'AWS', at: value.at, text: '*' }]
  }
  if (value.type !== 'object') {
    throw structureError(value.at, 'a principal is "*" or an object, such as {"AWS": "…"}.')
  }
  const entries: PrincipalEntry[] = []
  for (const [kind, texts] of value.members) {
    if (!isPrincipalKind(kind)) {
      throw structureError(
        texts.at,
        'a principal is one of AWS, Service, Federated, CanonicalUser.',
      )
    }
    for (const { at, text } of textsOf(texts, kind)) entries.push({ kind, at, text })
  }
  return entries
}

function isPrincipalKind(kind: string): kind is PrincipalEntry['kind'] {
  return principalKinds.has(kind)
}

function conditionsOf(value: JsonValue | undefined): Condition[] {
  if (value === undefined) return []
  const conditions: Condition[] = []
  for (const [name, block] of objectOf(value, 'Condition')) {
    const operator = parseOperator(name)
    if (operator === undefined)
      throw structureError(block.at, 'there is no such condition operator.')
    for (const [key, given] of objectOf(block, 'A condition operator')) {
      if (!conditionKey.test(key)) {
        const sentence = 'a condition key has a prefix, as in aws:SourceIp.'
        throw syntaxError(given.at, sentence, 'condition-without-vendor')
      }
      conditions.push({ at: given.at, operator, key, values: conditionValues(given) })
    }
  }
  return conditions
}

/** Numbers and booleans are taken as their text. */
function conditionValues(value: JsonValue): Text[] {
  const items = value.type === 'array' ? value.items : [value]
  if (items.length === 0) throw structureError(value.at, 'a condition needs at least one value.')
  return items.map((item) => {
    if (item.type === 'string' || item.type === 'number' || item.type === 'boolean') {
      return { at: item.at, text: item.text }
    }
    throw structureError(item.at, 'a condition value is a string, a number or a boolean.')
  })
}

function exclusive(
  members: ReadonlyMap<string, JsonValue>,
  name: string,
  inverse: string,
): JsonValue | undefined {
  const value = members.get(name)
  const inverted = members.get(inverse)
  if (value !== undefined && inverted !== undefined) {
    throw structureError(inverted.at, `${name} and ${inverse} exclude each other.`)
  }
  return value ?? inverted
}

function membersOf(
  value: JsonValue,
  what: string,
  known: ReadonlySet<string>,
): ReadonlyMap<string, JsonValue> {
  const members = objectOf(value, what)
  for (const [name, member] of members) {
    if (!known.has(name)) throw structureError(member.at, `${what} has no such member.`)
  }
  return members
}

function objectOf(value: JsonValue, what: string): ReadonlyMap<string, JsonValue> {
  if (value.type === 'object') return value.members
  throw structureError(value.at, `${what} must be an object.`)
}

function optionalText(value: JsonValue | undefined, what: string): string | undefined {
  if (value === undefined) return undefined
  if (value.type === 'string') return value.text
  throw structureError(value.at, `${what} must be a string.`)
}

function textsOf(value: JsonValue, what: string): Text[] {
  const items = value.type === 'array' ? value.items : [value]
  return items.map((item) => {
    if (item.type === 'string') return { at: item.at, text: item.text }
    throw structureError(item.at, `${what} must be a string or a list of strings.`)
  })
}
