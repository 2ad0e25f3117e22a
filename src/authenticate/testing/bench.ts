import assert from 'node:assert/strict'
import type { Caller } from '../../base/caller.ts'
import { ServiceError } from '../../base/errors.ts'
import type { AccountId } from '../../base/ids.ts'
import type { HttpRequest } from '../../wire/protocol.ts'
import {
  type Authenticated,
  Authenticator,
  type AuthenticatorOptions,
  type SessionRecord,
} from '../authenticator.ts'
import type { CredentialRecord } from '../credentials.ts'
import { type SignWith, signingKey } from './signer.ts'

export const accessKeyId = 'AKIDEXAMPLE'
export const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
export const timestamp = '20150830T123600Z'

export const caller: Caller = {
  type: 'user',
  account: '111122223333' as AccountId,
  arn: 'arn:aws:iam::111122223333:user/Alice',
  principalId: 'AIDAEXAMPLE',
  accessKeyId,
  userName: 'Alice',
}

export const withKey: SignWith = {
  accessKeyId,
  secret,
  region: 'us-east-1',
  service: 'kms',
  timestamp,
}

/** An authenticator over a store that the test can change, at a clock that the test can set. */
export function bench(options: Partial<AuthenticatorOptions> = {}) {
  const secrets = new Map([['sealed', secret]])
  const records = new Map<string, CredentialRecord>([[accessKeyId, record()]])
  const sessions = new Map<string, SessionRecord>()
  const state = { now: Date.UTC(2015, 7, 30, 12, 36, 0), derivations: 0 }
  const allOptions: AuthenticatorOptions = {
    credential: (id) => records.get(id),
    session: (id, token) => sessions.get(`${id} ${token}`),
    signingKey: async (scope) => {
      state.derivations++
      const known = secrets.get(scope.sealedSecret)
      if (known === undefined) throw new ServiceError('unavailable')
      return signingKey(known, [scope.date, scope.region, scope.service, 'aws4_request'])
    },
    clock: { now: () => state.now },
    regions: new Set(['us-east-1', 'eu-central-1']),
    services: new Set(['kms', 'sts', 'service']),
    ...options,
  }
  const authenticator = new Authenticator(allOptions)
  return { authenticator, options: allOptions, records, sessions, secrets, state }
}

export function record(change: Partial<CredentialRecord> = {}): CredentialRecord {
  return { accessKeyId, status: 'Active', sealedSecret: 'sealed', caller, createdAt: 0, ...change }
}

/** The refusal of a request, whether thrown or rejected; fails when it is accepted. */
export async function refusal(
  authenticator: Authenticator,
  request: HttpRequest,
  what?: string,
): Promise<ServiceError> {
  let accepted: Authenticated
  try {
    accepted = await authenticator.verify(request)
  } catch (error) {
    assert.ok(error instanceof ServiceError, `${what}: ${String(error)}`)
    return error
  }
  assert.fail(`accepted as ${accepted.caller.arn}: ${what ?? request.target}`)
}
