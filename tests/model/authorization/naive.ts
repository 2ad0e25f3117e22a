import type { Caller } from '../../../src/base/caller.ts'
import { conditionsHold, type Values } from './naive-conditions.ts'
import { literal, matchesGlob, substitute } from './naive-text.ts'

/**
 * A second evaluator, written from the rules alone: it reads the text of every policy anew, prepares nothing and
 * leaves nothing out. It is slow, and there to disagree with the first.
 */
export type NaiveRequest = {
  readonly caller: Caller
  readonly permission: string
  readonly resource: NaiveResource
  readonly conditions: Values
  readonly identity: readonly string[]
  readonly boundary: string | undefined
  readonly session: readonly string[] | undefined
  readonly serviceControl: readonly (readonly string[])[]
  readonly resourceControl: readonly (readonly string[])[]
  readonly grant: 'user' | 'role' | 'role-session' | 'account' | undefined
}

export type NaiveResource =
  | { type: 'key'; arn: string; account: string; policy: string; crossAccount: boolean }
  | { type: 'role'; arn: string; account: string; policy: string }
  | {
      type: 'bucket'
      arn: string
      account: string
      policy: string | undefined
      crossAccount: boolean
    }
  | { type: 'identity'; arn: string; account: string }

/** 'denied': something denies it in words; 'not allowed': nothing allows it. */
export type NaiveDecision = 'allowed' | 'denied' | 'not allowed'

