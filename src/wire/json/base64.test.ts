import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { base64Length, decodeBase64, encodeBase64 } from './base64.ts'

function decodeText(text: string): Buffer | undefined {
  const bytes = Buffer.from(text)
  return decodeBase64(bytes, 0, bytes.length)
}

function encodeText(bytes: Uint8Array): string {
  const target = Buffer.alloc(base64Length(bytes.length))
  assert.equal(encodeBase64(bytes, target, 0), target.length)
  return target.toString('latin1')
}

for (const [what, text] of [
  ['a length that is no multiple of four', 'QUI'],
  ['missing padding', 'QQ'],
  ['one character', 'Q'],
  ['padding alone', '===='],
  ['three pads', 'Q==='],
  ['a pad in the middle', 'QQ==QQ=='],
  ['a pad before the last character', 'QQ=Q'],
  ['white space', 'QU JD'],
  ['a line feed at the end', 'QUI=\n'],
  ['the URL-safe alphabet', '-_-_'],
  ['unused bits after one byte', 'QR=='],
  ['unused bits after two bytes', 'QUJ='],
  ['a character beyond ASCII', 'QéA'],
] as const) {
  test(`base64 refuses ${what}`, () => assert.equal(decodeText(text), undefined))
}

test('base64 agrees with RFC 4648 §10', () => {
  const vectors = {
    '': '',
    f: 'Zg==',
    fo: 'Zm8=',
    foo: 'Zm9v',
    foob: 'Zm9vYg==',
    fooba: 'Zm9vYmE=',
  }
  for (const [plain, encoded] of Object.entries(vectors)) {
    assert.equal(decodeText(encoded)?.toString(), plain)
    assert.equal(encodeText(Buffer.from(plain)), encoded)
  }
})

test('encoding agrees with node, and decoding undoes it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeText(bytes)
      assert.equal(text, Buffer.from(bytes).toString('base64'))
      assert.deepEqual(decodeText(text), Buffer.from(bytes))
    }),
  )
})

test('nothing decodes but what encoding writes', () => {
  const character = fc.constantFrom(...'QUAg/+=\n-_é')
  fc.assert(
    fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
      const text = characters.join('')
      const decoded = decodeText(text)
      if (decoded !== undefined) assert.equal(encodeText(decoded), text)
    }),
    { numRuns: 2000 },
  )
})

test('decoding and encoding stay within their range', () => {
  const source = Buffer.from('!!QUJD!!')
  assert.equal(decodeBase64(source, 2, 6)?.toString(), 'ABC')
  const target = Buffer.from('........')
  assert.equal(encodeBase64(Buffer.from('ABC'), target, 2), 6)
  assert.equal(target.toString(), '..QUJD..')
})

test('what was decoded of refused base64 is overwritten', (t) => {
  const allocated: Buffer[] = []
  const allocate = Buffer.allocUnsafe
  t.mock.method(Buffer, 'allocUnsafe', (size: number) => {
    const buffer = allocate(size)
    allocated.push(buffer)
    return buffer
  })
  assert.equal(decodeText('QUJDQUJDQUJD!!!!'), undefined)
  assert.equal(allocated.length, 1)
  assert.ok(allocated[0]?.every((byte) => byte === 0))
})
