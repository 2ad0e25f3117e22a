import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import type { HsmClient } from './client.ts'
import { HsmClient as Client } from './client.ts'
import { Core } from './core.ts'
import { joinCore } from './in-process.ts'
import { type DataKeyPairSpec, dataKeyPairSpecs, type KeySpec } from './key-specs.ts'
import type { Material } from './port.ts'
import {
  account,
  failure,
  keyName,
  newCore,
  newMaterial,
  otherAccount,
  otherKey,
  otherRegion,
  region,
  temporaryDirectory,
} from './testing/fixtures.ts'

const message = Buffer.from('a message')

/** One spec of each kind of material, and a use of it. */
const uses: readonly [KeySpec, (hsm: HsmClient, material: Material) => Promise<unknown>][] = [
  ['SYMMETRIC_DEFAULT', (hsm, material) => hsm.encrypt(material, message, {})],
  ['RSA_2048', (hsm, material) => hsm.sign(material, 'RSASSA_PSS_SHA_256', 'RAW', message)],
  ['ECC_NIST_P256', (hsm, material) => hsm.sign(material, 'ECDSA_SHA_256', 'RAW', message)],
  [
    'ECC_SECG_P256K1',
    (hsm, material) => hsm.sign(material, 'ECDSA_SHA_256', 'DIGEST', Buffer.alloc(32, 1)),
  ],
  [
    'ECC_NIST_EDWARDS25519',
    (hsm, material) => hsm.sign(material, 'ED25519_SHA_512', 'RAW', message),
  ],
  ['HMAC_384', (hsm, material) => hsm.generateMac(material, message)],
  ['ML_DSA_44', (hsm, material) => hsm.sign(material, 'ML_DSA_SHAKE_256', 'RAW', message)],
  ['ML_KEM_512', (hsm, material) => hsm.encapsulate(material)],
]

describe('material of each kind', () => {
  for (const [spec, use] of uses) {
    test(`${spec} opens in its own place only, and as what it is`, async (t) => {
      const hsm = newCore(t)
      await hsm.ensureRegion(region)
      await hsm.ensureRegion(otherRegion)
      const material = await newMaterial(hsm, keyName(), spec)
      await use(hsm, material)
      const { keySpec: _, ...without } = material
      const claimed: readonly Material[] = [
        { ...material, keyId: otherKey },
        { ...material, account: otherAccount },
        { ...material, region: otherRegion },
        { ...material, materialId: '0'.repeat(64) },
        { ...material, generation: 2 },
      ]
      for (const each of claimed) {
        await assert.rejects(use(hsm, each), failure('key-unavailable'))
        await assert.rejects(hsm.rewrap(each), failure('key-unavailable'))
      }
      const otherSpecs = uses.map(([name]) => name).filter((name) => name !== spec)
      for (const keySpec of otherSpecs) {
        const other = keySpec === 'SYMMETRIC_DEFAULT' ? without : { ...without, keySpec }
        await assert.rejects(hsm.rewrap(other), failure('key-unavailable'), keySpec)
      }
      const unknown = { ...material, keySpec: 'SM2' as KeySpec }
      await assert.rejects(use(hsm, unknown), failure('internal'))
      const spelledOut = { ...material, keySpec: 'SYMMETRIC_DEFAULT' as KeySpec }
      await assert.rejects(use(hsm, spelledOut), failure('internal'))
    })

    test(`${spec} is rewrapped, retired and forgotten`, async (t) => {
      let now = 1_700_000_000_000
      const hsm = newCore(t, { clock: { now: () => now } })
      await hsm.ensureRegion(region)
      const old = await newMaterial(hsm, keyName(), spec)
      await use(hsm, old)
      await hsm.rotateDomainKey(region)
      const current = await hsm.rewrap(old)
      assert.deepEqual(
        { ...current, wrapped: '', generation: 1 },
        { ...old, wrapped: '' },
        'name, spec and id stay',
      )
      assert.equal(current.generation, 2)
      now += 60_000
      await hsm.retireDomainKeys(region, 2)
      await assert.rejects(use(hsm, old), failure('key-unavailable'))
      await use(hsm, current)
      await hsm.forget([current])
      await assert.rejects(use(hsm, current), failure('key-unavailable'))
    })
  }

  test('a result that is late is not given once the material is forgotten', async (t) => {
    const hsm = newCore(t)
    await hsm.ensureRegion(region)
    const late = uses.filter(([spec]) => /RSA|P256K1|ML_DSA/.test(spec))
    for (const [spec, use] of late) {
      const material = await newMaterial(hsm, keyName(), spec)
      await use(hsm, material)
      const [used, forgotten] = [use(hsm, material), hsm.forget([material])]
      await assert.rejects(used, failure('key-unavailable'), spec)
      await forgotten
    }
  })
})

