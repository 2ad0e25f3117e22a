import assert from 'node:assert/strict'
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import type { KeyOperations } from '../asymmetric/key-operations.ts'
import { decryptOaep } from '../asymmetric/oaep.ts'
import { headerPrefix } from '../blob.ts'
import { decryptBlob } from '../cipher.ts'
import type { HsmClient } from '../client.ts'
import { canonicalContext } from '../context.ts'
import { Hierarchy } from '../hierarchy.ts'
import { padsOf } from '../kdf.ts'
import {
  algorithmsOf,
  isAsymmetric,
  type KeySpec,
  keySpecs,
  mayWrap,
  signingAlgorithms,
  specRow,
  type WrappingAlgorithm,
  type WrappingKeySpec,
  wrappingAlgorithms,
} from '../key-specs.ts'
import type { Material } from '../port.ts'
import {
  failure,
  keyName,
  newCore,
  otherAccount,
  otherKey,
  otherRegion,
  region,
  temporaryDirectory,
} from '../testing/fixtures.ts'
import { sampleMaterial, wrapForImport } from '../testing/importing.ts'
import { Turns } from '../turns.ts'
import { Importer } from './importer.ts'

const day = 24 * 60 * 60 * 1000
const context = { purpose: 'import' }
const message = Buffer.from('what is signed')

/** Made once: RSA keys are slow, and the core takes an import token as often as one likes. */
const samples = new Map<KeySpec, Buffer>()
for (const spec of keySpecs) if (specRow(spec).importable) samples.set(spec, sampleMaterial(spec))
const sample = (spec: KeySpec) => samples.get(spec) ?? Buffer.alloc(0)

async function opened(t: TestContext, options: Parameters<typeof newCore>[1] = {}) {
  const hsm = newCore(t, options)
  await hsm.ensureRegion(region)
  return hsm
}

async function parameters(
  hsm: HsmClient,
  algorithm: WrappingAlgorithm,
  spec: WrappingKeySpec = 'RSA_2048',
) {
  const validTo = systemClock.now() + day
  return await hsm.importParameters(keyName(), { algorithm, spec, validTo })
}

/** That the core has the very material that was sent, by what it does with it. */
async function assertWorks(hsm: HsmClient, material: Material, bytes: Buffer): Promise<void> {
  const spec = material.keySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec === 'SYMMETRIC_DEFAULT') {
    const blob = await hsm.encrypt(material, message, context)
    const prefix = headerPrefix(material.keyId, material.materialId)
    const key = { prefix, pads: padsOf(bytes) }
    assert.deepEqual(decryptBlob(key, blob, canonicalContext(context)), message)
  } else if (isAsymmetric(spec)) {
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
    await assertSigns(hsm, material, spec, key)
  } else {
    const hash = `sha${spec.slice('HMAC_'.length)}`
    const mac = createHmac(hash, bytes).update(message).digest()
    assert.deepEqual(await hsm.generateMac(material, message), mac)
  }
}

async function assertSigns(hsm: HsmClient, material: Material, spec: KeySpec, key: KeyObject) {
  const [name] = algorithmsOf(spec, 'SIGN_VERIFY')
  const algorithm = signingAlgorithms.find((each) => each === name) ?? 'ED25519_SHA_512'
  const hash = algorithm.startsWith('ED25519') ? null : `sha${algorithm.slice(-3)}`
  const signature = await hsm.sign(material, algorithm, 'RAW', message)
  assert.ok(verify(hash, message, createPublicKey(key), signature), spec)
  assert.ok(await hsm.verify(material, algorithm, 'RAW', message, sign(hash, message, key)), spec)
}

