import assert from 'node:assert/strict'
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import { KeyOperations } from './asymmetric/key-operations.ts'
import type { HsmClient } from './client.ts'
import { openGcm, sealGcm } from './gcm.ts'
import { Hierarchy } from './hierarchy.ts'
import {
  type KeySpec,
  type RsaEncryptionAlgorithm,
  type SigningAlgorithm,
  signingRow,
  specRow,
} from './key-specs.ts'
import type { Material } from './port.ts'
import { account, keyName, newCore, region, temporaryDirectory } from './testing/fixtures.ts'
import { pkcs8, samplePrivateKey } from './testing/importing.ts'
import { bytes, type Case, Tally, wycheproof } from './testing/wycheproof.ts'

/** What is signed, in each way in which the algorithm takes it. */
type Form = readonly [way: string, valid: (given: Case) => Promise<boolean>]

const operations = new KeyOperations()

/** A core, and what puts the material of a vector into its store. */
function coreWithMaterial(t: TestContext): {
  hsm: HsmClient
  keep: (spec: KeySpec, bytes: Buffer) => Material
} {
  const directory = temporaryDirectory(t)
  const hsm = newCore(t, { directory })
  const hierarchy = Hierarchy.open(directory, { passphrase: undefined }, systemClock)
  hierarchy.ensureRegion(region)
  const keep = (keySpec: KeySpec, material: Buffer) => {
    const id = randomBytes(32).toString('hex')
    return hierarchy.wrapMaterial({ ...keyName(), keySpec }, id, material)
  }
  return { hsm, keep }
}

