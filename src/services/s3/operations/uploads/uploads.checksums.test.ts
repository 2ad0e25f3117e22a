import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ChecksumAlgorithm, checksum } from '../../../../base/checksums.ts'
import type { House } from '../../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { checksumMember } from '../../checksum-members.ts'
import { openWithBucket } from '../../testing/objects.ts'
import {
  begin,
  complete,
  completeOk,
  elementOf,
  elementsOf,
  fullPart,
  putPart,
  sendPart,
} from '../../testing/uploads.ts'

const path = '/bucket/object'
const end = Buffer.from('the end')
const whole = Buffer.concat([fullPart, end])

function digestOf(algorithm: ChecksumAlgorithm, bytes: Buffer): Buffer {
  const sum = checksum(algorithm)
  sum.update(bytes)
  return sum.digest()
}

const base64 = (algorithm: ChecksumAlgorithm, bytes: Buffer) =>
  digestOf(algorithm, bytes).toString('base64')

function compositeOf(algorithm: ChecksumAlgorithm): string {
  const digests = [fullPart, end].map((bytes) => digestOf(algorithm, bytes))
  return base64(algorithm, Buffer.concat(digests))
}

const asking = (algorithm: string, type?: string) => ({
  'x-amz-checksum-algorithm': algorithm.toUpperCase(),
  ...(type !== undefined && { 'x-amz-checksum-type': type }),
})

/** Two parts, each with its checksum, declared in the list as well. */
async function uploaded(house: House, algorithm: ChecksumAlgorithm, type?: string) {
  const id = await begin(house, path, { headers: asking(algorithm, type) })
  const parts = []
  for (const [number, bytes] of [fullPart, end].entries()) {
    const value = base64(algorithm, bytes)
    const headers = { [`x-amz-checksum-${algorithm}`]: value }
    const part = await putPart(house, path, id, number + 1, bytes, { headers })
    const member = checksumMember[algorithm]
    parts.push({ ...part, more: `<${member}>${value}</${member}>` })
  }
  return { id, parts }
}

describe('a checksum of the whole object', () => {
  for (const algorithm of ['crc32', 'crc32c', 'crc64nvme'] as const) {
    test(`${algorithm}: put together, compared, and shown`, async (t) => {
      const house = await openWithBucket(t)
      const { id, parts } = await uploaded(house, algorithm, 'FULL_OBJECT')
      const name = `x-amz-checksum-${algorithm}`
      const wrong = await complete(house, path, id, parts, {
        headers: { [name]: base64(algorithm, end) },
      })
      assert.deepEqual([wrong.status, wrong.error], [400, 'BadDigest'])
      assert.equal(
        wrong.message,
        `The ${algorithm} you specified did not match the calculated checksum.`,
      )
      const composite = { headers: { 'x-amz-checksum-type': 'COMPOSITE' } }
      assert.equal((await complete(house, path, id, parts, composite)).error, 'InvalidRequest')
      const other = algorithm === 'crc32' ? 'crc32c' : 'crc32'
      const mixed = { headers: { [`x-amz-checksum-${other}`]: base64(other, whole) } }
      assert.equal((await complete(house, path, id, parts, mixed)).error, 'InvalidRequest')
      const value = base64(algorithm, whole)
      const headers = { [name]: value, 'x-amz-checksum-type': 'FULL_OBJECT' }
      const bare = parts.map(({ number, etag }) => ({ number, etag }))
      const answer = await completeOk(house, path, id, bare, { headers })
      assert.equal(elementOf(answer, checksumMember[algorithm]), value)
      assert.equal(elementOf(answer, 'ChecksumType'), 'FULL_OBJECT')
      const mode = { headers: { 'x-amz-checksum-mode': 'ENABLED' } }
      const head = await s3Ok(house, 'HEAD', path, mode)
      assert.equal(head.headers.get(name), value)
      assert.equal(head.headers.get('x-amz-checksum-type'), 'FULL_OBJECT')
    })
  }

  test('is had of parts that brought none', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path, { headers: asking('CRC64NVME') })
    const answer = await sendPart(house, path, id, 1, fullPart)
    const value = base64('crc64nvme', fullPart)
    assert.equal(answer.headers.get('x-amz-checksum-crc64nvme'), value)
    const one = { number: 1, etag: answer.headers.get('etag') ?? '' }
    const two = await putPart(house, path, id, 2, end)
    const done = await completeOk(house, path, id, [one, two])
    assert.equal(elementOf(done, 'ChecksumCRC64NVME'), base64('crc64nvme', whole))
  })
})

