import { string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'

/**
 * Who signed this request. It needs no permission and no policy can deny it.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export const getCallerIdentity = operation({
  name: 'GetCallerIdentity',
  input: structure({}),
  output: structure({ UserId: string(), Account: string(), Arn: string({ min: 20, max: 2048 }) }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: () => [],
  audit: { request: () => null },
  handle: ({ caller }) => ({
    output: { UserId: caller.principalId, Account: caller.account, Arn: caller.arn },
  }),
})
