import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { StsDeps } from '../deps.ts'
import { validation } from '../errors.ts'
import { refuseUserSessions } from '../session-limits.ts'
import * as shapes from '../shapes.ts'

/**
 * Whose a long-term access key of this deployment is. Keys of sessions are not kept, so nothing is known of them.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
 */
export const getAccessKeyInfo = operation({
  name: 'GetAccessKeyInfo',
  input: structure({ AccessKeyId: required(shapes.accessKeyId) }),
  output: structure({ Account: string() }),
  effects: 'read',
  errors: [],
  resolve(call, _request, _deps: StsDeps): undefined {
    refuseUserSessions(call, 'GetAccessKeyInfo')
  },
  checks: ({ caller }) => [
    {
      permission: 'sts:GetAccessKeyInfo',
      resource: { type: 'identity', arn: '*', account: caller.account },
      conditions: {},
    },
  ],
  audit: { request: ({ AccessKeyId }) => ({ accessKeyId: AccessKeyId }) },
  handle(_call, { AccessKeyId }, _target, { identities }) {
    const key = identities.accessKey(AccessKeyId)
    if (key === undefined) throw validation('The access key is not one of this deployment.')
    return { output: { Account: key.account } }
  },
})
