import { blob, list, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { accountCheck } from '../checks.ts'
import type { DigestPublicKey } from '../delivery.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { invalidTimeRange, invalidToken } from '../errors.ts'

/** The keys that verify digests which this Region's key signed at some time of the range; without one, now. */
export const listPublicKeys = operation({
  name: 'ListPublicKeys',
  input: structure({ StartTime: timestamp(), EndTime: timestamp(), NextToken: string() }),
  output: structure({
    PublicKeyList: list(
      structure({
        Value: blob(),
        ValidityStartTime: timestamp(),
        ValidityEndTime: timestamp(),
        Fingerprint: string(),
      }),
    ),
    NextToken: string(),
  }),
  effects: 'read',
  errors: ['invalid-time-range', 'invalid-token', 'throttled'],
  resolve(call, request, _deps: CloudTrailDeps) {
    // One page holds them all: no token was ever given out.
    if (request.NextToken !== undefined) throw invalidToken()
    // A key that is made for this very call is younger than it.
    const { StartTime: from = call.now, EndTime: to = Number.MAX_SAFE_INTEGER } = request
    if (from > to) throw invalidTimeRange()
    return { from, to }
  },
  checks: (call) => [accountCheck(call, 'cloudtrail:ListPublicKeys')],
  audit: { request: (request) => recorded(request, 'StartTime', 'EndTime', 'NextToken') },
  async handle({ region }, _request, { from, to }, { digests }) {
    const keys = await digests.publicKeys(region)
    const PublicKeyList = keys
      .filter(({ validFrom, validTo }) => validFrom <= to && from <= validTo)
      .map(publicKeyOutput)
    return { output: { PublicKeyList } }
  },
})

function publicKeyOutput({ value, validFrom, validTo, fingerprint }: DigestPublicKey) {
  return {
    Value: value,
    ValidityStartTime: validFrom,
    ValidityEndTime: validTo,
    Fingerprint: fingerprint,
  }
}