function publicKeyOf(spki: string | undefined): KeyObject | undefined {
  try {
    return createPublicKey({ key: bytes(spki), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** False also for what the core refuses because of the caller. */
async function refusedAs(code: string, run: () => Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ServiceError && error.code === code) return undefined
    throw error
  }
}

function conclude(t: TestContext, tallies: ReadonlyMap<string, Tally>): void {
  for (const [name, tally] of tallies) {
    t.diagnostic(`${name}: ${tally.text}`)
    assert.deepEqual(tally.wrong, [], name)
  }
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const tally = tallies.get(name) ?? new Tally()
  tallies.set(name, tally)
  return tally
}

/** A key of which only the public half is known. */
function formsOf(spec: KeySpec, algorithm: SigningAlgorithm, publicKey: KeyObject): Form[] {
  const pair = { spec, account, publicKey, privateKey: publicKey }
  const { hash: name, messageTypes } = signingRow(algorithm)
  const forms: Form[] = [
    [
      'RAW',
      async ({ msg, sig }) => operations.verify(pair, algorithm, 'RAW', bytes(msg), bytes(sig)),
    ],
  ]
  if (name !== undefined && messageTypes.some((type) => type === 'DIGEST')) {
    forms.push([
      'DIGEST',
      async ({ msg, sig }) => {
        const digest = hash(name, bytes(msg), 'buffer')
        return operations.verify(pair, algorithm, 'DIGEST', digest, bytes(sig))
      },
    ])
  }
  return forms
}

const signatureFiles: readonly [string, KeySpec, SigningAlgorithm][] = [
  ['ecdsa_secp256k1_sha256_test.json', 'ECC_SECG_P256K1', 'ECDSA_SHA_256'],
  ['ecdsa_secp256r1_sha256_test.json', 'ECC_NIST_P256', 'ECDSA_SHA_256'],
  ['ecdsa_secp384r1_sha384_test.json', 'ECC_NIST_P384', 'ECDSA_SHA_384'],
  ['ecdsa_secp521r1_sha512_test.json', 'ECC_NIST_P521', 'ECDSA_SHA_512'],
  ['ed25519_test.json', 'ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'],
  ['rsa_pss_2048_sha256_mgf1_32_test.json', 'RSA_2048', 'RSASSA_PSS_SHA_256'],
  ['rsa_pss_2048_sha384_mgf1_48_test.json', 'RSA_2048', 'RSASSA_PSS_SHA_384'],
  ['rsa_pss_3072_sha256_mgf1_32_test.json', 'RSA_3072', 'RSASSA_PSS_SHA_256'],
  ['rsa_pss_4096_sha256_mgf1_32_test.json', 'RSA_4096', 'RSASSA_PSS_SHA_256'],
  ['rsa_pss_4096_sha384_mgf1_48_test.json', 'RSA_4096', 'RSASSA_PSS_SHA_384'],
  ['rsa_pss_4096_sha512_mgf1_64_test.json', 'RSA_4096', 'RSASSA_PSS_SHA_512'],
  ['rsa_signature_2048_sha256_test.json', 'RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['rsa_signature_2048_sha384_test.json', 'RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384'],
  ['rsa_signature_2048_sha512_test.json', 'RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512'],
  ['rsa_signature_3072_sha256_test.json', 'RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['rsa_signature_4096_sha512_test.json', 'RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512'],
]

for (const [file, spec, algorithm] of signatureFiles) {
  test(file, async (t) => {
    const tallies = new Map<string, Tally>()
    for (const { publicKeyDer, tests } of wycheproof(file)) {
      const publicKey = publicKeyOf(publicKeyDer)
      assert.ok(publicKey, 'the public key of a group')
      for (const [way, valid] of formsOf(spec, algorithm, publicKey)) {
        const outcomes = await Promise.all(tests.map(valid))
        const tally = tallyOf(tallies, way)
        for (const [at, each] of tests.entries()) tally.add(each, outcomes[at] ?? false)
      }
    }
    conclude(t, tallies)
  })
}

/** FIPS 204 §6.2, line 6: H(H(pk, 64) ‖ 0 ‖ |ctx| ‖ ctx ‖ M, 64). Undefined for a context that is too long. */
function externalMu(publicKey: Buffer, context: Buffer, message: Buffer): Buffer | undefined {
  if (context.length > 255) return undefined
  const shake = (data: Buffer) => createHash('shake256', { outputLength: 64 }).update(data).digest()
  const separator = Buffer.of(0, context.length)
  return shake(Buffer.concat([shake(publicKey), separator, context, message]))
}

const mlDsaBytes = { ML_DSA_44: 1312, ML_DSA_65: 1952, ML_DSA_87: 2592 } as const

for (const [file, spec] of [
  ['mldsa_44_verify_test.json', 'ML_DSA_44'],
  ['mldsa_65_verify_test.json', 'ML_DSA_65'],
  ['mldsa_87_verify_test.json', 'ML_DSA_87'],
] as const) {
  test(file, async (t) => {
    const tallies = new Map<string, Tally>()
    const raw = tallyOf(tallies, 'RAW')
    const mu = tallyOf(tallies, 'EXTERNAL_MU')
    for (const { publicKeyDer, tests } of wycheproof(file)) {
      const publicKey = publicKeyOf(publicKeyDer)
      const encoded = bytes(publicKeyDer).subarray(-mlDsaBytes[spec])
      for (const each of tests) {
        if (publicKey === undefined) {
          raw.add(each, false)
          continue
        }
        const pair = { spec, account, publicKey, privateKey: publicKey }
        const [message, signature] = [bytes(each.msg), bytes(each.sig)]
        const algorithm = 'ML_DSA_SHAKE_256'
        const plain = await operations.verify(pair, algorithm, 'RAW', message, signature)
        // A context other than the empty one can be given by μ alone.
        const context = bytes(each.ctx)
        if (context.length === 0) raw.add(each, plain)
        else raw.add({ ...each, result: 'invalid' }, plain)
        const given = externalMu(encoded, context, message)
        const byMu =
          given !== undefined &&
          (await operations.verify(pair, algorithm, 'EXTERNAL_MU', given, signature))
        mu.add(each, byMu)
      }
    }
    conclude(t, tallies)
  })
}

/** PKCS #8 in the form with a seed, up to the seed. */
function headerOf(spec: KeySpec, seedBytes: number): Buffer {
  return pkcs8(samplePrivateKey(spec)).subarray(0, -seedBytes)
}

test('mldsa_65_sign_seed_test.json', async (t) => {
  const file = 'mldsa_65_sign_seed_test.json'
  const { hsm, keep } = coreWithMaterial(t)
  const [spec, algorithm] = ['ML_DSA_65', 'ML_DSA_SHAKE_256'] as const
  const tallies = new Map<string, Tally>()
  const header = headerOf(spec, 32)
  for (const { privateSeed, tests } of wycheproof(file)) {
    const material = keep(spec, Buffer.concat([header, bytes(privateSeed)]))
    for (const each of tests) {
      const { msg, ctx = '', mu, sig } = each
      const signed = async () => {
        const type = mu === undefined ? 'RAW' : 'EXTERNAL_MU'
        const given = bytes(mu ?? msg)
        const ours = await hsm.sign(material, algorithm, type, given)
        assert.equal(await hsm.verify(material, algorithm, type, given, ours), true)
        const theirs = await hsm.verify(material, algorithm, type, given, bytes(sig))
        if (msg !== undefined && ctx === '') {
          assert.equal(await hsm.verify(material, algorithm, 'RAW', bytes(msg), ours), true)
        }
        return Buffer.from(theirs ? 'verified' : '')
      }
      if (each.flags.includes('InvalidContext')) {
        tallyOf(tallies, file).count('with a context, which RAW does not have')
        continue
      }
      const outcome = await refusedAs('key-unavailable', signed)
      tallyOf(tallies, file).add(each, outcome?.toString() === 'verified')
    }
  }
  conclude(t, tallies)
})

for (const [file, spec] of [
  ['hmac_sha224_test.json', 'HMAC_224'],
  ['hmac_sha256_test.json', 'HMAC_256'],
  ['hmac_sha384_test.json', 'HMAC_384'],
  ['hmac_sha512_test.json', 'HMAC_512'],
] as const) {
  test(file, async (t) => {
    const { hsm, keep } = coreWithMaterial(t)
    const tallies = new Map<string, Tally>()
    for (const { tests } of wycheproof(file)) {
      for (const each of tests) {
        const material = keep(spec, bytes(each.key))
        const [message, tag] = [bytes(each.msg), bytes(each.tag)]
        const mac = await hsm.generateMac(material, message)
        const accepted = await hsm.verifyMac(material, message, tag)
        if (tag.length === mac.length) tallyOf(tallies, 'whole').add(each, accepted)
        else {
          assert.equal(accepted, false, 'a MAC that is cut short is none')
          tallyOf(tallies, 'cut short').add(each, mac.subarray(0, tag.length).equals(tag))
        }
      }
    }
    conclude(t, tallies)
  })
}

/** PKCS #8 of a scalar, of which the file has no more than the number. */
function scalarKey(curve: string, crv: string, scalar: string): Buffer {
  const size = createECDH(curve).generateKeys().length >> 1
  const padded = bytes(scalar.padStart(scalar.length + (scalar.length % 2), '0'))
  const d = Buffer.concat([Buffer.alloc(size), padded]).subarray(-size)
  const ecdh = createECDH(curve)
  ecdh.setPrivateKey(d)
  const point = ecdh.getPublicKey()
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)]
  const text = (part: Buffer) => part.toString('base64url')
  const key = { kty: 'EC', crv, d: text(d), x: text(x), y: text(y) }
  return createPrivateKey({ key, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' })
}

for (const [file, spec, crv] of [
  ['ecdh_secp256r1_test.json', 'ECC_NIST_P256', 'P-256'],
  ['ecdh_secp384r1_test.json', 'ECC_NIST_P384', 'P-384'],
  ['ecdh_secp521r1_test.json', 'ECC_NIST_P521', 'P-521'],
] as const) {
  test(file, async (t) => {
    const { hsm, keep } = coreWithMaterial(t)
    const kind = specRow(spec).material
    assert.equal(kind.type, 'ec')
    const tallies = new Map<string, Tally>()
    const tally = tallyOf(tallies, file)
    const flagsOfAccepted = new Set<string>()
    const materials = new Map<string, Material>()
    for (const { tests } of wycheproof(file)) {
      for (const each of tests) {
        const scalar = each.private ?? ''
        const known = materials.get(scalar)
        const material = known ?? keep(spec, scalarKey(kind.curve, crv, scalar))
        materials.set(scalar, material)
        const agreed = () => hsm.deriveSharedSecret(material, bytes(each.public))
        const secret = await refusedAs('validation', agreed)
        if (secret !== undefined && each.result !== 'invalid') {
          assert.deepEqual(secret, bytes(each.shared), `${each.tcId}`)
        }
        if (secret !== undefined && each.result === 'acceptable') {
          for (const flag of each.flags) flagsOfAccepted.add(flag)
        }
        tally.add(each, secret !== undefined)
      }
    }
    conclude(t, tallies)
    // Of what is acceptable, compressed points are taken; other encodings than DER, and curves written out, are not.
    assert.deepEqual([...flagsOfAccepted].sort(), ['CompressedPoint', 'CompressedPublic'])
  })
}

for (const [file, spec] of [
  ['mlkem_512_test.json', 'ML_KEM_512'],
  ['mlkem_768_test.json', 'ML_KEM_768'],
  ['mlkem_1024_test.json', 'ML_KEM_1024'],
] as const) {
  test(file, async (t) => {
    const { hsm, keep } = coreWithMaterial(t)
    const kind = specRow(spec).material
    assert.ok('ciphertextBytes' in kind)
    const header = headerOf(spec, 64)
    const tallies = new Map<string, Tally>()
    for (const { tests } of wycheproof(file)) {
      for (const each of tests) {
        const material = keep(spec, Buffer.concat([header, bytes(each.seed)]))
        const open = () => hsm.decapsulate(material, bytes(each.c))
        const length = bytes(each.c).length === kind.ciphertextBytes
        const secret = await refusedAs(length ? 'key-unavailable' : 'invalid-ciphertext', open)
        tallyOf(tallies, file).add(each, secret?.equals(bytes(each.K)) ?? false)
      }
    }
    conclude(t, tallies)
  })
}

const oaepFiles: readonly [string, KeySpec, RsaEncryptionAlgorithm][] = [
  ['rsa_oaep_2048_sha1_mgf1sha1_test.json', 'RSA_2048', 'RSAES_OAEP_SHA_1'],
  ['rsa_oaep_2048_sha256_mgf1sha256_test.json', 'RSA_2048', 'RSAES_OAEP_SHA_256'],
  ['rsa_oaep_3072_sha256_mgf1sha256_test.json', 'RSA_3072', 'RSAES_OAEP_SHA_256'],
  ['rsa_oaep_4096_sha256_mgf1sha256_test.json', 'RSA_4096', 'RSAES_OAEP_SHA_256'],
]

for (const [file, spec, algorithm] of oaepFiles) {
  test(`${file} by Decrypt`, async (t) => {
    const { hsm, keep } = coreWithMaterial(t)
    const tallies = new Map<string, Tally>()
    for (const { privateKeyPkcs8, tests } of wycheproof(file)) {
      const material = keep(spec, bytes(privateKeyPkcs8))
      for (const each of tests) {
        const open = () => hsm.decryptRsa(material, algorithm, bytes(each.ct))
        const opened = await refusedAs('invalid-ciphertext', open)
        const accepted = opened?.equals(bytes(each.msg)) ?? false
        if (each.label === '') tallyOf(tallies, file).add(each, accepted)
        else {
          tallyOf(tallies, 'with a label, which is not offered').count('refused')
          assert.equal(opened, undefined, `${each.tcId}`)
        }
      }
    }
    conclude(t, tallies)
  })
}

test('aes_gcm_test.json', (t) => {
  const tallies = new Map<string, Tally>()
  for (const { ivSize, keySize, tagSize, tests } of wycheproof('aes_gcm_test.json')) {
    for (const each of tests) {
      if (ivSize !== 96 || keySize !== 256 || tagSize !== 128) {
        tallyOf(tallies, 'with other sizes, which are not used').count('cases')
        continue
      }
      const [key, iv, additional] = [bytes(each.key), bytes(each.iv), bytes(each.aad)]
      const sealed = { ciphertext: bytes(each.ct), tag: bytes(each.tag) }
      const opened = openGcm(key, iv, sealed, additional)
      tallyOf(tallies, 'opened').add(each, opened?.equals(bytes(each.msg)) ?? false)
      if (each.result === 'valid') {
        assert.deepEqual(sealGcm(key, iv, bytes(each.msg), additional), sealed)
      }
    }
  }
  conclude(t, tallies)
})