const wrappingKeys = [
  { spec: 'RSA_2048', algorithms: wrappingAlgorithms },
  { spec: 'RSA_3072', algorithms: ['RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_1'] },
  { spec: 'RSA_4096', algorithms: ['RSAES_OAEP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] },
] as const

for (const { spec: wrappingSpec, algorithms } of wrappingKeys) {
  for (const algorithm of algorithms) {
    test(`${algorithm} under ${wrappingSpec} brings in every spec that it may`, async (t) => {
      const hsm = await opened(t)
      const { publicKey, token } = await parameters(hsm, algorithm, wrappingSpec)
      const wrappingKey = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
      const { modulusLength } = wrappingKey.asymmetricKeyDetails ?? {}
      assert.equal(`RSA_${modulusLength}`, wrappingSpec)
      assert.ok(token.length <= 6144 && publicKey.length <= 4096)
      for (const [spec, bytes] of samples) {
        if (!mayWrap(spec, algorithm, wrappingSpec)) continue
        const encrypted = wrapForImport(algorithm, publicKey, bytes)
        const imported = await hsm.importMaterial(keyName(), spec, { token, encrypted })
        const { material } = imported
        assert.deepEqual(material.keySpec, spec === 'SYMMETRIC_DEFAULT' ? undefined : spec)
        assert.match(material.materialId, /^[0-9a-f]{64}$/)
        const expected = isAsymmetric(spec) ? spkiOf(bytes) : undefined
        assert.deepEqual(imported.publicKey, expected, spec)
        await assertWorks(hsm, material, bytes)
      }
    })
  }
}

function spkiOf(bytes: Buffer): Buffer {
  const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

test('material in a wrapping that AWS does not have for it is refused', async (t) => {
  const hsm = await opened(t)
  const { publicKey, token } = await parameters(hsm, 'RSA_AES_KEY_WRAP_SHA_256')
  const encrypted = wrapForImport('RSA_AES_KEY_WRAP_SHA_256', publicKey, randomBytes(32))
  for (const spec of ['SYMMETRIC_DEFAULT', 'HMAC_256', 'ML_DSA_44', 'ML_KEM_512'] as const) {
    const call = hsm.importMaterial(keyName(), spec, { token, encrypted })
    await assert.rejects(call, failure('incorrect-key-material'), spec)
  }
})

test('the same material has the same id, also from another core', async (t) => {
  const directory = temporaryDirectory(t)
  const ids = new Set<string>()
  for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const) {
    const hsm = await opened(t, { directory })
    const { publicKey, token } = await parameters(hsm, algorithm)
    for (const spec of ['SYMMETRIC_DEFAULT', 'ECC_NIST_P256'] as const) {
      const encrypted = wrapForImport(algorithm, publicKey, sample(spec))
      const { material } = await hsm.importMaterial(keyName(), spec, { token, encrypted })
      ids.add(`${spec} ${material.materialId}`)
    }
  }
  assert.equal(ids.size, 2)
})

test('a token works in another core over the same folder', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await opened(t, { directory })
  const { publicKey, token } = await parameters(first, 'RSAES_OAEP_SHA_256')
  first.close()
  const second = newCore(t, { directory })
  const bytes = randomBytes(32)
  const encrypted = wrapForImport('RSAES_OAEP_SHA_256', publicKey, bytes)
  for (const _ of ['once', 'again']) {
    const { material } = await second.importMaterial(keyName(), 'SYMMETRIC_DEFAULT', {
      token,
      encrypted,
    })
    await assertWorks(second, material, bytes)
  }
})

test('a token ends with its time', async (t) => {
  let now = 1_700_000_000_000
  const hsm = await opened(t, { clock: { now: () => now } })
  const validTo = now + day
  const wrapping = { algorithm: 'RSAES_OAEP_SHA_256', spec: 'RSA_2048', validTo } as const
  const { publicKey, token } = await hsm.importParameters(keyName(), wrapping)
  const encrypted = wrapForImport('RSAES_OAEP_SHA_256', publicKey, randomBytes(32))
  const send = (bytes = token, name = keyName()) =>
    hsm.importMaterial(name, 'SYMMETRIC_DEFAULT', { token: bytes, encrypted })
  now = validTo
  await send()
  now = validTo + 1
  await assert.rejects(send(), failure('expired-import-token'))
  const altered = Buffer.from(token)
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
  await assert.rejects(send(altered), failure('invalid-import-token'))
  const other = keyName({ keyId: otherKey })
  await assert.rejects(send(token, other), failure('invalid-import-token'))
})

test('a token is no token for another key, account or Region, nor is anything else', async (t) => {
  const hsm = await opened(t)
  await hsm.ensureRegion(otherRegion)
  const { publicKey, token } = await parameters(hsm, 'RSAES_OAEP_SHA_256')
  const encrypted = wrapForImport('RSAES_OAEP_SHA_256', publicKey, randomBytes(32))
  const others = [{ keyId: otherKey }, { account: otherAccount }, { region: otherRegion }]
  for (const other of others) {
    const call = hsm.importMaterial(keyName(other), 'HMAC_256', { token, encrypted })
    await assert.rejects(call, failure('invalid-import-token'), JSON.stringify(other))
  }
  const second = await parameters(hsm, 'RSAES_OAEP_SHA_256')
  const wrongPair = { token: second.token, encrypted }
  await assert.rejects(
    hsm.importMaterial(keyName(), 'HMAC_256', wrongPair),
    failure('invalid-ciphertext'),
  )
  for (const noToken of [Buffer.alloc(0), randomBytes(44), randomBytes(2000), encrypted]) {
    const call = hsm.importMaterial(keyName(), 'HMAC_256', { token: noToken, encrypted })
    await assert.rejects(call, failure('invalid-import-token'))
  }
})

test('what does not unwrap has one failure, what is not of the spec another', async (t) => {
  const hsm = await opened(t)
  const { publicKey, token } = await parameters(hsm, 'RSA_AES_KEY_WRAP_SHA_256')
  const bytes = sample('ECC_NIST_P256')
  const good = wrapForImport('RSA_AES_KEY_WRAP_SHA_256', publicKey, bytes)
  const flipped = (at: number) => {
    const altered = Buffer.from(good)
    altered[at] = (altered[at] ?? 0) ^ 1
    return altered
  }
  const send = (encrypted: Buffer, spec: KeySpec = 'ECC_NIST_P256') =>
    hsm.importMaterial(keyName(), spec, { token, encrypted })
  const wrongSize = wrapForImport('RSAES_OAEP_SHA_256', publicKey, randomBytes(31))
  const unopened = {
    nothing: Buffer.alloc(0),
    'the key alone': good.subarray(0, 256),
    'a wrong padding': flipped(200),
    'a wrong initial value': flipped(260),
    'the end cut off': good.subarray(0, -8),
    'a key of 31 bytes': Buffer.concat([wrongSize, good.subarray(256)]),
    'another algorithm': wrapForImport('RSA_AES_KEY_WRAP_SHA_1', publicKey, bytes),
    'too long': wrapForImport('RSA_AES_KEY_WRAP_SHA_256', publicKey, Buffer.alloc(6000)),
  }
  for (const [what, encrypted] of Object.entries(unopened)) {
    await assert.rejects(send(encrypted), failure('invalid-ciphertext'), what)
  }
  await assert.rejects(send(good, 'ECC_NIST_P384'), failure('incorrect-key-material'))
  await send(good)
})

test('more pairs at once than the core makes are refused', async (t) => {
  const hsm = await opened(t)
  const asked = Math.max(1, availableParallelism() - 1) + 8 + 4
  const calls = Array.from({ length: asked }, () => parameters(hsm, 'RSAES_OAEP_SHA_1'))
  const results = await Promise.allSettled(calls)
  const refused = results.filter((each) => each.status === 'rejected')
  assert.equal(refused.length, 4)
  for (const { reason } of refused) assert.equal(reason.code, 'throttled')
  const tokens = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value.token] : []))
  assert.equal(new Set(tokens.map((each) => each.toString('hex'))).size, asked - 4)
  await parameters(hsm, 'RSAES_OAEP_SHA_1')
})

