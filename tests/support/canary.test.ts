import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { found, needlesOf } from './canary.ts'

const secret = randomBytes(32)
const needles = needlesOf({ name: 'secret', secret })
const inside = (before: number, after: number) =>
  Buffer.concat([randomBytes(before), secret, randomBytes(after)])

const hidings: Record<string, (bytes: Buffer) => Buffer> = {
  'as they are': (bytes) => bytes,
  'in hexadecimal': (bytes) => Buffer.from(bytes.toString('hex')),
  'in upper-case hexadecimal': (bytes) => Buffer.from(bytes.toString('hex').toUpperCase()),
  'in base64': (bytes) => Buffer.from(bytes.toString('base64')),
  'in base64url': (bytes) => Buffer.from(bytes.toString('base64url')),
  'as Latin-1 text written in UTF-8': (bytes) => Buffer.from(bytes.toString('latin1'), 'utf8'),
}

for (const [how, hide] of Object.entries(hidings)) {
  test(`the search finds a secret among other bytes ${how}`, () => {
    for (const before of [0, 1, 2, 3, 50]) {
      for (const after of [0, 1, 2, 50]) {
        const names = found(needles, hide(inside(before, after)))
        assert.notDeepEqual(names, [], `${before} bytes before, ${after} behind`)
      }
    }
  })
}

test('the search finds nothing in other bytes', () => {
  assert.deepEqual(found(needles, randomBytes(100_000)), [])
})
