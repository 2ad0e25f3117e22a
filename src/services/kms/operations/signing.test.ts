import assert from 'node:assert/strict'
import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyEd25519ph } from '../../../../tests/support/ed25519ph.ts'
import {
  algorithmsOf,
  type KeySpec,
  keySpecs,
  type SigningAlgorithm,
  signingAlgorithms,
  signingRow,
} from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import { keysOf, kmsOverRealCore } from '../testing/real-core.ts'

const kms = kmsOverRealCore()
const keyOf = keysOf(kms)
const Message = Buffer.from('a message to be signed')
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const invalid = ['invalid-kms-signature']

/** All kinds of keys that sign, without the large RSA keys, which differ in nothing but patience. */
const kinds = keySpecs
  .filter((spec) => spec !== 'RSA_3072' && spec !== 'RSA_4096')
  .flatMap((spec) =>
    (algorithmsOf(spec, 'SIGN_VERIFY') as SigningAlgorithm[]).map(
      (algorithm) => [spec, algorithm] as const,
    ),
  )

/** A message of the first type that the algorithm takes. */
function messageFor(algorithm: SigningAlgorithm) {
  const { messageTypes } = signingRow(algorithm)
  return messageTypes.includes('RAW')
    ? { Message, MessageType: 'RAW' }
    : { Message: createHash('sha512').update(Message).digest(), MessageType: 'DIGEST' }
}

async function publicKeyOf(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.ok('GetPublicKey', { KeyId })
  return createPublicKey({ key: PublicKey as Buffer, format: 'der', type: 'spki' })
}

/** Verifies without the service, over the message itself; Ed25519ph and a given μ have no function in node:crypto. */
function verifies(
  algorithm: SigningAlgorithm,
  key: KeyObject,
  message: Buffer,
  signature: Buffer,
): boolean {
  const { scheme, hash } = signingRow(algorithm)
  if (scheme === 'pss') {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
    return verify(hash, message, { key, padding, saltLength }, signature)
  }
  if (scheme === 'ed25519ph') {
    const { x } = key.export({ format: 'jwk' })
    const digest = createHash('sha512').update(message).digest()
    return verifyEd25519ph(Buffer.from(String(x), 'base64url'), digest, signature)
  }
  return verify(hash ?? null, message, key, signature)
}

test('there is a kind of key for every algorithm', () => {
  const tried = new Set(kinds.map(([, algorithm]) => algorithm))
  assert.deepEqual([...tried].sort(), [...signingAlgorithms].sort())
})

for (const [keySpec, algorithm] of kinds) {
  test(`${keySpec} signs with ${algorithm}, for all the world to verify`, async () => {
    const key = await keyOf(keySpec, 'SIGN_VERIFY')
    const publicKey = await publicKeyOf(key.keyId)
    const request = { KeyId: key.keyId, SigningAlgorithm: algorithm, ...messageFor(algorithm) }
    const { Signature, ...rest } = await kms.ok('Sign', request)
    assert.deepEqual(rest, { KeyId: arnOf(key), SigningAlgorithm: algorithm })
    assert.ok(Buffer.isBuffer(Signature))
    assert.ok(verifies(algorithm, publicKey, Message, Signature))
    assert.deepEqual(await kms.ok('Verify', { ...request, Signature }), {
      KeyId: arnOf(key),
      SignatureValid: true,
      SigningAlgorithm: algorithm,
    })
    for (const operation of ['Sign', 'Verify']) {
      const rehearsed = await kms.fails(operation, { ...request, Signature, DryRun: true })
      assert.deepEqual(rehearsed, dryRun)
    }
    const other = Buffer.from(request.Message)
    other[0] = (other[0] ?? 0) ^ 1
    assert.deepEqual(await kms.fails('Verify', { ...request, Message: other, Signature }), invalid)
    // What is no signature at all is refused with the same words, in a dry run as well.
    for (const garbage of [Buffer.of(0), Buffer.alloc(6144, 1), Signature.subarray(1)]) {
      const wrong = { ...request, Signature: garbage }
      assert.deepEqual(await kms.fails('Verify', wrong), invalid)
      assert.deepEqual(await kms.fails('Verify', { ...wrong, DryRun: true }), invalid)
    }
  })
}

test('a digest signs like the message that it is of', async () => {
  for (const [keySpec, algorithm] of kinds) {
    const { hash, messageTypes } = signingRow(algorithm)
    if (hash === undefined || !messageTypes.includes('DIGEST')) continue
    const key = await keyOf(keySpec, 'SIGN_VERIFY')
    const digest = createHash(hash).update(Message).digest()
    const request = { KeyId: key.keyId, SigningAlgorithm: algorithm }
    const hashed = { ...request, Message: digest, MessageType: 'DIGEST' }
    const { Signature } = await kms.ok('Sign', hashed)
    const publicKey = await publicKeyOf(key.keyId)
    assert.ok(verifies(algorithm, publicKey, Message, Signature as Buffer), algorithm)
    await kms.ok('Verify', { ...hashed, Signature })
    await kms.ok('Verify', { ...request, Message, MessageType: 'RAW', Signature })
    // Without its type, a digest is one more message.
    assert.deepEqual(await kms.fails('Verify', { ...request, Message: digest, Signature }), invalid)
  }
})

