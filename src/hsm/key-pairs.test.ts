import assert from 'node:assert/strict'
import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  encapsulate,
  hash,
  type KeyObject,
  publicEncrypt,
  verify,
} from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { HsmClient } from './client.ts'
import {
  algorithmsOf,
  type KeySpec,
  keySpecs,
  type MessageType,
  type RsaEncryptionAlgorithm,
  type SigningAlgorithm,
  signingAlgorithms,
  signingRow,
} from './key-specs.ts'
import type { Material } from './port.ts'
import { failure, keyName, newDeploymentCore, otherRegion, region } from './testing/fixtures.ts'

type Made = { readonly material: Material; readonly publicKey: KeyObject }

/** A key of each spec with a public half, made once for all tests. */
const made = new Map<KeySpec, Made>()
const deployment = newDeploymentCore()
const hsm: HsmClient = deployment.client
const message = Buffer.from('The quick brown fox jumps over the lazy dog')

before(async () => {
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const specs = keySpecs.filter((spec) => !/SYMMETRIC|HMAC/.test(spec))
  await Promise.all(
    specs.map(async (spec) => {
      const { material, publicKey } = await hsm.createMaterial(keyName(), spec)
      assert.ok(publicKey, spec)
      made.set(spec, { material, publicKey: readPublicKey(publicKey) })
    }),
  )
})
after(() => deployment.remove())

function keyOf(spec: KeySpec): Made {
  const key = made.get(spec)
  assert.ok(key, spec)
  return key
}

function readPublicKey(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' })
}

/** Each spec with each of its algorithms. */
const signers = keySpecs.flatMap((spec) =>
  signingAlgorithms
    .filter((algorithm) => algorithmsOf(spec, 'SIGN_VERIFY').includes(algorithm))
    .map((algorithm) => ({ spec, algorithm })),
)

/** The message in the form that a message type wants. */
function asMessage(algorithm: SigningAlgorithm, type: MessageType, key: KeyObject): Buffer {
  if (type === 'RAW') return message
  if (type === 'EXTERNAL_MU') return externalMu(key)
  return hash(signingRow(algorithm).hash ?? 'sha512', message, 'buffer')
}

/** FIPS 204 §6.2: H(H(pk, 64) ‖ 0 ‖ 0 ‖ M, 64), for an empty context. */
function externalMu(key: KeyObject): Buffer {
  const bytes = { 'ml-dsa-44': 1312, 'ml-dsa-65': 1952, 'ml-dsa-87': 2592 }
  const size = Object.entries(bytes).find(([name]) => name === key.asymmetricKeyType)?.[1] ?? 0
  const publicKey = key.export({ format: 'der', type: 'spki' }).subarray(-size)
  const shake = (data: Buffer) => createHash('shake256', { outputLength: 64 }).update(data).digest()
  return shake(Buffer.concat([shake(publicKey), Buffer.alloc(2), message]))
}

/** What node:crypto itself says of a signature over the message. */
function verifiedByNode(algorithm: SigningAlgorithm, key: KeyObject, signature: Buffer): boolean {
  const { scheme, hash: name = null, digestBytes = 0 } = signingRow(algorithm)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digestBytes }
  return verify(name, message, scheme === 'pss' ? { key, ...pss } : key, signature)
}

test('each spec gives a public key of its kind', () => {
  const kinds = [...made].map(([spec, { material, publicKey }]) => {
    assert.equal(material.keySpec, spec)
    const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
    return [spec, publicKey.asymmetricKeyType, modulusLength ?? namedCurve]
  })
  assert.deepEqual(
    kinds.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    [
      ['ECC_NIST_EDWARDS25519', 'ed25519', undefined],
      ['ECC_NIST_P256', 'ec', 'prime256v1'],
      ['ECC_NIST_P384', 'ec', 'secp384r1'],
      ['ECC_NIST_P521', 'ec', 'secp521r1'],
      ['ECC_SECG_P256K1', 'ec', 'secp256k1'],
      ['ML_DSA_44', 'ml-dsa-44', undefined],
      ['ML_DSA_65', 'ml-dsa-65', undefined],
      ['ML_DSA_87', 'ml-dsa-87', undefined],
      ['ML_KEM_1024', 'ml-kem-1024', undefined],
      ['ML_KEM_512', 'ml-kem-512', undefined],
      ['ML_KEM_768', 'ml-kem-768', undefined],
      ['RSA_2048', 'rsa', 2048],
      ['RSA_3072', 'rsa', 3072],
      ['RSA_4096', 'rsa', 4096],
    ],
  )
})

