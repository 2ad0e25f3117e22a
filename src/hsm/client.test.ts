import assert from 'node:assert/strict'
import { createHmac, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyId } from '../base/ids.ts'
import { parseBlob } from './blob.ts'
import type { EncryptionContext, Material } from './port.ts'
import {
  failure,
  keyName,
  multiRegionKey,
  newCore,
  newMaterial,
  otherAccount,
  otherKey,
  otherRegion,
  region,
} from './testing/fixtures.ts'

const algorithm = 'SYMMETRIC_DEFAULT' as const
const context: EncryptionContext = { department: 'finance', purpose: 'test' }
const plaintext = Buffer.from('attack at dawn')

test('everything the port says of one key', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  assert.match(material.materialId, /^[0-9a-f]{64}$/)
  const { region: itsRegion, account, keyId, generation } = material
  assert.deepEqual({ region: itsRegion, account, keyId }, keyName())
  assert.equal(generation, 1)
  const blob = await hsm.encrypt(material, plaintext, context)
  assert.deepEqual(parseBlob(blob), { keyId, materialId: material.materialId })
  assert.deepEqual(await hsm.decrypt(material, blob, context), plaintext)
  const reordered = { purpose: 'test', department: 'finance' }
  assert.deepEqual(await hsm.decrypt(material, blob, reordered), plaintext)
})

test('data keys have the length asked for and come back out of their blobs', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  for (const bytes of [1, 16, 32, 1024]) {
    const dataKey = await hsm.generateDataKey(material, bytes, context)
    assert.equal(dataKey.plaintext.length, bytes)
    assert.deepEqual(await hsm.decrypt(material, dataKey.blob, context), dataKey.plaintext)
    const blob = await hsm.generateDataKeyWithoutPlaintext(material, bytes, context)
    assert.equal((await hsm.decrypt(material, blob, context)).length, bytes)
    assert.equal((await hsm.random(bytes)).length, bytes)
  }
  const [first, second] = [await hsm.random(32), await hsm.random(32)]
  assert.notDeepEqual(first, second)
  for (const bytes of [0, 1025, -1, 1.5, Number.NaN, 2 ** 40]) {
    await assert.rejects(hsm.random(bytes), failure('internal'), String(bytes))
    await assert.rejects(hsm.generateDataKey(material, bytes, {}), failure('internal'))
    await assert.rejects(
      hsm.generateDataKeyWithoutPlaintext(material, bytes, {}),
      failure('internal'),
    )
  }
})

test('any change of context, key or material makes decryption refuse', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const blob = await hsm.encrypt(material, plaintext, context)
  const others = [{}, { department: 'finance' }, { ...context, x: '' }, { ...context, purpose: '' }]
  for (const other of others) {
    await assert.rejects(hsm.decrypt(material, blob, other), failure('invalid-ciphertext'))
  }
  await assert.rejects(hsm.decrypt(material, Buffer.alloc(0), {}), failure('invalid-ciphertext'))
  for (const name of [keyName(), keyName({ keyId: otherKey })]) {
    const other = await newMaterial(hsm, name)
    await assert.rejects(hsm.decrypt(other, blob, context), failure('invalid-ciphertext'))
  }
})

test('contexts in property: whatever goes in must be given again', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const text = fc.string({ unit: 'binary', maxLength: 6 })
  const contexts = fc.dictionary(text, text, { maxKeys: 3 })
  await fc.assert(
    fc.asyncProperty(contexts, contexts, async (mine, other) => {
      const blob = await hsm.encrypt(material, plaintext, mine)
      assert.deepEqual(await hsm.decrypt(material, blob, mine), plaintext)
      fc.pre(
        JSON.stringify(Object.entries(mine).sort()) !==
          JSON.stringify(Object.entries(other).sort()),
      )
      await assert.rejects(hsm.decrypt(material, blob, other), failure('invalid-ciphertext'))
    }),
    { numRuns: 50 },
  )
})

test('wrapped material is of no use under another name, cached or not', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const material = await newMaterial(hsm)
  const blob = await hsm.encrypt(material, plaintext, {})
  const moved: Partial<Material>[] = [
    { keyId: otherKey },
    { account: otherAccount },
    { region: otherRegion },
    { materialId: 'ab'.repeat(32) },
    { generation: 7 },
  ]
  for (const change of moved) {
    const stolen = { ...material, ...change }
    await assert.rejects(hsm.decrypt(stolen, blob, {}), failure('key-unavailable'))
    await assert.rejects(hsm.encrypt(stolen, plaintext, {}), failure('key-unavailable'))
    await assert.rejects(hsm.rewrap(stolen), failure('key-unavailable'))
  }
  assert.deepEqual(await hsm.decrypt(material, blob, {}), plaintext)
})

