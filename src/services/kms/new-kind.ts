import { algorithmsOf, type KeySpec, type KeyUsage, specRow } from '../../hsm/key-specs.ts'
import {
  bothKeySpecs,
  missingMember,
  originNotOfSpec,
  unsupported,
  usageMissing,
  usageNotOfSpec,
  validation,
} from './errors.ts'
import type { Origin } from './key-spec.ts'

/** What CreateKey is asked to make. */
type KindRequest = {
  readonly KeySpec?: KeySpec | 'SM2' | undefined
  readonly CustomerMasterKeySpec?: KeySpec | 'SM2' | undefined
  readonly KeyUsage?: KeyUsage | undefined
  readonly Origin?: Origin | undefined
  readonly MultiRegion?: boolean | undefined
  readonly CustomKeyStoreId?: string | undefined
  readonly XksKeyId?: string | undefined
}

/** The kind of a new key, with the defaults filled in. */
export type NewKind = {
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly multiRegion: boolean
  readonly origin: NewOrigin
}

export type NewOrigin =
  | { readonly in: 'key core'; readonly value: 'AWS_KMS' | 'EXTERNAL' }
  | {
      readonly in: 'custom key store'
      readonly value: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'
      readonly customKeyStoreId: string
    }

/** Throws 'validation' for what can be no key, and 'unsupported' for what is none in this partition. */
export function newKindOf(request: KindRequest): NewKind {
  if (request.KeySpec !== undefined && request.CustomerMasterKeySpec !== undefined) {
    throw bothKeySpecs()
  }
  const keySpec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (request.KeyUsage === undefined && keySpec !== 'SYMMETRIC_DEFAULT') throw usageMissing()
  if (keySpec === 'SM2') throw unsupported('KeySpec SM2 is')
  const keyUsage = request.KeyUsage ?? 'ENCRYPT_DECRYPT'
  if (algorithmsOf(keySpec, keyUsage).length === 0) throw usageNotOfSpec(keyUsage, keySpec)
  const multiRegion = request.MultiRegion ?? false
  return { keySpec, keyUsage, multiRegion, origin: originOf(request, keySpec, multiRegion) }
}

function originOf(request: KindRequest, keySpec: KeySpec, multiRegion: boolean): NewOrigin {
  const { Origin: value = 'AWS_KMS', CustomKeyStoreId: customKeyStoreId, XksKeyId } = request
  if (XksKeyId !== undefined && value !== 'EXTERNAL_KEY_STORE') {
    throw validation(`XksKeyId is not valid for Origin ${value}.`)
  }
  if (value === 'AWS_KMS' || value === 'EXTERNAL') {
    if (customKeyStoreId !== undefined) {
      throw validation(`CustomKeyStoreId is not valid for Origin ${value}.`)
    }
    if (value === 'EXTERNAL' && !specRow(keySpec).importable) throw originNotOfSpec(value, keySpec)
    return { in: 'key core', value }
  }
  if (customKeyStoreId === undefined) throw missingMember('customKeyStoreId')
  if (value === 'EXTERNAL_KEY_STORE' && XksKeyId === undefined) throw missingMember('xksKeyId')
  if (keySpec !== 'SYMMETRIC_DEFAULT') throw originNotOfSpec(value, keySpec)
  if (multiRegion) throw unsupported(`MultiRegion with Origin ${value} is`)
  return { in: 'custom key store', value, customKeyStoreId }
}