describe('signatures', () => {
  for (const { spec, algorithm } of signers) {
    const types = signingRow(algorithm).messageTypes
    for (const type of types) {
      test(`${spec} ${algorithm} ${type}`, async () => {
        const { material, publicKey } = keyOf(spec)
        const given = asMessage(algorithm, type, publicKey)
        const signature = await hsm.sign(material, algorithm, type, given)
        if (algorithm !== 'ED25519_PH_SHA_512') {
          assert.equal(verifiedByNode(algorithm, publicKey, signature), true, 'by node:crypto')
        }
        for (const each of types) {
          const same = asMessage(algorithm, each, publicKey)
          const valid = await hsm.verify(material, algorithm, each, same, signature)
          assert.equal(valid, true, `verified as ${each}`)
        }
        await assertAlteredFail({ material, algorithm, type, given, signature })
      })
    }
  }

  test('over each kind of digest of a key in turn, many times', async () => {
    for (const { spec, algorithm } of signers.filter(({ spec }) =>
      /^ECC_(NIST_P|SECG)/.test(spec),
    )) {
      const { material, publicKey } = keyOf(spec)
      const name = signingRow(algorithm).hash ?? ''
      for (let count = 0; count < 20; count++) {
        const each = Buffer.from(`message ${count}`)
        const digest = hash(name, each, 'buffer')
        const signature = await hsm.sign(material, algorithm, 'DIGEST', digest)
        assert.equal(verify(name, each, publicKey, signature), true, `${spec} ${count}`)
        assert.equal(await hsm.verify(material, algorithm, 'DIGEST', digest, signature), true)
      }
    }
  })

  test('the digest that is zero modulo the order is signed and verified as well', async () => {
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
    const { material } = keyOf('ECC_NIST_P256')
    const zeros = [Buffer.alloc(32), Buffer.from(order, 'hex')]
    for (const digest of zeros) {
      const signature = await hsm.sign(material, 'ECDSA_SHA_256', 'DIGEST', digest)
      for (const same of zeros) {
        assert.equal(await hsm.verify(material, 'ECDSA_SHA_256', 'DIGEST', same, signature), true)
      }
      await assertAlteredFail({
        material,
        algorithm: 'ECDSA_SHA_256',
        type: 'DIGEST',
        given: digest,
        signature,
      })
    }
    const other = hash('sha256', message, 'buffer')
    const signature = await hsm.sign(material, 'ECDSA_SHA_256', 'DIGEST', other)
    for (const digest of zeros) {
      assert.equal(await hsm.verify(material, 'ECDSA_SHA_256', 'DIGEST', digest, signature), false)
    }
  })

  test('of another key do not verify', async () => {
    const { material } = keyOf('ECC_NIST_P256')
    const { material: other } = await hsm.createMaterial(keyName(), 'ECC_NIST_P256')
    const digest = hash('sha256', message, 'buffer')
    for (const [type, given] of [
      ['RAW', message],
      ['DIGEST', digest],
    ] as const) {
      const signature = await hsm.sign(other, 'ECDSA_SHA_256', type, given)
      assert.equal(await hsm.verify(material, 'ECDSA_SHA_256', type, given, signature), false)
    }
  })

  test('what a spec or an algorithm does not have is refused', async () => {
    const { material: rsa } = keyOf('RSA_2048')
    const { material: p256 } = keyOf('ECC_NIST_P256')
    const { material: edwards } = keyOf('ECC_NIST_EDWARDS25519')
    const { material: mlDsa } = keyOf('ML_DSA_44')
    const digest = Buffer.alloc(32)
    const refused: readonly [Material, SigningAlgorithm, MessageType, Buffer][] = [
      [rsa, 'ECDSA_SHA_256', 'RAW', message],
      [p256, 'ECDSA_SHA_384', 'RAW', message],
      [p256, 'RSASSA_PSS_SHA_256', 'RAW', message],
      [p256, 'ECDSA_SHA_256', 'EXTERNAL_MU', Buffer.alloc(64)],
      [p256, 'ECDSA_SHA_256', 'DIGEST', Buffer.alloc(31)],
      [rsa, 'RSASSA_PSS_SHA_512', 'DIGEST', digest],
      [edwards, 'ED25519_SHA_512', 'DIGEST', Buffer.alloc(64)],
      [edwards, 'ED25519_PH_SHA_512', 'RAW', message],
      [edwards, 'ED25519_PH_SHA_512', 'DIGEST', digest],
      [mlDsa, 'ML_DSA_SHAKE_256', 'DIGEST', digest],
      [mlDsa, 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', digest],
      [keyOf('ML_KEM_768').material, 'ML_DSA_SHAKE_256', 'RAW', message],
    ]
    for (const [material, algorithm, type, given] of refused) {
      await assert.rejects(hsm.sign(material, algorithm, type, given), failure('internal'))
      const verified = hsm.verify(material, algorithm, type, given, Buffer.alloc(64))
      await assert.rejects(verified, failure('internal'))
    }
  })
})

async function assertAlteredFail(signed: {
  material: Material
  algorithm: SigningAlgorithm
  type: MessageType
  given: Buffer
  signature: Buffer
}): Promise<void> {
  const { material, algorithm, type, given, signature } = signed
  const bad = [signature.subarray(1), signature.subarray(0, -1), Buffer.of(0)]
  bad.push(Buffer.concat([signature, Buffer.of(0)]), Buffer.concat([Buffer.of(0), signature]))
  for (const at of [0, signature.length >> 1, signature.length - 1]) {
    const altered = Buffer.from(signature)
    altered[at] = (altered[at] ?? 0) ^ 0x10
    bad.push(altered)
  }
  bad.push(Buffer.alloc(signature.length), Buffer.alloc(signature.length, 0xff))
  for (const [index, each] of bad.entries()) {
    const valid = await hsm.verify(material, algorithm, type, given, each)
    assert.equal(valid, false, `altered signature ${index}`)
  }
  const otherMessage = Buffer.from(given)
  otherMessage[0] = (otherMessage[0] ?? 0) ^ 1
  assert.equal(await hsm.verify(material, algorithm, type, otherMessage, signature), false)
}

describe('RSAES-OAEP', () => {
  const limits: readonly [KeySpec, RsaEncryptionAlgorithm, number][] = [
    ['RSA_2048', 'RSAES_OAEP_SHA_1', 214],
    ['RSA_3072', 'RSAES_OAEP_SHA_1', 342],
    ['RSA_4096', 'RSAES_OAEP_SHA_1', 470],
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 190],
    ['RSA_3072', 'RSAES_OAEP_SHA_256', 318],
    ['RSA_4096', 'RSAES_OAEP_SHA_256', 446],
  ]
  for (const [spec, algorithm, most] of limits) {
    test(`${spec} ${algorithm}: up to ${most} bytes`, async () => {
      const { material, publicKey } = keyOf(spec)
      const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256'
      const padding = constants.RSA_PKCS1_OAEP_PADDING
      for (const size of [0, 1, most]) {
        const plaintext = Buffer.alloc(size, 'p')
        const ours = await hsm.encryptRsa(material, algorithm, plaintext)
        assert.deepEqual(await hsm.decryptRsa(material, algorithm, ours), plaintext)
        const theirs = publicEncrypt({ key: publicKey, padding, oaepHash }, plaintext)
        assert.deepEqual(await hsm.decryptRsa(material, algorithm, theirs), plaintext)
      }
      const tooLong = Buffer.alloc(most + 1)
      await assert.rejects(hsm.encryptRsa(material, algorithm, tooLong), failure('validation'))
    })
  }

  test('every ciphertext that does not open is refused in the same way', async () => {
    const { material, publicKey } = keyOf('RSA_2048')
    const blob = await hsm.encryptRsa(material, 'RSAES_OAEP_SHA_256', message)
    const altered = Buffer.from(blob)
    altered[100] = (altered[100] ?? 0) ^ 1
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const labelled = { key: publicKey, padding, oaepHash: 'sha256', oaepLabel: Buffer.from('x') }
    const bad = [
      altered,
      Buffer.alloc(0),
      blob.subarray(1),
      Buffer.concat([Buffer.of(0), blob]),
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      publicEncrypt(labelled, message),
      publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, message),
      await hsm.encryptRsa(material, 'RSAES_OAEP_SHA_1', message),
    ]
    for (const each of bad) {
      const opened = hsm.decryptRsa(material, 'RSAES_OAEP_SHA_256', each)
      await assert.rejects(opened, failure('invalid-ciphertext'))
    }
    const { material: curve } = keyOf('ECC_NIST_P256')
    const wrongKey = hsm.decryptRsa(curve, 'RSAES_OAEP_SHA_256', blob)
    await assert.rejects(wrongKey, failure('internal'))
  })

  test('re-encryption goes from and to RSA keys', async () => {
    const { material: symmetric } = await hsm.createMaterial(keyName(), 'SYMMETRIC_DEFAULT')
    const { material: rsa } = keyOf('RSA_2048')
    const context = { a: 'b' }
    const oaep = 'RSAES_OAEP_SHA_256'
    const secret = { material: symmetric, algorithm: 'SYMMETRIC_DEFAULT', context } as const
    const pair = { material: rsa, algorithm: oaep, context: {} } as const
    const blob = await hsm.encrypt(symmetric, message, context)
    const sealed = await hsm.reEncrypt({ ...secret, blob }, pair)
    assert.deepEqual(await hsm.decryptRsa(rsa, oaep, sealed), message)
    const again = await hsm.reEncrypt({ ...pair, blob: sealed }, pair)
    assert.deepEqual(await hsm.decryptRsa(rsa, oaep, again), message)
    const back = await hsm.reEncrypt({ ...pair, blob: again }, secret)
    assert.deepEqual(await hsm.decrypt(symmetric, back, context), message)
    const spoiled = hsm.reEncrypt({ ...pair, blob: Buffer.alloc(256, 1) }, secret)
    await assert.rejects(spoiled, failure('invalid-ciphertext'))
    const long = await hsm.encrypt(symmetric, Buffer.alloc(191), context)
    const tooLong = hsm.reEncrypt({ ...secret, blob: long }, pair)
    await assert.rejects(tooLong, failure('validation'))
  })
})

