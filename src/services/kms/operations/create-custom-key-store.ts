import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import {
  customKeyStoreId,
  customKeyStoreName,
  customKeyStoreType,
  requireStoreMembers,
  storeChecks,
  storeMembers,
  unreachableStore,
} from '../custom-key-store.ts'

/** No cluster and no proxy can be reached from here, and that is what is answered. */
export const createCustomKeyStore = operation({
  name: 'CreateCustomKeyStore',
  input: structure({
    CustomKeyStoreName: required(customKeyStoreName),
    TrustAnchorCertificate: string({ min: 1, max: 5000 }),
    CustomKeyStoreType: customKeyStoreType,
    ...storeMembers,
  }),
  output: structure({ CustomKeyStoreId: customKeyStoreId }),
  effects: 'write',
  errors: ['cloud-hsm-cluster-not-found', 'xks-proxy-unreachable'],
  resolve: (_call, request) => requireStoreMembers(request),
  checks: storeChecks('kms:CreateCustomKeyStore'),
  audit: {
    request: (request) => ({
      customKeyStoreName: request.CustomKeyStoreName,
      customKeyStoreType: request.CustomKeyStoreType ?? 'AWS_CLOUDHSM',
      cloudHsmClusterId: request.CloudHsmClusterId,
      xksProxyUriEndpoint: request.XksProxyUriEndpoint,
      xksProxyUriPath: request.XksProxyUriPath,
      xksProxyConnectivity: request.XksProxyConnectivity,
      xksProxyVpcEndpointServiceName: request.XksProxyVpcEndpointServiceName,
    }),
  },
  handle(_call, request) {
    throw unreachableStore(request)
  },
})
