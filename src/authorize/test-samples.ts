/** Callers and policies that the tests of this room share. */
import assert from 'node:assert/strict'
import type { Caller } from '../base/caller.ts'
import { type ErrorCode, ServiceError } from '../base/errors.ts'
import { type AccountId, parseAccountId } from '../base/ids.ts'

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

export function user(account: AccountId, name: string, path = '/'): Caller {
  return {
    type: 'user',
    account,
    arn: `arn:aws:iam::${account}:user${path}${name}`,
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: name,
  }
}

export function session(account: AccountId, role: string, name: string, path = '/'): Caller {
  return {
    type: 'role-session',
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
    principalId: `AROADBQP57FF2AEXAMPLE:${name}`,
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    roleArn: `arn:aws:iam::${account}:role${path}${role}`,
  }
}

export type StatementJson = Record<string, unknown>

/** A statement that allows everyone everything, unless told otherwise; `undefined` removes a member. */
export function statement(changes: StatementJson = {}): StatementJson {
  return { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*', ...changes }
}

export function policyText(statements: StatementJson | readonly StatementJson[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

export function refused(code: ErrorCode, text?: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    if (text !== undefined) assert.match(error.publicMessage ?? '', text)
    return true
  }
}
