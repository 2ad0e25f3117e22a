import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import {
  customKeyStoreId,
  customKeyStoreName,
  recordedStore,
  storeChecks,
  storeMembers,
  unknownStore,
} from '../custom-key-store.ts'

export const updateCustomKeyStore = operation({
  name: 'UpdateCustomKeyStore',
  input: structure({
    CustomKeyStoreId: required(customKeyStoreId),
    NewCustomKeyStoreName: customKeyStoreName,
    ...storeMembers,
  }),
  output: structure({}),
  effects: 'write',
  errors: ['custom-key-store-not-found'],
  resolve: () => undefined,
  checks: storeChecks('kms:UpdateCustomKeyStore'),
  audit: { request: recordedStore },
  handle(_call, request) {
    throw unknownStore(request.CustomKeyStoreId)
  },
})
