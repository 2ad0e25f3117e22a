import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { der, readElement, tags } from '../asymmetric/der.ts'
import { readBer, readUnsigned } from './ber.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const octets = (text: string) => der(tags.octetString, hex(text))

/** A sequence of indefinite length. */
function open(...elements: readonly Buffer[]): Buffer {
  return Buffer.concat([hex('3080'), ...elements, hex('0000')])
}

test('lengths may take more bytes than they need, up to four', () => {
  for (const text of [
    '0402aabb',
    '048102aabb',
    '04820002aabb',
    '0483000002aabb',
    '048400000002aabb',
  ]) {
    const element = readBer(tags.octetString, hex(`${text}cc`))
    assert.deepEqual(element, { contents: hex('aabb'), rest: hex('cc') }, text)
  }
})

test('an indefinite length ends after the last element inside', () => {
  const inside = [octets('0000'), open(octets('00'), open()), der(tags.sequence, octets('0000'))]
  const element = readBer(tags.sequence, Buffer.concat([open(...inside), hex('0000ff')]))
  assert.deepEqual(element, { contents: Buffer.concat(inside), rest: hex('0000ff') })
  assert.deepEqual(readBer(tags.sequence, open()), { contents: hex(''), rest: hex('') })
})

test('what is not whole, not of that tag, or in more than one piece is no element', () => {
  const bad = [
    ...[
      '',
      '30',
      '3001',
      '308101',
      '30820100',
      '3080',
      '308000',
      '30800400',
      '30800000'.slice(0, 6),
    ],
    // Five bytes of length, a length that is reserved, and more than there is.
    ...['30850000000000', '30ff', '3084ffffffff'],
    // A tag of several bytes inside, and an indefinite length of what is not constructed.
    ...['30801f0100' + '0000', '308004800000' + '0000'],
    '0400',
  ]
  for (const text of bad) assert.equal(readBer(tags.sequence, hex(text)), undefined, text)
  const constructed = Buffer.concat([hex('2480'), octets('aa'), hex('0000')])
  for (const each of [constructed, hex('24030401aa'), hex('0480aa0000')]) {
    assert.equal(readBer(tags.octetString, each), undefined)
  }
})

test('elements of indefinite length stand in each other eight deep, and no deeper', () => {
  const nested = (depth: number): Buffer => (depth === 1 ? open() : open(nested(depth - 1)))
  assert.deepEqual(readBer(tags.sequence, nested(8))?.contents, nested(7))
  for (const depth of [9, 10, 1000]) {
    assert.equal(readBer(tags.sequence, nested(depth)), undefined, `${depth}`)
  }
})

test('DER is read as the other reader does, and no bytes are read beyond their end', () => {
  const contents = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(contents, contents, (inside, rest) => {
      const bytes = Buffer.concat([der(tags.sequence, inside), rest])
      assert.deepEqual(readBer(tags.sequence, bytes), readElement(tags.sequence, bytes))
    }),
  )
  const lengths = fc.constantFrom(0x80, 0x81, 0x82, 0x84, 0, 1, 2, 5, 0x30, 0x24)
  fc.assert(
    fc.property(fc.array(lengths, { maxLength: 40 }), (bytes) => {
      const given = Buffer.of(tags.sequence, ...bytes)
      const element = readBer(tags.sequence, given)
      if (element === undefined) return
      assert.ok(element.contents.length + element.rest.length <= given.length - 2)
    }),
  )
})

test('a number comes without leading zeros, and zero is one byte', () => {
  for (const [text, number] of [
    ['020100', '00'],
    ['02030000ff', 'ff'],
    ['02020080', '80'],
    // OpenSSL reads the numbers of keys as unsigned, too.
    ['0201ff', 'ff'],
  ] as const) {
    assert.deepEqual(readUnsigned(hex(text)), { contents: hex(number), rest: hex('') })
  }
  for (const text of ['0200', '0401ff', '', '0202ff']) {
    assert.equal(readUnsigned(hex(text)), undefined, text)
  }
})
