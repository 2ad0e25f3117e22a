import type { KeyObject } from 'node:crypto'
import type { ErrorCode } from '../../base/errors.ts'
import type { RsaEncryptionAlgorithm, SigningAlgorithm } from '../key-specs.ts'

/** What is done in a thread of the core. Keys are the process's own: a thread gets a handle, and no bytes. */
export type Task =
  | {
      readonly kind: 'sign'
      readonly key: KeyObject
      readonly algorithm: SigningAlgorithm
      readonly message: Uint8Array
    }
  | {
      readonly kind: 'verify'
      readonly key: KeyObject
      readonly algorithm: SigningAlgorithm
      readonly message: Uint8Array
      readonly signature: Uint8Array
    }
  | {
      readonly kind: 'decrypt'
      readonly key: KeyObject
      readonly algorithm: RsaEncryptionAlgorithm
      readonly message: Uint8Array
    }

export type Outcome = { readonly result: Uint8Array | boolean } | { readonly failed: ErrorCode }