describe('a checksum of checksums', () => {
  for (const algorithm of ['crc32', 'crc32c', 'sha1', 'sha256'] as const) {
    test(`${algorithm}: made, compared, and shown with those of the parts`, async (t) => {
      const house = await openWithBucket(t)
      const { id, parts } = await uploaded(house, algorithm)
      const bare = parts.map(({ number, etag }) => ({ number, etag }))
      const missing = await complete(house, path, id, bare)
      assert.equal(missing.error, 'InvalidRequest')
      assert.equal(
        missing.message,
        `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for ` +
          'each part. It was missing for part 1 in the request.',
      )
      const [one, two] = parts
      const swapped = [{ ...one, more: two?.more }, two] as typeof parts
      const invalid = await complete(house, path, id, swapped)
      assert.deepEqual([invalid.error, elementOf(invalid, 'PartNumber')], ['InvalidPart', '1'])
      const name = `x-amz-checksum-${algorithm}`
      const value = compositeOf(algorithm)
      const wrong = { headers: { [name]: base64(algorithm, whole) } }
      assert.equal((await complete(house, path, id, parts, wrong)).error, 'BadDigest')
      const answer = await completeOk(house, path, id, parts, { headers: { [name]: value } })
      assert.equal(elementOf(answer, checksumMember[algorithm]), `${value}-2`)
      assert.equal(elementOf(answer, 'ChecksumType'), 'COMPOSITE')
      const headers = { 'x-amz-object-attributes': 'ObjectParts,Checksum' }
      const shown = await s3Ok(house, 'GET', path, { query: { attributes: '' }, headers })
      const [, ...ofParts] = elementsOf(shown, checksumMember[algorithm])
      assert.deepEqual(ofParts, [base64(algorithm, fullPart), base64(algorithm, end)])
    })
  }

  test('wants the checksum of each part with it, and of no other algorithm', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path, { headers: asking('SHA256') })
    const text = (actual: string) =>
      `Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: ${actual}`
    const none = await sendPart(house, path, id, 1, end)
    assert.deepEqual([none.error, none.message], ['InvalidRequest', text('null')])
    const headers = { 'x-amz-checksum-crc32': base64('crc32', end) }
    const other = await sendPart(house, path, id, 1, end, { headers })
    assert.deepEqual([other.error, other.message], ['InvalidRequest', text('crc32')])
    const wrong = { 'x-amz-checksum-sha256': base64('sha256', whole) }
    assert.equal((await sendPart(house, path, id, 1, end, { headers: wrong })).error, 'BadDigest')
    const right = { 'x-amz-checksum-sha256': base64('sha256', end) }
    const part = await putPart(house, path, id, 2, end, { headers: right })
    const more = `<ChecksumSHA256>${base64('sha256', end)}</ChecksumSHA256>`
    const gap = await complete(house, path, id, [{ ...part, more }])
    assert.deepEqual(
      [gap.error, gap.message],
      [
        'InvalidRequest',
        'Part numbers must be consecutive and begin with 1 when a checksum is used.',
      ],
    )
    const crc = `<ChecksumCRC32>${base64('crc32', end)}</ChecksumCRC32>`
    assert.equal((await complete(house, path, id, [{ ...part, more: crc }])).error, 'BadDigest')
    for (const bad of [more + crc, '<ChecksumSHA256>AAAA</ChecksumSHA256>']) {
      const answer = await complete(house, path, id, [{ ...part, more: bad }])
      assert.deepEqual(
        [answer.error, answer.message],
        ['InvalidArgument', 'Invalid Base64 or multiple checksums present in request'],
      )
    }
  })
})

test('algorithms and types that do not go together', async (t) => {
  const house = await openWithBucket(t)
  const query = { uploads: '' }
  const cases = [
    ['SHA256', 'FULL_OBJECT', /FULL_OBJECT checksum type cannot be used with the sha256/],
    ['CRC64NVME', 'COMPOSITE', /COMPOSITE checksum type cannot be used with the crc64nvme/],
    ['CRC32', 'HALF', /Value for x-amz-checksum-type header is invalid/],
    ['MD4', undefined, /valid types: \[CRC32, CRC32C, CRC64NVME, SHA1, SHA256\]/],
  ] as const
  for (const [algorithm, type, text] of cases) {
    const answer = await s3Call(house, 'POST', path, { query, headers: asking(algorithm, type) })
    assert.deepEqual([answer.status, answer.error], [400, 'InvalidRequest'])
    assert.match(answer.message ?? '', text)
  }
})

test('an upload that asked for none keeps none, and takes none for its parts', async (t) => {
  const house = await openWithBucket(t)
  const id = await begin(house, path)
  const value = base64('crc32', end)
  const headers = { 'x-amz-checksum-crc32': value }
  const part = await putPart(house, path, id, 1, end, { headers })
  const more = `<ChecksumCRC32>${value}</ChecksumCRC32>`
  assert.equal((await complete(house, path, id, [{ ...part, more }])).error, 'InvalidPart')
  const declared = await complete(house, path, id, [part], { headers })
  assert.equal(declared.error, 'InvalidRequest')
  const answer = await completeOk(house, path, id, [part])
  assert.deepEqual(elementsOf(answer, 'ChecksumCRC32'), [])
})
