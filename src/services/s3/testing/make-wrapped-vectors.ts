import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataKeyBytes, encodeWrapped, ownerIdBytes, seal } from '../encryption/wrapped-keys.ts'

/** Writes `tests/vectors/objects/wrapped-v1.json`, the same each time. */
let count = 0
const random = {
  bytes: (length: number) => {
    count += 1
    return createHash('sha512').update(`wrapped ${count}`).digest().subarray(0, length)
  },
  uuid: () => '',
}
const hex = (bytes: Buffer) => bytes.toString('hex')

const ownerId = random.bytes(ownerIdBytes)
const [sealed, blob] = [random.bytes(64), random.bytes(60)]
const vectors: object[] = [
  {
    ...{ name: 'sealed', ownerId: hex(ownerId), sealed: hex(sealed) },
    wrapped: hex(encodeWrapped({ kind: 'sealed', ownerId, sealed })),
  },
  { name: 'kms', blob: hex(blob), wrapped: hex(encodeWrapped({ kind: 'kms', blob })) },
]
for (const bucketArn of ['arn:aws:s3:::bucket', 'arn:aws:s3:::a.longer-name.of-a-bucket']) {
  const [bucketKey, dataKey] = [random.bytes(32), random.bytes(dataKeyBytes)]
  const box = seal(bucketKey, dataKey, bucketArn, random)
  vectors.push({
    ...{ name: 'bucket-key', bucketArn, bucketKey: hex(bucketKey), dataKey: hex(dataKey) },
    ...{ blob: hex(blob), wrapped: hex(encodeWrapped({ kind: 'bucket-key', box, blob })) },
  })
}
const file = join(import.meta.dirname, '../../../../tests/vectors/objects/wrapped-v1.json')
writeFileSync(file, `${JSON.stringify(vectors, undefined, 1)}\n`)