test('a Region without keys, and a time that is none, make no parameters', async (t) => {
  const hsm = await opened(t)
  const ask = (name = keyName(), validTo = 1) =>
    hsm.importParameters(name, { algorithm: 'RSAES_OAEP_SHA_1', spec: 'RSA_2048', validTo })
  await assert.rejects(ask(keyName({ region: otherRegion })), failure('key-unavailable'))
  for (const validTo of [-1, 1.5, Number.NaN, 1e21]) {
    await assert.rejects(ask(keyName(), validTo), failure('internal'))
  }
})

/** Imports the same bytes as often as one likes. */
async function importing(hsm: HsmClient, bytes: Buffer): Promise<() => Promise<Material>> {
  const { publicKey, token } = await parameters(hsm, 'RSAES_OAEP_SHA_256')
  const encrypted = wrapForImport('RSAES_OAEP_SHA_256', publicKey, bytes)
  return async () => {
    const wrapped = { token, encrypted }
    return (await hsm.importMaterial(keyName(), 'SYMMETRIC_DEFAULT', wrapped)).material
  }
}

test('material that was forgotten comes back when it is imported again', async (t) => {
  const hsm = await opened(t)
  const bytes = randomBytes(32)
  const send = await importing(hsm, bytes)
  const material = await send()
  await hsm.forget([material])
  await assert.rejects(hsm.encrypt(material, message, {}), failure('key-unavailable'))
  const again = await send()
  assert.equal(again.materialId, material.materialId)
  // Nobody told the core before, or somebody tells it twice: that is about what was there before.
  await hsm.forget([material])
  await assertWorks(hsm, again, bytes)
  await assertWorks(hsm, await hsm.rewrap(again), bytes)
  await assert.rejects(hsm.encrypt(material, message, {}), failure('key-unavailable'))
})