describe('message authentication codes', () => {
  for (const [spec, name] of [
    ['HMAC_224', 'sha224'],
    ['HMAC_256', 'sha256'],
    ['HMAC_384', 'sha384'],
    ['HMAC_512', 'sha512'],
  ] as const) {
    test(spec, async () => {
      const { material, publicKey } = await hsm.createMaterial(keyName(), spec)
      assert.equal(publicKey, undefined)
      const mac = await hsm.generateMac(material, message)
      assert.equal(mac.length, createHmac(name, '').digest().length)
      assert.equal(await hsm.verifyMac(material, message, mac), true)
      const altered = Buffer.from(mac)
      altered[5] = (altered[5] ?? 0) ^ 1
      for (const bad of [altered, mac.subarray(1), Buffer.concat([mac, mac]), Buffer.alloc(0)]) {
        assert.equal(await hsm.verifyMac(material, message, bad), false)
      }
      assert.equal(await hsm.verifyMac(material, Buffer.from('another'), mac), false)
      const { material: other } = await hsm.createMaterial(keyName(), spec)
      assert.equal(await hsm.verifyMac(other, message, mac), false)
    })
  }

  test('are of keys for them, which do nothing else', async () => {
    const { material: pair } = keyOf('ECC_NIST_P256')
    const { material: secret } = await hsm.createMaterial(keyName(), 'HMAC_256')
    const { material: symmetric } = await hsm.createMaterial(keyName(), 'SYMMETRIC_DEFAULT')
    for (const material of [pair, symmetric]) {
      await assert.rejects(hsm.generateMac(material, message), failure('internal'))
    }
    for (const material of [pair, secret]) {
      await assert.rejects(hsm.encrypt(material, message, {}), failure('internal'))
      await assert.rejects(hsm.generateDataKey(material, 32, {}), failure('internal'))
    }
    const signed = hsm.sign(secret, 'ECDSA_SHA_256', 'RAW', message)
    await assert.rejects(signed, failure('internal'))
  })
})