test('text that is no material is refused, also when it smuggles lines', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const bad: Partial<Record<keyof Material, unknown>>[] = [
    { keyId: 'no key' },
    { region: 'US-EAST-1' },
    { account: '1' },
    { materialId: 'AB'.repeat(32) },
    { generation: 0 },
    { generation: 1.5 },
    { materialId: `${material.materialId}\n1` },
    { wrapped: `${material.wrapped}\n` },
  ]
  for (const change of bad) {
    const malformed = { ...material, ...change } as Material
    await assert.rejects(hsm.encrypt(malformed, plaintext, {}), failure('internal'))
  }
  await assert.rejects(newMaterial(hsm, keyName({ keyId: 'x' as KeyId })), failure('internal'))
  await assert.rejects(hsm.ensureRegion('nowhere' as never), failure('internal'))
})

test('re-encryption moves a plaintext to another key and context', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const from = await newMaterial(hsm)
  const to = await newMaterial(hsm, keyName({ region: otherRegion, keyId: multiRegionKey }))
  const blob = await hsm.encrypt(from, plaintext, context)
  const source = { material: from, algorithm, blob, context }
  const moved = await hsm.reEncrypt(source, {
    material: to,
    algorithm,
    context: { new: 'context' },
  })
  assert.equal(parseBlob(moved)?.keyId, multiRegionKey)
  assert.deepEqual(await hsm.decrypt(to, moved, { new: 'context' }), plaintext)
  const target = { material: to, algorithm, context: {} }
  await assert.rejects(
    hsm.reEncrypt({ ...source, context: {} }, target),
    failure('invalid-ciphertext'),
  )
  await assert.rejects(
    hsm.reEncrypt(source, { ...target, context: { k: '\ud800' } }),
    failure('validation'),
  )
})

test('rotate, rewrap, retire: blobs go on decrypting, old wrappings do not', async (t) => {
  let now = 1_700_000_000_000
  const hsm = newCore(t, { clock: { now: () => now } })
  await hsm.ensureRegion(region)
  const old = await newMaterial(hsm)
  const blob = await hsm.encrypt(old, plaintext, context)
  assert.equal(await hsm.rotateDomainKey(region), 2)
  assert.deepEqual(await hsm.decrypt(old, blob, context), plaintext)
  const current = await hsm.rewrap(old)
  assert.equal(current.generation, 2)
  assert.equal(current.materialId, old.materialId)
  assert.notEqual(current.wrapped, old.wrapped)
  await assert.rejects(hsm.retireDomainKeys(region, 3), failure('internal'))
  now += 59_999
  await assert.rejects(hsm.retireDomainKeys(region, 2), failure('internal'))
  assert.deepEqual(await hsm.decrypt(old, blob, context), plaintext)
  now += 1
  await hsm.retireDomainKeys(region, 2)
  await assert.rejects(hsm.decrypt(old, blob, context), failure('key-unavailable'))
  assert.deepEqual(await hsm.decrypt(current, blob, context), plaintext)
  const { regions } = await hsm.status()
  assert.deepEqual(regions[0]?.generations, [2])
})

test('forgotten material is not unwrapped again, however it is asked for', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const other = await newMaterial(hsm)
  const blob = await hsm.encrypt(material, plaintext, {})
  const others = Array.from({ length: 600 }, (_, index) => ({
    materialId: index.toString(16).padStart(64, '0'),
    wrapped: `another ${index}`,
  }))
  await hsm.forget([...others, material])
  await hsm.forget([])
  const from = { material, algorithm, blob, context: {} }
  const calls = [
    hsm.encrypt(material, plaintext, {}),
    hsm.decrypt(material, blob, {}),
    hsm.reEncrypt(from, { material: other, algorithm, context: {} }),
    hsm.generateDataKey(material, 32, {}),
    hsm.generateDataKeyWithoutPlaintext(material, 32, {}),
    hsm.rewrap(material),
  ]
  for (const call of calls) await assert.rejects(call, failure('key-unavailable'))
  await hsm.encrypt(other, plaintext, {})
})

test('forgetting takes one wrapped form, and leaves the others of the same material', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const material = await newMaterial(hsm)
  const blob = await hsm.encrypt(material, plaintext, context)
  const replica = await hsm.replicate(material, otherRegion)
  const rewrapped = await hsm.rewrap(material)
  for (const each of [replica, rewrapped]) await hsm.decrypt(each, blob, context)
  await hsm.forget([material])
  await assert.rejects(hsm.decrypt(material, blob, context), failure('key-unavailable'))
  for (const each of [replica, rewrapped]) {
    assert.deepEqual(await hsm.decrypt(each, blob, context), plaintext)
    await hsm.rewrap(each)
  }
})

