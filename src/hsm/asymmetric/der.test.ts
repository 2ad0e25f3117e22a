import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { der, readElement, tags, unsignedInteger } from './der.ts'

test('lengths take one byte, two or three', () => {
  for (const [length, header] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [4096, '04821000'],
  ] as const) {
    const element = der(tags.octetString, Buffer.alloc(length))
    assert.equal(element.toString('hex', 0, header.length / 2), header)
    assert.equal(element.length, header.length / 2 + length)
  }
})

test('an integer is as short as it can be, and never negative', () => {
  for (const [bytes, encoded] of [
    ['00', '020100'],
    ['0000', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['0080', '02020080'],
    ['00017f', '0202017f'],
    ['', '0200'],
  ]) {
    const element = unsignedInteger(Buffer.from(bytes ?? '', 'hex'))
    assert.equal(element.toString('hex'), encoded)
  }
})

test('what was written is read, and what follows is kept', () => {
  const contents = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(contents, contents, (inside, rest) => {
      const element = readElement(tags.sequence, Buffer.concat([der(tags.sequence, inside), rest]))
      assert.deepEqual(element, { contents: inside, rest })
    }),
  )
})

test('no bytes make a reader go beyond them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
      const given = Buffer.concat([Buffer.of(tags.sequence), bytes])
      const element = readElement(tags.sequence, given)
      if (element === undefined) return
      assert.ok(element.contents.length + element.rest.length < given.length)
    }),
  )
  for (const hex of ['', '30', '3001', '3080', '308101', '30820100', '3083000001ff', '0400']) {
    assert.equal(readElement(tags.sequence, Buffer.from(hex, 'hex')), undefined, hex)
  }
})