describe('ML-KEM', () => {
  for (const [spec, bytes] of [
    ['ML_KEM_512', 768],
    ['ML_KEM_768', 1088],
    ['ML_KEM_1024', 1568],
  ] as const) {
    test(spec, async () => {
      const { material, publicKey } = keyOf(spec)
      const { sharedSecret, ciphertext } = await hsm.encapsulate(material)
      assert.equal(ciphertext.length, bytes)
      assert.equal(sharedSecret.length, 32)
      assert.deepEqual(await hsm.decapsulate(material, ciphertext), sharedSecret)
      const theirs = encapsulate(publicKey)
      const opened = await hsm.decapsulate(material, Buffer.from(theirs.ciphertext))
      assert.deepEqual(opened, Buffer.from(theirs.sharedKey))
      const other = Buffer.from(ciphertext)
      other[0] = (other[0] ?? 0) ^ 1
      const rejected = await hsm.decapsulate(material, other)
      assert.notDeepEqual(rejected, sharedSecret)
      assert.deepEqual(await hsm.decapsulate(material, other), rejected, 'the same each time')
      for (const bad of [ciphertext.subarray(1), Buffer.concat([ciphertext, Buffer.of(0)])]) {
        await assert.rejects(hsm.decapsulate(material, bad), failure('invalid-ciphertext'))
      }
    })
  }

  test('is of its own keys', async () => {
    const { material } = keyOf('ML_DSA_44')
    await assert.rejects(hsm.encapsulate(material), failure('internal'))
    await assert.rejects(hsm.decapsulate(material, Buffer.alloc(768)), failure('internal'))
  })
})
