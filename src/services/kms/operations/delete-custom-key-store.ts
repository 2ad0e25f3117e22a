import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { customKeyStoreId, recordedStore, storeChecks, unknownStore } from '../custom-key-store.ts'

export const deleteCustomKeyStore = operation({
  name: 'DeleteCustomKeyStore',
  input: structure({ CustomKeyStoreId: required(customKeyStoreId) }),
  output: structure({}),
  effects: 'write',
  errors: ['custom-key-store-not-found'],
  resolve: () => undefined,
  checks: storeChecks('kms:DeleteCustomKeyStore'),
  audit: { request: recordedStore },
  handle(_call, request) {
    throw unknownStore(request.CustomKeyStoreId)
  },
})