test('only materials can be forgotten', async (t) => {
  const hsm = newCore(t)
  for (const materialId of ['', 'x', 'A'.repeat(64), 'a'.repeat(65)]) {
    await assert.rejects(hsm.forget([{ materialId, wrapped: 'any' }]), failure('internal'))
  }
})

test('a cache smaller than the number of keys changes nothing', async (t) => {
  const hsm = newCore(t, { cacheSize: 2 })
  await hsm.ensureRegion(region)
  const materials = await Promise.all([1, 2, 3, 4, 5].map(() => newMaterial(hsm)))
  const blobs = await Promise.all(materials.map((each) => hsm.encrypt(each, plaintext, {})))
  for (const [index, material] of materials.entries()) {
    const blob = blobs[index] ?? Buffer.alloc(0)
    assert.deepEqual(await hsm.decrypt(material, blob, {}), plaintext)
    const target = { material: materials[(index + 1) % 5] ?? material, algorithm, context: {} }
    const moved = await hsm.reEncrypt({ material, algorithm, blob, context: {} }, target)
    assert.deepEqual(await hsm.decrypt(target.material, moved, {}), plaintext)
  }
})

test('a sealed secret gives signing keys for its own access key only', async (t) => {
  const hsm = newCore(t)
  const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
  const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
  const sealedSecret = await hsm.sealSecret(accessKeyId, Buffer.from(secret))
  assert.equal(sealedSecret.includes(Buffer.from(secret).toString('base64').slice(0, 20)), false)
  const scope = { accessKeyId, sealedSecret, date: '20150830', region: 'us-east-1', service: 'iam' }
  // https://docs.aws.amazon.com/general/latest/gr/signature-v4-examples.html
  const published = 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
  assert.equal((await hsm.signingKey(scope)).toString('hex'), published)
  const chain = ['20240229', 'eu-central-1', 'kms', 'aws4_request'].reduce(
    (key: Buffer, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  )
  const other = { ...scope, date: '20240229', region: 'eu-central-1', service: 'kms' }
  assert.deepEqual(await hsm.signingKey(other), chain)
  const refused = [
    { ...scope, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' },
    { ...scope, sealedSecret: '' },
    { ...scope, sealedSecret: sealedSecret.replace(/.{4}$/, 'AAAA') },
    { ...scope, sealedSecret: sealedSecret.slice(0, -8) },
  ]
  for (const each of refused) {
    await assert.rejects(hsm.signingKey(each), failure('key-unavailable'))
  }
  await assert.rejects(hsm.signingKey({ ...scope, region: 'x'.repeat(300) }), failure('internal'))
  await assert.rejects(hsm.sealSecret(accessKeyId, Buffer.alloc(0)), failure('internal'))
  await assert.rejects(hsm.sealSecret(accessKeyId, Buffer.alloc(1025)), failure('internal'))
})

test('wrapped things of one kind are not taken for another', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const sealed = await hsm.sealSecret('AKIAIOSFODNN7EXAMPLE', Buffer.alloc(32, 1))
  const posing = { ...material, wrapped: sealed }
  await assert.rejects(hsm.encrypt(posing, plaintext, {}), failure('key-unavailable'))
})

test('checkpoints are signed by one key that stays', async (t) => {
  const hsm = newCore(t)
  const raw = await hsm.checkpointPublicKey()
  assert.equal(raw.length, 32)
  const origin = 'kagiban/main/00000000-0000-4000-8000-000000000000'
  const root = Buffer.alloc(32, 1).toString('base64')
  const message = Buffer.from(`${origin}\n42\n${root}\n`)
  const signature = await hsm.signCheckpoint(message)
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  assert.equal(verify(null, message, publicKey, signature), true)
  assert.equal(verify(null, Buffer.from(`${origin}\n43\n${root}\n`), publicKey, signature), false)
  raw.fill(0)
  assert.notDeepEqual(await hsm.checkpointPublicKey(), raw)
})

test('ill-formed contexts are refused by every call that takes one', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const bad = { k: '\ud800' }
  const calls = [
    hsm.encrypt(material, plaintext, bad),
    hsm.decrypt(material, Buffer.alloc(200), bad),
    hsm.generateDataKey(material, 32, bad),
    hsm.generateDataKeyWithoutPlaintext(material, 32, bad),
  ]
  for (const call of calls) await assert.rejects(call, failure('validation'))
})

test('a plaintext above the limit is refused', async (t) => {
  const hsm = newCore(t)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  assert.equal((await hsm.encrypt(material, Buffer.alloc(4096), {})).length, 4096 + 127)
  await assert.rejects(hsm.encrypt(material, Buffer.alloc(4097), {}), failure('internal'))
  await assert.rejects(hsm.encrypt(material, Buffer.alloc(2 ** 20), {}), failure('internal'))
})
