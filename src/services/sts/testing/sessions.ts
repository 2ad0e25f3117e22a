import assert from 'node:assert/strict'
import type { House, Sending } from '../../../testing/house.ts'
import { type Parameters, query } from '../../../testing/query-calls.ts'

/** Temporary credentials, as `Sending` has them for its key. */
export type Session = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/** Who assumed a role, and what else the answer said. */
export type Assumed = Session & {
  readonly answer: Readonly<Record<string, unknown>>
}

/** A role session that has to be given. */
export async function assume(
  house: House,
  roleArn: string,
  parameters: Parameters = {},
  sending: Sending = {},
): Promise<Assumed> {
  const asked = { RoleArn: roleArn, RoleSessionName: 'job', ...parameters }
  return credentialsOf(await query(house, 'sts', 'AssumeRole', asked, sending))
}

export function credentialsOf({
  status,
  result,
  reply,
}: Awaited<ReturnType<typeof query>>): Assumed {
  assert.equal(status, 200, String(reply.body))
  const { Credentials } = result as { Credentials: Record<string, string> }
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    answer: result,
  }
}

/** `status code: text` of a call that has to be refused. */
export async function refusedSts(
  house: House,
  action: string,
  parameters: Parameters = {},
  sending: Sending = {},
): Promise<string> {
  const { status, code, text } = await query(house, 'sts', action, parameters, sending)
  assert.notEqual(status, 200, `${action} was not refused`)
  return `${status} ${code}: ${text}`
}

/** A role trust policy of one statement for `principal`. */
export function trust(principal: unknown, more: object = {}): object {
  const statement = {
    Effect: 'Allow',
    Principal: principal,
    Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    ...more,
  }
  return { Version: '2012-10-17', Statement: [statement] }
}

export function allow(action: string | readonly string[], resource: string = '*', more = {}) {
  const statement = { Effect: 'Allow', Action: action, Resource: resource, ...more }
  return { Version: '2012-10-17', Statement: [statement] }
}
