import assert from 'node:assert/strict'
import { createDecipheriv, createHmac, createPublicKey, verify } from 'node:crypto'
import { chmodSync, cpSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { EncryptionContext, Material, SigningScope } from './port.ts'
import { sourceDirectory } from './testing/child.ts'
import { newCore, temporaryDirectory } from './testing/fixtures.ts'

const vectors = join(dirname(sourceDirectory), 'tests/vectors')

type Vectors = {
  materials: Material[]
  blobs: { material: number; context: EncryptionContext; plaintext: string; blob: string }[]
  scope: SigningScope
  checkpoint: { message: string; signature: string; publicKey: string }
}

function read(name: string): Vectors {
  return JSON.parse(readFileSync(join(vectors, 'blobs', name), 'utf8'))
}

/** Git keeps no modes but the executable bit. */
function copyOf(t: TestContext, name: string, secretFile: string): string {
  const directory = temporaryDirectory(t)
  cpSync(join(vectors, name), directory, { recursive: true })
  chmodSync(join(directory, secretFile), 0o600)
  return directory
}

const folders = [
  { name: 'hsm-v1', secretFile: 'root.key', file: 'v1.json' },
  {
    name: 'hsm-v1-passphrase',
    secretFile: 'root.json',
    file: 'v1-passphrase.json',
    passphrase: Buffer.from('correct horse battery staple'),
  },
]

for (const { name, secretFile, file, passphrase } of folders) {
  test(`everything made with ${name} opens`, async (t) => {
    const directory = copyOf(t, name, secretFile)
    const hsm = newCore(t, { directory, ...(passphrase && { passphrase }) })
    const { materials, blobs, scope, checkpoint } = read(file)
    assert.equal(blobs.length, 12)
    for (const { material, context, plaintext, blob } of blobs) {
      const target = materials[material]
      assert.ok(target)
      const opened = await hsm.decrypt(target, Buffer.from(blob, 'base64'), context)
      assert.equal(opened.toString('base64'), plaintext)
    }
    // The secret and the scope of AWS's documentation of Signature Version 4, with its signing key.
    const signingKey = await hsm.signingKey(scope)
    const published = 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
    assert.equal(signingKey.toString('hex'), published)
    assert.equal((await hsm.checkpointPublicKey()).toString('base64'), checkpoint.publicKey)
    const signature = await hsm.signCheckpoint(Buffer.from(checkpoint.message))
    assert.equal(signature.toString('base64'), checkpoint.signature)
  })
}

test('the checkpoint signature verifies with nothing but the public key', () => {
  const { checkpoint } = read('v1.json')
  const raw = Buffer.from(checkpoint.publicKey, 'base64')
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const signature = Buffer.from(checkpoint.signature, 'base64')
  assert.equal(verify(null, Buffer.from(checkpoint.message), publicKey, signature), true)
  assert.equal(verify(null, Buffer.from('another\n'), publicKey, signature), false)
})

/** A second implementation, after the two pages of `docs/formats` and sharing nothing with the first. */
function openByTheBook(vector: Vectors['blobs'][number], material: Buffer): Buffer {
  const blob = Buffer.from(vector.blob, 'base64')
  const block = (counter: number) =>
    createHmac('sha256', material)
      .update(Buffer.of(0, 0, 0, counter))
      .update('kagiban/blob/v1\0')
      .update(blob.subarray(0, 67))
      .update(Buffer.of(0, 0, 2, 0))
      .digest()
  assert.deepEqual(blob.subarray(79, 111), block(2))
  const decipher = createDecipheriv('aes-256-gcm', block(1), blob.subarray(67, 79))
  decipher.setAAD(Buffer.concat([blob.subarray(0, 111), contextByTheBook(vector.context)]))
  decipher.setAuthTag(blob.subarray(-16))
  return Buffer.concat([decipher.update(blob.subarray(111, -16)), decipher.final()])
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function contextByTheBook(context: EncryptionContext): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(Object.keys(context).length)
  const sorted = Object.entries(context).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  return Buffer.concat([count, ...sorted.flatMap((pair) => pair.map(counted))])
}

function unwrapByTheBook(key: Buffer, wrapped: string, ...parts: string[]): Buffer {
  const bytes = Buffer.from(wrapped, 'base64')
  const bound = ['kagiban/wrap/v1', ...parts].map(counted)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(5, 17))
  decipher.setAAD(Buffer.concat([bytes.subarray(0, 5), ...bound]))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(17, -16)), decipher.final()])
}

test('an implementation after the documentation opens every vector, from the root down', () => {
  const folder = join(vectors, 'hsm-v1')
  const root = readFileSync(join(folder, 'root.key'))
  const hierarchy = JSON.parse(readFileSync(join(folder, 'hierarchy.json'), 'utf8'))
  const { materials, blobs } = read('v1.json')
  const opened = materials.map(({ region, account, keyId, materialId, generation, wrapped }) => {
    const record = hierarchy.regions[region]
    const regionKey = unwrapByTheBook(root, record.regionKey, 'region-key', region)
    const { createdAt, wrapped: wrappedKey } = record.domainKeys.find(
      (key: { generation: number }) => key.generation === generation,
    )
    const bound = ['domain-key', region, String(createdAt)]
    const domainKey = unwrapByTheBook(regionKey, wrappedKey, ...bound)
    const place = ['key-material', region, account, keyId, materialId]
    return unwrapByTheBook(domainKey, wrapped, ...place)
  })
  for (const vector of blobs) {
    const material = opened[vector.material]
    assert.ok(material)
    assert.equal(openByTheBook(vector, material).toString('base64'), vector.plaintext)
  }
})
