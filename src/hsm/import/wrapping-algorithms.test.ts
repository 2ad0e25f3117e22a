import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type KeySpec,
  keySpecs,
  mayWrap,
  type WrappingAlgorithm,
  wrappingAlgorithms,
  wrappingKeySpecs,
} from '../key-specs.ts'

const oaep = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const keyWrap = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const

/** https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html */
const published: Readonly<Record<KeySpec, readonly WrappingAlgorithm[]>> = {
  SYMMETRIC_DEFAULT: oaep,
  HMAC_224: oaep,
  HMAC_256: oaep,
  HMAC_384: oaep,
  HMAC_512: oaep,
  RSA_2048: keyWrap,
  RSA_3072: keyWrap,
  RSA_4096: keyWrap,
  ECC_NIST_P256: [...oaep, ...keyWrap],
  ECC_NIST_P384: [...oaep, ...keyWrap],
  ECC_NIST_P521: [...oaep, ...keyWrap],
  ECC_SECG_P256K1: [...oaep, ...keyWrap],
  ECC_NIST_EDWARDS25519: [...oaep, ...keyWrap],
  ML_DSA_44: [],
  ML_DSA_65: [],
  ML_DSA_87: [],
  ML_KEM_512: [],
  ML_KEM_768: [],
  ML_KEM_1024: [],
}

test('each kind of material comes by the algorithms that AWS has for it', () => {
  for (const spec of keySpecs) {
    for (const wrappingSpec of wrappingKeySpecs) {
      const allowed = wrappingAlgorithms.filter((each) => mayWrap(spec, each, wrappingSpec))
      const refused = spec === 'ECC_NIST_P521' && wrappingSpec === 'RSA_2048'
      const expected = refused ? keyWrap : published[spec]
      assert.deepEqual(allowed, expected, `${spec} by ${wrappingSpec}`)
    }
  }
})