describe('data key pairs', () => {
  for (const spec of dataKeyPairSpecs) {
    test(spec, async (t) => {
      const hsm = newCore(t)
      await hsm.ensureRegion(region)
      const material = await newMaterial(hsm)
      const context = { purpose: spec }
      const { publicKey, privateKey, blob } = await hsm.generateDataKeyPair(material, spec, context)
      const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
      const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
      assert.deepEqual(spki, publicKey)
      assert.deepEqual(await hsm.decrypt(material, blob, context), privateKey)
      await assert.rejects(hsm.decrypt(material, blob, {}), failure('invalid-ciphertext'))
      const silent = await hsm.generateDataKeyPairWithoutPlaintext(material, spec, context)
      assert.deepEqual(Object.keys(silent), ['publicKey', 'blob'])
      const opened = await hsm.decrypt(material, silent.blob, context)
      const its = createPrivateKey({ key: opened, format: 'der', type: 'pkcs8' })
      assert.deepEqual(
        createPublicKey(its).export({ format: 'der', type: 'spki' }),
        silent.publicKey,
      )
      if (spec.startsWith('ML_KEM')) assert.equal(opened.length, 86, 'the seed alone')
    })
  }

  test('are refused for other specs, and for other keys than symmetric ones', async (t) => {
    const hsm = newCore(t)
    await hsm.ensureRegion(region)
    const material = await newMaterial(hsm)
    for (const spec of ['ML_DSA_44', 'SYMMETRIC_DEFAULT', 'HMAC_256', 'SM2']) {
      const made = hsm.generateDataKeyPair(material, spec as DataKeyPairSpec, {})
      await assert.rejects(made, failure('internal'), spec)
    }
    const pair = await newMaterial(hsm, keyName(), 'ECC_NIST_P256')
    const made = hsm.generateDataKeyPair(pair, 'ECC_NIST_P256', {})
    await assert.rejects(made, failure('internal'))
    await hsm.forget([material])
    const late = hsm.generateDataKeyPair(material, 'ECC_NIST_P256', {})
    await assert.rejects(late, failure('key-unavailable'))
  })
})

describe('key agreement', () => {
  test('two keys agree, each with the public half of the other', async (t) => {
    const hsm = newCore(t)
    await hsm.ensureRegion(region)
    for (const [spec, bytes] of [
      ['ECC_NIST_P256', 32],
      ['ECC_NIST_P384', 48],
      ['ECC_NIST_P521', 66],
    ] as const) {
      const left = await hsm.createMaterial(keyName(), spec)
      const right = await hsm.createMaterial(keyName(), spec)
      const [ofLeft, ofRight] = [left.publicKey, right.publicKey]
      assert.ok(ofLeft && ofRight)
      const secret = await hsm.deriveSharedSecret(left.material, ofRight)
      assert.equal(secret.length, bytes)
      assert.deepEqual(await hsm.deriveSharedSecret(right.material, ofLeft), secret)
    }
  })

  test('anything but a point of the same curve is refused', async (t) => {
    const hsm = newCore(t)
    await hsm.ensureRegion(region)
    const made = await hsm.createMaterial(keyName(), 'ECC_NIST_P256')
    const own = made.publicKey
    assert.ok(own)
    const spki = (curve: string, paramEncoding: 'named' | 'explicit' = 'named') => {
      const pair = generateKeyPairSync('ec', { namedCurve: curve, paramEncoding })
      return pair.publicKey.export({ format: 'der', type: 'spki' })
    }
    const offCurve = Buffer.from(own)
    offCurve[60] = (offCurve[60] ?? 0) ^ 1
    const bad = [
      offCurve,
      spki('secp256k1'),
      spki('secp384r1'),
      spki('prime256v1', 'explicit'),
      generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' }),
      own.subarray(0, -1),
      Buffer.concat([own, Buffer.of(0)]),
      own.subarray(-65),
      Buffer.alloc(0),
      Buffer.alloc(91),
    ]
    for (const [at, each] of bad.entries()) {
      const agreed = hsm.deriveSharedSecret(made.material, each)
      await assert.rejects(agreed, failure('validation'), `public key ${at}`)
    }
    const curve = await newMaterial(hsm, keyName(), 'ECC_SECG_P256K1')
    const refused = hsm.deriveSharedSecret(curve, spki('secp256k1'))
    await assert.rejects(refused, failure('internal'))
  })
})