test('material that was forgotten comes back when another process imports it again', async (t) => {
  const directory = temporaryDirectory(t)
  const [here, there] = [await opened(t, { directory }), await opened(t, { directory })]
  const bytes = randomBytes(32)
  const material = await (await importing(here, bytes))()
  for (const hsm of [here, there]) {
    await assertWorks(hsm, material, bytes)
    await hsm.forget([material])
  }
  const again = await (await importing(there, bytes))()
  assert.equal(again.materialId, material.materialId)
  for (const hsm of [there, here]) {
    await assertWorks(hsm, again, bytes)
    await assertWorks(hsm, await hsm.rewrap(again), bytes)
    await assert.rejects(hsm.encrypt(material, message, {}), failure('key-unavailable'))
  }
})

test('what was wrapped is opened where it holds up nothing else, in the turn of its account', async (t) => {
  const clock = systemClock
  const hierarchy = Hierarchy.open(temporaryDirectory(t), { passphrase: undefined }, clock)
  hierarchy.ensureRegion(region)
  const calls: unknown[][] = []
  const pairs: Pick<KeyOperations, 'open'> = {
    open: async (owner, key, algorithm, ciphertext) => {
      calls.push([owner, algorithm, ciphertext.length])
      const own = Buffer.from(ciphertext)
      await turn()
      return decryptOaep(key, algorithm, own)
    },
  }
  const generation = new Turns({ atOnce: 1, waitingMax: 2 })
  const importer = new Importer({ hierarchy, pairs, generation, clock })
  const name = keyName({ account: otherAccount })
  for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const) {
    const wrapping = { algorithm, spec: 'RSA_2048', validTo: clock.now() + day } as const
    const { publicKey, token } = await importer.parameters(name, wrapping)
    const encrypted = wrapForImport(algorithm, publicKey, sample('ECC_NIST_P256'))
    const imported = importer.material(name, 'ECC_NIST_P256', { token, encrypted })
    for (const each of [token, encrypted]) each.fill(0)
    assert.deepEqual((await imported).publicKey, spkiOf(sample('ECC_NIST_P256')))
  }
  assert.deepEqual(calls, [
    [otherAccount, 'RSAES_OAEP_SHA_1', 256],
    [otherAccount, 'RSAES_OAEP_SHA_256', 256],
  ])
})

