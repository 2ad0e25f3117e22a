/** Callers and policies that the tests of this room share. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { Caller } from '../base/caller.ts'
import { type ErrorCode, ServiceError } from '../base/errors.ts'
import { type AccountId, parseAccountId } from '../base/ids.ts'
import type { CallerLayers, SourcedPolicy } from './layers.ts'
import { bindPrincipals, type PrincipalNames } from './policy/bind.ts'
import { type CompiledPolicy, compilePolicy } from './policy/compile.ts'
import type { PolicyKind } from './policy/document.ts'

export function accountId(text: string): AccountId {
  const id = parseAccountId(text)
  assert.ok(id !== undefined)
  return id
}

export const home = accountId('111122223333')
export const abroad = accountId('444455556666')
export const keyArn = `arn:aws:kms:eu-west-1:${home}:key/1234abcd-12ab-34cd-56ef-1234567890ab`

export function root(account: AccountId): Caller {
  return {
    type: 'root',
    account,
    arn: `arn:aws:iam::${account}:root`,
    principalId: account,
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  }
}

const ids = new Map<string, string>()

/** The same ARN always has the same id, and no two have one. */
function uniqueId(prefix: 'AIDA' | 'AROA', arn: string): string {
  return `${prefix}${hash('sha256', arn, 'hex').slice(0, 17).toUpperCase()}`
}

export function user(account: AccountId, name: string, path = '/'): Caller {
  const arn = `arn:aws:iam::${account}:user${path}${name}`
  const principalId = uniqueId('AIDA', arn)
  ids.set(arn, principalId)
  return {
    type: 'user',
    account,
    arn,
    principalId,
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: name,
  }
}

export function session(account: AccountId, role: string, name: string, path = '/'): Caller {
  const roleArn = `arn:aws:iam::${account}:role${path}${role}`
  const roleId = uniqueId('AROA', roleArn)
  const arn = `arn:aws:sts::${account}:assumed-role/${role}/${name}`
  ids.set(roleArn, roleId).set(arn, `${roleId}:${name}`)
  return {
    type: 'role-session',
    account,
    arn,
    principalId: `${roleId}:${name}`,
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    roleArn,
    roleId,
  }
}

export function providerArn(account: AccountId, url = 'idp.example.com/tenant'): string {
  return `arn:aws:iam::${account}:oidc-provider/${url}`
}

export function webIdentity(account: AccountId, url?: string): Caller {
  const arn = providerArn(account, url)
  return { type: 'web-identity', account, arn, principalId: `${arn}:app:alice`, accessKeyId: '' }
}

/** Every principal is there; those of the samples have the ids of their callers. */
export const names: PrincipalNames = {
  idOf(principal) {
    if (principal.type === 'id') return undefined
    if (!('arn' in principal)) return 'nothing is asked of it'
    const { arn, type } = principal
    if (type === 'oidc-provider' || type === 'federated-user') return arn
    const known = ids.get(arn)
    if (known !== undefined) return known
    if (type === 'user') return uniqueId('AIDA', arn)
    const suffix = type === 'role' ? '' : `:${arn.slice(arn.lastIndexOf('/') + 1)}`
    return `${uniqueId('AROA', arn)}${suffix}`
  },
  arnOf(id) {
    for (const [arn, known] of ids) if (known === id) return arn
    return undefined
  },
}

export type StatementJson = Record<string, unknown>

/** A statement that allows everyone everything, unless told otherwise; `undefined` removes a member. */
export function statement(changes: StatementJson = {}): StatementJson {
  return { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*', ...changes }
}

export function policyText(statements: StatementJson | readonly StatementJson[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** As it is stored: with unique ids for names. */
export function stored(
  statements: StatementJson | readonly StatementJson[],
  kind: PolicyKind = 'key',
): string {
  return bindPrincipals(policyText(statements), kind, names)
}

export function policy(
  statements: StatementJson | readonly StatementJson[],
  kind: PolicyKind = 'key',
): CompiledPolicy {
  return compilePolicy(stored(statements, kind), kind)
}

/** A statement of a policy that names nobody. */
export function own(changes: StatementJson = {}): StatementJson {
  return statement({ Principal: undefined, ...changes })
}

/** Each a policy of its own, in name and text. */
export function sources(
  policies: readonly (StatementJson | readonly StatementJson[])[],
  kind: PolicyKind = 'identity',
): SourcedPolicy[] {
  return policies.map((statements, index) => ({
    name: `${kind}-${index}`,
    version: undefined,
    policy: policy(statements, kind),
  }))
}

/** What a caller brings; nothing, unless told otherwise. */
export function layers(given: {
  readonly identity?: readonly StatementJson[] | undefined
  readonly boundary?: StatementJson | undefined
  readonly session?: readonly StatementJson[] | undefined
  readonly serviceControl?: readonly (readonly StatementJson[])[] | undefined
}): CallerLayers {
  return {
    identity: sources(given.identity ?? []),
    boundary: given.boundary && sources([given.boundary])[0],
    session: given.session && sources(given.session),
    serviceControl: (given.serviceControl ?? []).map((level) => sources(level, 'service-control')),
  }
}

export function refused(code: ErrorCode, text?: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    if (text !== undefined) assert.match(error.publicMessage ?? '', text)
    return true
  }
}