test('more RSA keys than a few at a time are refused, and nothing else waits for them', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm, keyName(), 'ECC_NIST_P256')
  const many = Array.from({ length: 40 }, () => hsm.createMaterial(keyName(), 'RSA_2048'))
  let made = 0
  const outcomes = many.map(async (each) => {
    try {
      await each
      made += 1
      return 'made'
    } catch (error) {
      return error instanceof ServiceError ? error.code : error
    }
  })
  const another = hsm.createMaterial(keyName({ account: otherAccount }), 'RSA_2048')
  const signature = await hsm.sign(material, 'ECDSA_SHA_256', 'RAW', message)
  assert.ok(signature.length > 60)
  assert.ok(made < 5, `${made} keys came before a signature`)
  await another
  assert.ok(made < 9, `${made} keys of one account came before the one of another`)
  const codes = await Promise.all(outcomes)
  const throttled = codes.filter((code) => code === 'throttled').length
  assert.equal(throttled + made, 40)
  assert.ok(throttled >= 20 && made >= 9, `${made} made, ${throttled} throttled`)
})

test('slow commands are sent again to the successor of a core that died', async (t) => {
  const directory = temporaryDirectory(t)
  const clock = systemClock
  const client = new Client()
  t.after(() => client.close())
  const first = joinCore(new Core({ directory, passphrase: undefined, clock }))
  client.attach(first)
  await client.ensureRegion(region)
  const material = await newMaterial(client, keyName(), 'RSA_2048')
  const { material: symmetric } = await client.createMaterial(keyName(), 'SYMMETRIC_DEFAULT')
  const blob = await client.encryptRsa(material, 'RSAES_OAEP_SHA_256', message)
  const calls = Promise.all([
    client.sign(material, 'RSASSA_PSS_SHA_256', 'RAW', message),
    client.sign(material, 'RSASSA_PSS_SHA_256', 'DIGEST', Buffer.alloc(32)),
    client.decryptRsa(material, 'RSAES_OAEP_SHA_256', blob),
    client.createMaterial(keyName(), 'ECC_NIST_P384'),
    client.createMaterial(keyName(), 'RSA_2048'),
    client.generateDataKeyPair(symmetric, 'ML_KEM_768', {}),
  ])
  setImmediate(() => setImmediate(() => first.destroy()))
  await new Promise((closed) => first.once('close', closed))
  client.attach(joinCore(new Core({ directory, passphrase: undefined, clock })))
  const [signature, , opened, made, , pair] = await calls
  assert.equal(signature.length, 256)
  assert.deepEqual(opened, message)
  assert.equal(made.material.account, account)
  assert.deepEqual(await client.decrypt(symmetric, pair.blob, {}), pair.privateKey)
  const key = createPrivateKey({ key: pair.privateKey, format: 'der', type: 'pkcs8' })
  assert.throws(() => sign(null, message, key), 'a key for encapsulation signs nothing')
})
