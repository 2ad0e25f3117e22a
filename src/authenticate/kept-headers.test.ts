import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectGarbage } from '../testing/garbage.ts'
import { AuthorizationCache } from './authorization.ts'
import { SignedHeadersCache } from './signed-headers.ts'
import { SigningKeys } from './signing-keys.ts'

const count = 250
const headBytes = 60_000

/** A header as a part of the text of a large head. */
function received(header: string): string {
  const head = Buffer.from(`A: ${'x'.repeat(headBytes)}\r\nB: ${header}`, 'latin1').toString(
    'latin1',
  )
  return head.slice(head.length - header.length)
}

/** What is kept of all heads, in bytes. */
async function kept(keep: (index: number) => unknown): Promise<number> {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < count; index++) await keep(index)
  collectGarbage()
  return process.memoryUsage().heapUsed - before
}

const credential = (index: number) => `AKIDEXAMPLE${index}/20150830/us-east-1/kms/aws4_request`

// V8 gives string keys of a Map memory of their own, so that only the first of these has something to copy.
describe('what is kept of a header keeps nothing else of its head:', () => {
  test('Authorization', async () => {
    const cache = new AuthorizationCache()
    const header = (index: number) =>
      `AWS4-HMAC-SHA256 Credential=${credential(index)}, SignedHeaders=host, Signature=${'0'.repeat(64)}`
    const bytes = await kept((index) => cache.read(received(header(index)), true))
    assert.equal(cache.read(header(7), true).credential, credential(7))
    assert.ok(bytes < (count * headBytes) / 5, `${bytes}`)
  })

  test('SignedHeaders', async () => {
    const cache = new SignedHeadersCache()
    const text = (index: number) => `host;x-amz-date;x-amz-meta-${index}`
    const bytes = await kept((index) => cache.read(received(text(index))))
    assert.equal(cache.read(text(7)).text, text(7))
    assert.ok(bytes < (count * headBytes) / 5, `${bytes}`)
  })

  test('signing keys', async () => {
    const keys = new SigningKeys(async () => Buffer.alloc(32), count)
    const scopeOf = (index: number) => ({
      accessKeyId: `AKIDEXAMPLE${index}`,
      sealedSecret: 'sealed',
      date: '20150830',
      region: 'us-east-1',
      service: 'kms',
    })
    const bytes = await kept((index) => keys.derive(received(credential(index)), scopeOf(index)))
    assert.equal(keys.find(credential(7), 'sealed')?.sealedSecret, 'sealed')
    assert.ok(bytes < (count * headBytes) / 5, `${bytes}`)
  })
})
