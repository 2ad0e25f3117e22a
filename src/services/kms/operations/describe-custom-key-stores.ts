import { list, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import {
  customKeyStore,
  customKeyStoreId,
  customKeyStoreName,
  storeChecks,
  unknownStore,
  unknownStoreName,
} from '../custom-key-store.ts'
import { invalidMarker, validation } from '../errors.ts'
import * as shapes from '../shapes.ts'

export const describeCustomKeyStores = operation({
  name: 'DescribeCustomKeyStores',
  input: structure({
    CustomKeyStoreId: customKeyStoreId,
    CustomKeyStoreName: customKeyStoreName,
    Limit: shapes.limit,
    Marker: shapes.marker,
  }),
  output: structure({ CustomKeyStores: list(customKeyStore), ...shapes.paged }),
  effects: 'read',
  errors: ['custom-key-store-not-found', 'invalid-marker'],
  resolve(_call, request) {
    if (request.CustomKeyStoreId !== undefined && request.CustomKeyStoreName !== undefined) {
      throw validation('Specify either CustomKeyStoreId or CustomKeyStoreName, but not both.')
    }
  },
  checks: storeChecks('kms:DescribeCustomKeyStores'),
  audit: {
    request: (request) => ({
      customKeyStoreId: request.CustomKeyStoreId,
      customKeyStoreName: request.CustomKeyStoreName,
      limit: request.Limit,
      marker: request.Marker,
    }),
  },
  handle(_call, { CustomKeyStoreId, CustomKeyStoreName, Marker }) {
    if (CustomKeyStoreId !== undefined) throw unknownStore(CustomKeyStoreId)
    if (CustomKeyStoreName !== undefined) throw unknownStoreName(CustomKeyStoreName)
    // No page was ever cut, so no marker was ever given out.
    if (Marker !== undefined) throw invalidMarker()
    return { output: { CustomKeyStores: [], Truncated: false } }
  },
})
