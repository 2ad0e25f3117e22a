import { structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { accountCheck } from '../conditions.ts'
import { unknownStore } from '../custom-key-store.ts'
import type { KmsDeps } from '../deps.ts'
import { numberOfBytesMissing } from '../errors.ts'
import { refuseRecipient } from '../refusals.ts'
import * as shapes from '../shapes.ts'

export const generateRandom = operation({
  name: 'GenerateRandom',
  input: structure({
    NumberOfBytes: shapes.numberOfBytes,
    CustomKeyStoreId: shapes.customKeyStoreId,
    Recipient: shapes.recipient,
  }),
  output: structure({
    Plaintext: shapes.plaintext,
    CiphertextForRecipient: shapes.ciphertext,
  }),
  effects: 'use',
  errors: ['custom-key-store-not-found', 'unsupported'],
  /** The number of bytes, which the model calls optional and the service requires. */
  resolve(_call, request, _deps: KmsDeps): number {
    if (request.NumberOfBytes === undefined) throw numberOfBytesMissing()
    refuseRecipient(request.Recipient)
    return request.NumberOfBytes
  },
  checks: (call) => [accountCheck(call, 'kms:GenerateRandom')],
  audit: { request: () => null },
  async handle(_call, { CustomKeyStoreId }, bytes, { hsm }) {
    if (CustomKeyStoreId !== undefined) throw unknownStore(CustomKeyStoreId)
    return { output: { Plaintext: await hsm.random(bytes) } }
  },
})
