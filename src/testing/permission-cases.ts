import assert from 'node:assert/strict'
import type { AccessKey } from '../operator/accounts.ts'
import { account, type House } from './house.ts'
import { iam, type Parameters, query } from './query-calls.ts'

/** Everything that the permission of an operation depends on: the resource, and the condition keys that are there. */
export type PermissionCase = readonly [
  action: string,
  parameters: Parameters,
  resource: string,
  conditions?: Readonly<Record<string, string>>,
]

/**
 * Calls as a user who may do nothing but what a case says: with another resource, another value of any condition key or
 * another permission the call is denied, and otherwise it is not.
 */
export async function assertPermissions(
  house: House,
  cases: readonly PermissionCase[],
): Promise<void> {
  const key = await house.addUser({ name: 'clerk' })
  for (const [action, parameters, resource, conditions = {}] of cases) {
    const permission = `iam:${action}`
    if (resource !== '*') {
      await mayOnly(house, allow(permission, `${resource}x`, conditions))
      await assertDenied(house, key, action, parameters, resource)
    }
    for (const name of Object.keys(conditions)) {
      await mayOnly(house, allow(permission, resource, { ...conditions, [name]: 'other' }))
      await assertDenied(house, key, action, parameters, resource)
    }
    await mayOnly(house, allow('iam:NoSuchOperation', '*', {}))
    await assertDenied(house, key, action, parameters, resource)
    await mayOnly(house, allow(permission, resource, conditions))
    const { code, text } = await query(house, 'iam', action, parameters, { key })
    assert.ok(code === undefined || code === 'NoSuchEntity', `${action}: ${code} ${text}`)
  }
}

export async function assertDenied(
  house: House,
  key: AccessKey,
  action: string,
  parameters: Parameters,
  resource: string,
  permission = action,
): Promise<void> {
  const { status, code, text } = await query(house, 'iam', action, parameters, { key })
  assert.deepEqual([status, code], [403, 'AccessDenied'], action)
  assert.equal(
    text,
    `User: arn:aws:iam::${account}:user/clerk is not authorized to perform: iam:${permission} on resource: ${resource} because no identity-based policy allows the iam:${permission} action`,
  )
}

export function mayOnly(house: House, PolicyDocument: string): Promise<unknown> {
  return iam(house, 'PutUserPolicy', { UserName: 'clerk', PolicyName: 'all', PolicyDocument })
}

export function allow(
  Action: string,
  Resource: string,
  conditions: Readonly<Record<string, string>>,
): string {
  const Condition = { StringEquals: conditions }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      ...{ Effect: 'Allow', Action, Resource },
      ...(Object.keys(conditions).length === 0 ? {} : { Condition }),
    },
  })
}
