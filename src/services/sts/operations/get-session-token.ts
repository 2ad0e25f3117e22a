import type { Caller } from '../../../base/caller.ts'
import { issueSession } from '../../../identities/issue-session.ts'
import type { SessionHolder } from '../../../identities/session-token.ts'
import { structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { StsDeps } from '../deps.ts'
import { accessDenied, refuseMfa } from '../errors.ts'
import { credentialsOf, recordedCredentials, tokenSizeOf } from '../role-session.ts'
import * as shapes from '../shapes.ts'

const secondsDefault = 43_200
/** A root user's sessions are cut to an hour, whatever was asked. */
const rootSecondsMax = 3600

/**
 * Temporary credentials of whoever calls. It needs no permission, and no policy can deny it.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const getSessionToken = operation({
  name: 'GetSessionToken',
  input: structure({
    DurationSeconds: shapes.userDuration,
    SerialNumber: shapes.serialNumber,
    TokenCode: shapes.tokenCode,
    MinimumSessionTokenSize: shapes.minimumTokenSize,
  }),
  output: structure({ Credentials: shapes.credentials, ...shapes.tokenSize }),
  effects: 'use',
  errors: [],
  resolve({ caller }, request, _deps: StsDeps): SessionHolder {
    if (caller.session !== undefined) {
      throw accessDenied('Cannot call GetSessionToken with session credentials')
    }
    refuseMfa(request)
    return holderOf(caller)
  },
  checks: () => [],
  audit: {
    request: ({ DurationSeconds, SerialNumber }) => ({
      durationSeconds: DurationSeconds,
      serialNumber: SerialNumber,
    }),
    response: ({ Credentials }) => ({ credentials: recordedCredentials(Credentials ?? {}) }),
  },
  async handle({ caller, now }, request, holder, deps) {
    const { DurationSeconds: asked = secondsDefault, MinimumSessionTokenSize } = request
    const seconds = caller.type === 'root' ? Math.min(asked, rootSecondsMax) : asked
    const issuedAt = now - (now % 1000)
    const session = { holder, issuedAt, expiresAt: issuedAt + seconds * 1000 }
    const issued = await issueSession(deps, session, MinimumSessionTokenSize)
    return { output: { Credentials: credentialsOf(issued), ...tokenSizeOf(issued) } }
  },
})

function holderOf({ type, account, principalId, accessKeyId }: Caller): SessionHolder {
  return type === 'root'
    ? { type, account, accessKeyId }
    : { type: 'user', userId: principalId, accessKeyId }
}
