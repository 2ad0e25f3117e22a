import { string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { accountCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { numberOfBytesMissing, unsupported } from '../errors.ts'
import { refuseRecipient } from '../refusals.ts'
import * as shapes from '../shapes.ts'

export const generateRandom = operation({
  name: 'GenerateRandom',
  input: structure({
    NumberOfBytes: shapes.numberOfBytes,
    CustomKeyStoreId: string({ min: 1, max: 64 }),
    Recipient: shapes.recipient,
  }),
  output: structure({
    Plaintext: shapes.plaintext,
    CiphertextForRecipient: shapes.ciphertext,
  }),
  effects: 'use',
  errors: ['unsupported'],
  /** The number of bytes, which the model calls optional and the service requires. */
  resolve(_call, request, _deps: KmsDeps): number {
    if (request.NumberOfBytes === undefined) throw numberOfBytesMissing()
    if (request.CustomKeyStoreId !== undefined) throw unsupported('Custom key stores are')
    refuseRecipient(request.Recipient)
    return request.NumberOfBytes
  },
  checks: (call) => [accountCheck(call, 'kms:GenerateRandom')],
  audit: { request: () => null },
  handle: async (_call, _request, bytes, { hsm }) => ({
    output: { Plaintext: await hsm.random(bytes) },
  }),
})
