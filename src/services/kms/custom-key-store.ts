import { ServiceError } from '../../base/errors.ts'
import { oneOf, required, string, structure } from '../../wire/schema.ts'
import type { CallContext, JsonObject } from '../operation.ts'
import { accountCheck } from './conditions.ts'
import { missingMember, validation } from './errors.ts'

/**
 * Custom key stores keep key material in somebody else's module. There are none in this deployment, and every
 * operation answers as AWS does to an account that has none.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
 */
export const customKeyStoreId = string({ min: 1, max: 64 })
export const customKeyStoreName = string({ min: 1, max: 256 })
export const customKeyStoreType = oneOf('AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE')
const connectivity = oneOf('PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE')
const uriEndpoint = string({ min: 10, max: 128, pattern: '^https://[a-zA-Z0-9.-]+$' })
const uriPath = string({
  min: 10,
  max: 128,
  pattern: '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$',
})
const endpointServiceName = string({
  min: 20,
  max: 64,
  pattern: '^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$',
})
const endpointServiceOwner = string({ min: 12, max: 12, pattern: '^[0-9]{12}$' })

/** How to reach a store; members of CreateCustomKeyStore and UpdateCustomKeyStore alike. */
export const storeMembers = {
  CloudHsmClusterId: string({ min: 19, max: 24, pattern: 'cluster-[2-7a-zA-Z]{11,16}' }),
  KeyStorePassword: string({ min: 7, max: 32, sensitive: true }),
  XksProxyUriEndpoint: uriEndpoint,
  XksProxyUriPath: uriPath,
  XksProxyVpcEndpointServiceName: endpointServiceName,
  XksProxyVpcEndpointServiceOwner: endpointServiceOwner,
  XksProxyAuthenticationCredential: structure({
    AccessKeyId: required(string({ min: 20, max: 30, pattern: '^[A-Z2-7]+$', sensitive: true })),
    RawSecretAccessKey: required(
      string({ min: 43, max: 64, pattern: '^[a-zA-Z0-9\\/+=]+$', sensitive: true }),
    ),
  }),
  XksProxyConnectivity: connectivity,
}

/** An entry of DescribeCustomKeyStores: the shape of what is never there. */
export const customKeyStore = structure({
  CustomKeyStoreId: customKeyStoreId,
  CustomKeyStoreName: customKeyStoreName,
  CloudHsmClusterId: string(),
  TrustAnchorCertificate: string(),
  ConnectionState: string(),
  ConnectionErrorCode: string(),
  CreationDate: { type: 'timestamp' } as const,
  CustomKeyStoreType: customKeyStoreType,
  XksProxyConfiguration: structure({
    Connectivity: connectivity,
    AccessKeyId: string(),
    UriEndpoint: uriEndpoint,
    UriPath: uriPath,
    VpcEndpointServiceName: endpointServiceName,
    VpcEndpointServiceOwner: endpointServiceOwner,
  }),
})

export const unknownStore = (id: string) =>
  new ServiceError('custom-key-store-not-found', `Custom key store ${id} does not exist.`)

export const unknownStoreName = (name: string) =>
  new ServiceError('custom-key-store-not-found', `There is no custom key store named ${name}.`)

type NewStore = {
  readonly CustomKeyStoreType?: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE' | undefined
  readonly CloudHsmClusterId?: string | undefined
  readonly XksProxyUriEndpoint?: string | undefined
  readonly XksProxyConnectivity?: 'PUBLIC_ENDPOINT' | 'VPC_ENDPOINT_SERVICE' | undefined
} & Readonly<Record<string, unknown>>

const clusterMembers = ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword']
const proxyMembers = [
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyAuthenticationCredential',
  'XksProxyConnectivity',
]

/** Throws 'validation' unless the members of its type, and none of the other's, describe a new store. */
export function requireStoreMembers(request: NewStore): void {
  const external = request.CustomKeyStoreType === 'EXTERNAL_KEY_STORE'
  const [own, others] = external ? [proxyMembers, clusterMembers] : [clusterMembers, proxyMembers]
  const foreign = others.find((member) => request[member] !== undefined)
  if (foreign !== undefined) {
    const type = external ? 'EXTERNAL_KEY_STORE' : 'AWS_CLOUDHSM'
    throw validation(`${foreign} is not valid for custom key stores of type ${type}.`)
  }
  const missing = own.find((member) => request[member] === undefined)
  if (missing !== undefined) throw missingMember(missing[0]?.toLowerCase() + missing.slice(1))
}

/** What AWS answers when the cluster, or the proxy, of a new store is not there. */
export function unreachableStore(request: NewStore): ServiceError {
  return request.CustomKeyStoreType === 'EXTERNAL_KEY_STORE'
    ? new ServiceError(
        'xks-proxy-unreachable',
        `The external key store proxy at ${request.XksProxyUriEndpoint} cannot be reached.`,
      )
    : new ServiceError(
        'cloud-hsm-cluster-not-found',
        `CloudHSM cluster ${request.CloudHsmClusterId} does not exist.`,
      )
}

/** What the operations on one store have in common. */
export const storeChecks = (permission: string) => (call: CallContext) => [
  accountCheck(call, permission, { 'kms:CallerAccount': call.caller.account }),
]

export const recordedStore = (request: { readonly CustomKeyStoreId: string }): JsonObject => ({
  customKeyStoreId: request.CustomKeyStoreId,
})
