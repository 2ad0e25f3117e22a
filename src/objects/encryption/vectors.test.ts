import assert from 'node:assert/strict'
import { createDecipheriv, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Sealed, unseal } from '../testing/sealed.ts'
import type { DataKeys } from './object-keys.ts'

type Vector = {
  name: string
  identity: { bucket: string; key: string; versionId: string }
  dataKeys: string[]
  plaintext: string
  sidecar: string
  segments: { data: string; chunkTags: string; label: string }[]
}

const file = join(import.meta.dirname, '../../../tests/vectors/objects/v1.json')
const vectors: Vector[] = JSON.parse(readFileSync(file, 'utf8'))
const base64 = (text: string) => Buffer.from(text, 'base64')
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A second implementation, of docs/formats/object.md alone. */
const hmac = (key: Buffer, ...parts: (Buffer | string)[]) => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}
const hkdf = (ikm: Buffer, salt: Buffer, info: string) =>
  hmac(hmac(salt, ikm), info, Buffer.from([1]))
const u64 = (...values: number[]) =>
  Buffer.from(values.map((value) => value.toString(16).padStart(16, '0')).join(''), 'hex')

function open({ identity, dataKeys, sidecar, segments }: Vector): Buffer {
  const header = base64(sidecar)
  const keys = dataKeys.map((key) => Buffer.from(key, 'hex'))
  assert.deepEqual([...header.subarray(0, 3)], [1, keys.length, 16])
  const id = header.subarray(3, 35)
  const count = header.readUInt32BE(35)
  const size = Number(header.readBigUInt64BE(39))
  const macKey = hkdf(Buffer.concat(keys), id, 'kagiban/object/v1/labels')
  const names = [identity.bucket, identity.key, identity.versionId]
  const lengths = names.map((name) => Buffer.byteLength(name))
  const mac = hmac(macKey, u64(3, ...lengths), ...names, header.subarray(0, -32))
  assert.deepEqual(header.subarray(-32), mac)
  assert.equal(segments.length, count)
  let start = 0
  const plain = segments.map((segment, ordinal) => {
    const data = base64(segment.data)
    const label = base64(segment.label)
    const segmentId = label.subarray(0, 16)
    const what = u64(2, ordinal, start, data.length, count, size)
    assert.deepEqual(label.subarray(16), hmac(macKey, what, segmentId))
    start += data.length
    const tags = base64(segment.chunkTags)
    return keys.reduceRight((bytes, key, layer) => {
      const root = hkdf(key, id, `kagiban/object/v1/chunks/${layer}`)
      const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, n) => {
        const iv = Buffer.from(n.toString(16).padStart(24, '0'), 'hex')
        const decipher = createDecipheriv('aes-256-gcm', hmac(root, segmentId), iv)
        const at = 16 * (n * keys.length + layer)
        decipher.setAuthTag(tags.subarray(at, at + 16))
        const chunk = bytes.subarray(n * 65_536, (n + 1) * 65_536)
        return Buffer.concat([decipher.update(chunk), decipher.final()])
      })
      return Buffer.concat(chunks)
    }, data)
  })
  assert.equal(start, size)
  return Buffer.concat(plain)
}

test('there are vectors', () => assert.equal(vectors.length, 6))

for (const vector of vectors) {
  test(`both implementations open: ${vector.name}`, async () => {
    assert.equal(digest(open(vector)), vector.plaintext)
    let start = 0
    const segments = vector.segments.map((segment, ordinal) => {
      const data = base64(segment.data)
      start += data.length
      const [chunkTags, sidecar] = [base64(segment.chunkTags), base64(segment.label)]
      return { ordinal, start: start - data.length, data, chunkTags, sidecar }
    })
    const sidecar = base64(vector.sidecar)
    const sealed: Sealed = { sidecar, size: start, segmentCount: segments.length, segments }
    const keys = vector.dataKeys.map((key) => Buffer.from(key, 'hex'))
    const plaintext = await unseal(sealed, keys as unknown as DataKeys, vector.identity)
    assert.equal(digest(plaintext), vector.plaintext)
  })
}