test("a replica has the same material in another Region, under that Region's keys", async (t) => {
  const hsm = await opened(t)
  const specs = ['SYMMETRIC_DEFAULT', 'HMAC_384', 'ECC_NIST_P256', 'ML_DSA_44'] as const
  await hsm.ensureRegion(otherRegion)
  for (const spec of specs) {
    const { material } = await hsm.createMaterial(keyName(), spec)
    await hsm.rotateDomainKey(otherRegion)
    const replica = await hsm.replicate(material, otherRegion)
    const { generation, wrapped, ...rest } = replica
    const { generation: _, wrapped: original, ...same } = material
    assert.deepEqual(rest, { ...same, region: otherRegion })
    assert.notEqual(wrapped, original)
    const { regions } = await hsm.status()
    assert.equal(generation, regions.find((each) => each.region === otherRegion)?.activeGeneration)
    await assertSame(hsm, material, replica)
    const moved = { ...replica, region, generation: material.generation }
    await assert.rejects(assertSame(hsm, material, moved), failure('key-unavailable'), spec)
  }
})

/** That both are the same material, by what the one makes of the other's. */
async function assertSame(hsm: HsmClient, one: Material, other: Material): Promise<void> {
  const { keySpec = 'SYMMETRIC_DEFAULT' } = one
  if (keySpec === 'SYMMETRIC_DEFAULT') {
    const blob = await hsm.encrypt(one, message, context)
    assert.deepEqual(await hsm.decrypt(other, blob, context), message)
  } else if (isAsymmetric(keySpec)) {
    const [name] = algorithmsOf(keySpec, 'SIGN_VERIFY')
    const algorithm = signingAlgorithms.find((each) => each === name) ?? 'ED25519_SHA_512'
    const signature = await hsm.sign(one, algorithm, 'RAW', message)
    assert.ok(await hsm.verify(other, algorithm, 'RAW', message, signature))
  } else {
    assert.deepEqual(await hsm.generateMac(one, message), await hsm.generateMac(other, message))
  }
}

test('a Region without keys gets no replica, nor is one made of what does not open', async (t) => {
  const hsm = await opened(t)
  const { material } = await hsm.createMaterial(keyName(), 'SYMMETRIC_DEFAULT')
  await assert.rejects(hsm.replicate(material, otherRegion), failure('key-unavailable'))
  await hsm.ensureRegion(otherRegion)
  await hsm.replicate(material, otherRegion)
  const damaged = { ...material, keyId: otherKey }
  await assert.rejects(hsm.replicate(damaged, otherRegion), failure('key-unavailable'))
  await hsm.forget([material])
  await assert.rejects(hsm.replicate(material, otherRegion), failure('key-unavailable'))
})

test('imported material is rewrapped like any other', async (t) => {
  const hsm = await opened(t)
  const { publicKey, token } = await parameters(hsm, 'RSAES_OAEP_SHA_256')
  const bytes = sample('ECC_SECG_P256K1')
  const encrypted = wrapForImport('RSAES_OAEP_SHA_256', publicKey, bytes)
  const { material } = await hsm.importMaterial(keyName(), 'ECC_SECG_P256K1', { token, encrypted })
  await hsm.rotateDomainKey(region)
  const rewrapped = await hsm.rewrap(material)
  assert.equal(rewrapped.generation, material.generation + 1)
  assert.equal(rewrapped.keySpec, 'ECC_SECG_P256K1')
  await assertWorks(hsm, rewrapped, bytes)
})
