import { ServiceError } from '../../../base/errors.ts'
import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { StsDeps } from '../deps.ts'
import { refuseUserSessions } from '../session-limits.ts'

/**
 * What an operator explained of a call (`kagiban explain --encoded`), for the account whose record it was. Messages of
 * other accounts, and whatever else was not sealed for this, are all refused alike.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
export const decodeAuthorizationMessage = operation({
  name: 'DecodeAuthorizationMessage',
  input: structure({ EncodedMessage: required(string({ min: 1, max: 10_240 })) }),
  output: structure({ DecodedMessage: string() }),
  effects: 'read',
  errors: ['invalid-authorization-message'],
  resolve(call, _request, _deps: StsDeps): undefined {
    refuseUserSessions(call, 'DecodeAuthorizationMessage')
  },
  checks: ({ caller }) => [
    {
      permission: 'sts:DecodeAuthorizationMessage',
      resource: { type: 'identity', arn: '*', account: caller.account },
      conditions: {},
    },
  ],
  audit: { request: () => null },
  async handle({ caller }, { EncodedMessage }, _target, { hsm }) {
    const sealed = Buffer.from(EncodedMessage, 'base64')
    // Buffer.from passes over what is no base64.
    if (sealed.toString('base64') !== EncodedMessage) throw invalidMessage()
    try {
      const message = await hsm.open('authorization-message', caller.account, sealed)
      return { output: { DecodedMessage: message.toString('utf8') } }
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'invalid-ciphertext') {
        throw invalidMessage()
      }
      throw error
    }
  },
})

function invalidMessage(): ServiceError {
  return new ServiceError('invalid-authorization-message', 'The message is not valid.')
}