export type NaiveStatement = {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: unknown
  readonly NotPrincipal?: unknown
  readonly Action?: unknown
  readonly NotAction?: unknown
  readonly Resource?: unknown
  readonly NotResource?: unknown
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

type Way = 'user' | 'role-session' | 'role' | 'everyone' | 'account' | 'provider'

export function decideNaively(request: NaiveRequest): NaiveDecision {
  const { caller, resource } = request
  const stranger = caller.account !== resource.account
  if (resource.type === 'identity' && stranger) return 'not allowed'
  const closed = (resource.type === 'key' || resource.type === 'bucket') && !resource.crossAccount
  if (stranger && closed) return 'not allowed'
  if (anyDenies(request)) return 'denied'
  if (!withinGuardrails(request)) return 'not allowed'
  return granted(request, stranger) ? 'allowed' : 'not allowed'
}

function anyDenies(request: NaiveRequest): boolean {
  const { resource } = request
  const texts = [
    ...request.serviceControl.flat(),
    ...request.identity,
    ...(request.boundary === undefined ? [] : [request.boundary]),
    ...(request.session ?? []),
  ]
  if (resource.type !== 'identity')
    texts.push(...request.resourceControl.flat(), policyOf(resource))
  return texts.some((text) => says(text, 'Deny', request))
}

function withinGuardrails(request: NaiveRequest): boolean {
  const levels = [...request.serviceControl]
  if (request.resource.type !== 'identity') levels.push(...request.resourceControl)
  return levels.every((level) => level.some((text) => says(text, 'Allow', request)))
}

function granted(request: NaiveRequest, stranger: boolean): boolean {
  const { caller, resource, grant } = request
  const limits = withinLimits(request)
  const ownLeave =
    caller.type === 'root' ||
    (limits && request.identity.some((text) => says(text, 'Allow', request)))
  if (resource.type === 'identity') return caller.type !== 'web-identity' && ownLeave
  const ways = waysOf(request, policyOf(resource))
  if (caller.type === 'web-identity') return ways.has('provider')
  if (stranger) {
    if (ways.size > 0 && ownLeave) return true
  } else {
    if (ways.has('user') || ways.has('role-session') || ways.has('everyone')) return true
    if (ways.has('role') && limits) return true
    // A bucket is its account's to give, whatever its policy says of the account.
    if ((ways.has('account') || resource.type === 'bucket') && ownLeave) return true
  }
  if (grant === undefined) return false
  if (grant === 'account') return ownLeave
  // A grant abroad stands for an identity policy, and for no more.
  return grant === 'role' || stranger ? limits : true
}

function policyOf({ policy }: Exclude<NaiveResource, { type: 'identity' }>): string {
  return policy ?? '{"Statement":[]}'
}

/** What a permissions boundary and session policies leave, where they limit at all. */
function withinLimits(request: NaiveRequest): boolean {
  const { boundary, session } = request
  if (boundary !== undefined && !says(boundary, 'Allow', request)) return false
  return session === undefined || session.some((text) => says(text, 'Allow', request))
}

/** In which ways the allowing statements of a resource policy name the caller. */
function waysOf(request: NaiveRequest, text: string): ReadonlySet<Way> {
  const ways = new Set<Way>()
  for (const statement of statementsOf(text)) {
    if (statement.Effect !== 'Allow' || !applies(statement, text, request)) continue
    for (const way of waysOfStatement(statement, request)) ways.add(way)
  }
  return ways
}

function says(text: string, effect: 'Allow' | 'Deny', request: NaiveRequest): boolean {
  return statementsOf(text).some(
    (statement) => statement.Effect === effect && applies(statement, text, request),
  )
}

function applies(statement: NaiveStatement, text: string, request: NaiveRequest): boolean {
  const version = versionOf(text)
  // A resource control policy says `*` and bounds everyone, also who is vouched for by a provider alone.
  const bounding = request.resourceControl.flat().includes(text)
  const named = !bounding && ('Principal' in statement || 'NotPrincipal' in statement)
  if (named && waysOfStatement(statement, request).length === 0) return false
  const trust = request.resource.type === 'role' && text === request.resource.policy
  return (
    actionFits(statement, request.permission) &&
    (trust || resourceFits(statement, request, version)) &&
    conditionsHold(statement.Condition ?? {}, request.conditions, statement.Effect, version)
  )
}

function waysOfStatement(statement: NaiveStatement, { caller, boundary }: NaiveRequest): Way[] {
  const inverted = statement.NotPrincipal !== undefined
  const names = principalNames(inverted ? statement.NotPrincipal : statement.Principal)
  if (caller.type === 'web-identity') {
    // A provider is let in by its name alone, and every denial of everyone is one of it.
    const listed = names.includes(`Federated ${caller.arn}`)
    if (inverted) return statement.Effect === 'Deny' && !listed ? ['provider'] : []
    if (listed) return ['provider']
    return statement.Effect === 'Deny' && names.includes('AWS *') ? ['provider'] : []
  }
  const own = identities(caller)
  if (inverted && statement.Effect === 'Deny') {
    const spared = boundary === undefined && own.every(({ id }) => names.includes(`AWS ${id}`))
    return spared ? [] : ['everyone']
  }
  const ways = own.filter(({ id }) => names.includes(`AWS ${id}`)).map(({ way }) => way)
  // All but everyone is nobody.
  if (inverted) return ways.length === 0 && !names.includes('AWS *') ? ['everyone'] : []
  return names.includes('AWS *') ? [...ways, 'everyone'] : ways
}

function identities(caller: Caller): readonly { id: string; way: Way }[] {
  const account = { id: caller.account as string, way: 'account' as const }
  if (caller.type === 'root') return [account]
  if (caller.type === 'user') return [account, { id: caller.principalId, way: 'user' }]
  return [
    account,
    { id: caller.roleId ?? '', way: 'role' },
    { id: caller.principalId, way: 'role-session' },
  ]
}

/** Each as its kind and its name; the root ARN of an account is the account. */
function principalNames(element: unknown): readonly string[] {
  if (element === '*') return ['AWS *']
  return Object.entries(element as Record<string, unknown>).flatMap(([kind, names]) =>
    listOf(names).map((name) => {
      const root = /^arn:aws:iam::(\d{12}):root$/.exec(name)
      return `${kind} ${root?.[1] ?? name}`
    }),
  )
}

function actionFits(statement: NaiveStatement, permission: string): boolean {
  const inverted = statement.NotAction !== undefined
  const patterns = listOf(inverted ? statement.NotAction : statement.Action)
  if (patterns.length === 0) return false
  const fits = patterns.some((pattern) =>
    matchesGlob(literal(pattern.toLowerCase()), permission.toLowerCase()),
  )
  return fits !== inverted
}

function resourceFits(statement: NaiveStatement, request: NaiveRequest, version: string): boolean {
  const inverted = statement.NotResource !== undefined
  const patterns = listOf(inverted ? statement.NotResource : statement.Resource)
  if (patterns.length === 0) return false
  const resolved = patterns.map((pattern) => substitute(pattern, request.conditions, version))
  if (inverted && resolved.includes(undefined)) return false
  const fits = resolved.some(
    (pattern) => pattern !== undefined && matchesGlob(pattern, request.resource.arn),
  )
  return fits !== inverted
}

function statementsOf(text: string): readonly NaiveStatement[] {
  const { Statement } = JSON.parse(text) as { Statement: NaiveStatement | NaiveStatement[] }
  return Array.isArray(Statement) ? Statement : [Statement]
}

function versionOf(text: string): string {
  return (JSON.parse(text) as { Version?: string }).Version ?? '2008-10-17'
}

export function listOf(value: unknown): readonly string[] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(String)
}
