import assert from 'node:assert/strict'
import { createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { chmodSync, cpSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SealPurpose } from './port.ts'
import { commands } from './protocol.ts'
import { openText, plaintextBytesMax, sealOverhead, sealText } from './seal.ts'
import { sourceDirectory } from './testing/child.ts'
import { failure, newCore, temporaryDirectory } from './testing/fixtures.ts'

const vectors = join(dirname(sourceDirectory), 'tests/vectors')
const key = createSecretKey(randomBytes(32))
const owner = 'ASIAIOSFODNN7EXAMPLE'
const refused = failure('invalid-ciphertext')

test('opens what was sealed, for its purpose and its owner', () => {
  const texts = fc.uint8Array({ maxLength: 600 })
  const owners = fc.string({ unit: 'binary', maxLength: 20 })
  fc.assert(
    fc.property(texts, owners, owners, (bytes, one, other) => {
      const sealed = sealText(key, 'session', one, Buffer.from(bytes))
      assert.equal(sealed.length, bytes.length + sealOverhead)
      assert.deepEqual(openText(key, 'session', one, sealed), Buffer.from(bytes))
      assert.throws(() => openText(key, 'authorization-message', one, sealed), refused)
      const same = Buffer.from(one).equals(Buffer.from(other))
      if (!same) assert.throws(() => openText(key, 'session', other, sealed), refused)
    }),
  )
})

test('is refused after any change, and under another key', () => {
  const sealed = sealText(key, 'session', owner, Buffer.from('sixteen bytes ok'))
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => openText(key, 'session', owner, altered), refused, `bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => openText(key, 'session', owner, sealed.subarray(0, length)), refused)
  }
  const longer = Buffer.concat([sealed, Buffer.of(0)])
  assert.throws(() => openText(key, 'session', owner, longer), refused)
  const otherKey = createSecretKey(randomBytes(32))
  assert.throws(() => openText(otherKey, 'session', owner, sealed), refused)
  assert.equal(openText(key, 'session', owner, sealed).toString(), 'sixteen bytes ok')
})

test('is bounded', () => {
  const longest = sealText(key, 'session', owner, Buffer.alloc(plaintextBytesMax))
  assert.equal(openText(key, 'session', owner, longest).length, 16_384)
  const tooLong = Buffer.alloc(plaintextBytesMax + 1)
  assert.throws(() => sealText(key, 'session', owner, tooLong), failure('internal'))
  const oversized = Buffer.concat([longest, Buffer.of(0)])
  assert.throws(() => openText(key, 'session', owner, oversized), refused)
  assert.throws(() => openText(key, 'session', owner, Buffer.alloc(0)), refused)
})

test('is another each time', () => {
  const [first, second] = [1, 2].map(() => sealText(key, 'session', owner, Buffer.alloc(32)))
  assert.ok(first !== undefined && second !== undefined)
  assert.notDeepEqual(first.subarray(1, 33), second.subarray(1, 33))
  assert.notDeepEqual(first.subarray(33, 65), second.subarray(33, 65))
})

test('through the port: the same promises, and after a restart too', async (t) => {
  const directory = temporaryDirectory(t)
  const hsm = newCore(t, { directory })
  const text = Buffer.from('what a session says')
  const sealed = await hsm.seal('session', owner, text)
  assert.deepEqual(await newCore(t, { directory }).open('session', owner, sealed), text)
  await assert.rejects(hsm.open('session', 'ASIAIOSFODNN7EXAMPLF', sealed), refused)
  await assert.rejects(hsm.open('authorization-message', owner, sealed), refused)
  await assert.rejects(newCore(t).open('session', owner, sealed), refused)
  await assert.rejects(hsm.open('session', owner, Buffer.from('not sealed')), refused)
  await assert.rejects(hsm.seal('session', owner, Buffer.alloc(20_000)), failure('internal'))
  await assert.rejects(hsm.seal('session', 'x'.repeat(257), text), failure('internal'))
  await assert.rejects(hsm.seal('key-material' as SealPurpose, owner, text), failure('internal'))
})

test('a sealed secret and a sealed text do not open in each other’s place', async (t) => {
  const hsm = newCore(t)
  const secret = Buffer.from('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
  const sealedSecret = await hsm.sealSecret(owner, secret)
  await assert.rejects(hsm.open('session', owner, Buffer.from(sealedSecret, 'base64')), refused)
  const sealed = (await hsm.seal('session', owner, secret)).toString('base64')
  const scope = { accessKeyId: owner, date: '20260101', region: 'us-east-1', service: 'kms' }
  const derived = hsm.signingKey({ ...scope, sealedSecret: sealed })
  await assert.rejects(derived, failure('key-unavailable'))
})

type Vector = { purpose: SealPurpose; owner: string; plaintext: string; sealed: string }
const known: Vector[] = JSON.parse(readFileSync(join(vectors, 'blobs/sealed-v1.json'), 'utf8'))

test('the vectors open for ever', async (t) => {
  const directory = temporaryDirectory(t)
  cpSync(join(vectors, 'hsm-v1'), directory, { recursive: true })
  chmodSync(join(directory, 'root.key'), 0o600)
  const hsm = newCore(t, { directory })
  assert.equal(known.length, 4)
  for (const vector of known) {
    const opened = await hsm.open(
      vector.purpose,
      vector.owner,
      Buffer.from(vector.sealed, 'base64'),
    )
    assert.equal(opened.toString('base64'), vector.plaintext)
  }
})

test('an implementation after the documentation opens the vectors, from the root down', () => {
  const folder = join(vectors, 'hsm-v1')
  const root = readFileSync(join(folder, 'root.key'))
  const { secretsKey } = JSON.parse(readFileSync(join(folder, 'hierarchy.json'), 'utf8'))
  const wrapped = Buffer.from(secretsKey, 'base64')
  const bound = Buffer.concat([wrapped.subarray(0, 5), listed('kagiban/wrap/v1', 'secrets-key')])
  const secrets = open(root, wrapped.subarray(5, 17), wrapped.subarray(17), bound)
  for (const vector of known) {
    const sealed = Buffer.from(vector.sealed, 'base64')
    const info = listed('kagiban/wrap/v1', 'sealed', vector.purpose, vector.owner)
    const pseudorandom = createHmac('sha256', sealed.subarray(1, 33)).update(secrets).digest()
    const first = hmac(pseudorandom, info, Buffer.of(1))
    const iv = hmac(pseudorandom, first, info, Buffer.of(2)).subarray(0, 12)
    const opened = open(first, iv, sealed.subarray(33), sealed.subarray(0, 33))
    assert.equal(opened.toString('base64'), vector.plaintext)
  }
})

function open(secret: Buffer, iv: Buffer, sealed: Buffer, additional: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', secret, iv)
  decipher.setAAD(additional).setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

function hmac(secret: Buffer, ...parts: readonly Buffer[]): Buffer {
  return createHmac('sha256', secret).update(Buffer.concat(parts)).digest()
}

function listed(...parts: readonly string[]): Buffer {
  const pieces = parts.map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(part))
    return Buffer.concat([length, Buffer.from(part)])
  })
  return Buffer.concat(pieces)
}

test('commands of the protocol keep their numbers', () => {
  assert.deepEqual([commands.seal, commands.open], [50, 51])
})
