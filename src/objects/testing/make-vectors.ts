import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pattern } from './pieces.ts'
import { keysOf, type Sealed, seal, sealMultipart } from './sealed.ts'

/** Writes `tests/vectors/objects/v1.json`, the same each time. */
let count = 0
const random = {
  bytes: (length: number) => {
    count += 1
    const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, block) =>
      createHash('sha256').update(`vector ${count} ${block}`).digest(),
    )
    return Buffer.concat(blocks).subarray(0, length)
  },
  uuid: () => '',
}
const identity = { bucket: 'bücket', key: 'reports/2026 ü.csv', versionId: 'null' }
const cases: [string, readonly Buffer[], ReturnType<typeof keysOf>][] = [
  ['empty', [Buffer.alloc(0)], keysOf(1)],
  ['one byte', [Buffer.from('x')], keysOf(2)],
  ['a chunk and a byte', [pattern(65_537)], keysOf(3)],
  ['two layers', [pattern(1000)], keysOf(4, 5)],
  ['parts', [pattern(65_600, 1), pattern(10, 2), pattern(3, 3)], keysOf(6)],
  ['parts in two layers', [pattern(20, 1), pattern(30, 2)], keysOf(7, 8)],
]
const vectors = []
for (const [name, parts, keys] of cases) {
  const [only] = parts
  const sealed: Sealed =
    parts.length === 1 && only !== undefined
      ? await seal(only, keys, identity, random)
      : await sealMultipart(parts, keys, identity, random)
  vectors.push({
    name,
    identity,
    dataKeys: keys.map((key) => key.toString('hex')),
    plaintext: createHash('sha256').update(Buffer.concat(parts)).digest('hex'),
    sidecar: sealed.sidecar.toString('base64'),
    segments: sealed.segments.map(({ data, chunkTags, sidecar }) => ({
      data: data.toString('base64'),
      chunkTags: chunkTags.toString('base64'),
      label: sidecar.toString('base64'),
    })),
  })
}
const file = join(import.meta.dirname, '../../../tests/vectors/objects/v1.json')
writeFileSync(file, `${JSON.stringify(vectors, undefined, 1)}\n`)