test('ML-DSA signs a μ that was computed outside like the message', async () => {
  const sizes = [
    ['ML_DSA_44', 1312],
    ['ML_DSA_65', 1952],
    ['ML_DSA_87', 2592],
  ] as const
  for (const [keySpec, rawBytes] of sizes) {
    const key = await keyOf(keySpec, 'SIGN_VERIFY')
    const publicKey = await publicKeyOf(key.keyId)
    const request = { KeyId: key.keyId, SigningAlgorithm: 'ML_DSA_SHAKE_256' }
    const external = {
      ...request,
      Message: muOf(publicKey, rawBytes, Message),
      MessageType: 'EXTERNAL_MU',
    }
    const { Signature } = await kms.ok('Sign', external)
    assert.ok(verify(null, Message, publicKey, Signature as Buffer))
    await kms.ok('Verify', { ...external, Signature })
    await kms.ok('Verify', { ...request, Message, Signature })
  }
})

/** FIPS 204 §5.2 and §6.2, with an empty context. The public key is the end of its SPKI. */
function muOf(key: KeyObject, rawBytes: number, message: Buffer): Buffer {
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(-rawBytes)
  const shake = (...parts: Buffer[]) =>
    createHash('shake256', { outputLength: 64 }).update(Buffer.concat(parts)).digest()
  return shake(shake(raw), Buffer.of(0, 0), message)
}

test('a message type that the algorithm does not take is refused', async () => {
  const types = ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const
  let refused = 0
  for (const [keySpec, algorithm] of kinds) {
    const { keyId: KeyId } = await keyOf(keySpec, 'SIGN_VERIFY')
    const { messageTypes } = signingRow(algorithm)
    for (const MessageType of types.filter((type) => !messageTypes.includes(type))) {
      const request = { KeyId, SigningAlgorithm: algorithm, MessageType, Message: Buffer.alloc(64) }
      for (const operation of ['Sign', 'Verify']) {
        assert.deepEqual(await kms.fails(operation, { ...request, Signature: Message }), [
          'validation',
          `MessageType ${MessageType} is not valid for algorithm ${algorithm}.`,
        ])
        refused++
      }
    }
  }
  assert.ok(refused >= 2 * kinds.length, `${refused}`)
})

test('what is hashed already has the length of the hash', async () => {
  for (const [keySpec, algorithm] of kinds) {
    const { keyId: KeyId } = await keyOf(keySpec, 'SIGN_VERIFY')
    const { messageTypes, digestBytes = 0 } = signingRow(algorithm)
    const MessageType: string | undefined = messageTypes.find((type) => type !== 'RAW')
    if (MessageType === undefined) continue
    for (const bytes of [1, digestBytes - 1, digestBytes + 1, 4096]) {
      const Message = Buffer.alloc(bytes)
      const request: object = { KeyId, SigningAlgorithm: algorithm, MessageType, Message }
      for (const operation of ['Sign', 'Verify']) {
        assert.deepEqual(await kms.fails(operation, { ...request, Signature: Message }), [
          'validation',
          `Digest is invalid length for algorithm ${algorithm}.`,
        ])
      }
    }
  }
})

test('an algorithm of other keys is refused, and so is a key that does not sign', async () => {
  const cases: [KeySpec, string, string, string][] = [
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'ECDSA_SHA_384', 'algorithm'],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'SM2DSA', 'algorithm'],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', 'ECDSA_SHA_512', 'algorithm'],
    ['ML_DSA_44', 'SIGN_VERIFY', 'RSASSA_PSS_SHA_256', 'algorithm'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', 'ECDSA_SHA_256', 'usage'],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', 'ECDSA_SHA_256', 'usage'],
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'RSASSA_PSS_SHA_256', 'usage'],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', 'ML_DSA_SHAKE_256', 'usage'],
  ]
  for (const [keySpec, keyUsage, SigningAlgorithm, what] of cases) {
    const key = await keyOf(keySpec, keyUsage)
    for (const operation of ['Sign', 'Verify']) {
      const request = { KeyId: key.keyId, SigningAlgorithm, Message, Signature: Message }
      const text: string =
        what === 'usage'
          ? `${arnOf(key)} key usage is ${keyUsage} which is not valid for ${operation}.`
          : `Algorithm ${SigningAlgorithm} is incompatible with key spec ${keySpec}.`
      assert.deepEqual(await kms.fails(operation, request), ['invalid-key-usage', text])
      const denied = await kms.fails(operation, request, { deny: () => true })
      assert.deepEqual(denied, ['access-denied', 'denied'])
    }
  }
})

test('a signature of one key is none of another', async () => {
  const first = await kms.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const second = await kms.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const request = { SigningAlgorithm: 'ECDSA_SHA_256', Message }
  const { Signature } = await kms.ok('Sign', { ...request, KeyId: first.keyId })
  const asked = { ...request, KeyId: second.keyId, Signature }
  assert.deepEqual(await kms.fails('Verify', asked), invalid)
})

test('any flipped bit of message or signature is refused', async () => {
  const specs = ['RSA_2048', 'ECC_NIST_P521', 'ECC_NIST_EDWARDS25519', 'ML_DSA_44']
  for (const [keySpec, algorithm] of kinds.filter(([spec]) => specs.includes(spec))) {
    const { keyId: KeyId } = await keyOf(keySpec, 'SIGN_VERIFY')
    const request = { KeyId, SigningAlgorithm: algorithm, ...messageFor(algorithm) }
    const { Signature } = await kms.ok('Sign', request)
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.nat(), async (inMessage, at) => {
        const good = inMessage ? request.Message : (Signature as Buffer)
        const bad = flipped(good, at)
        const forged = inMessage ? { Message: bad, Signature } : { Signature: bad }
        assert.deepEqual(await kms.fails('Verify', { ...request, ...forged }), invalid)
      }),
      { numRuns: 15 },
    )
  }
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = Math.floor(at / 8) % copy.length
  copy[index] = (copy[index] ?? 0) ^ (1 << (at % 8))
  return copy
}
