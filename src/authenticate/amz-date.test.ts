import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAmzDate, parseAmzDate } from './amz-date.ts'

test('every second comes back as it went', () => {
  const second = fc.integer({ min: 0, max: 250_000_000_000 }).map((seconds) => seconds * 1000)
  fc.assert(
    fc.property(second, (at) => {
      assert.equal(parseAmzDate(formatAmzDate(at)), at)
    }),
  )
})

test('what is no time is no time', () => {
  const none = [
    '20150229T000000Z',
    '19000229T000000Z',
    '20150431T000000Z',
    '20151301T000000Z',
    '20150001T000000Z',
    '20150100T000000Z',
    '20150101T240000Z',
    '20150101T006000Z',
    '20150101T000060Z',
    '20150101t000000Z',
    '20150101T000000+',
    '2015010xT000000Z',
    '20150101T00000Z',
    '00990101T000000Z',
  ]
  for (const text of none) assert.equal(parseAmzDate(text), undefined, text)
  assert.equal(parseAmzDate('20000229T235959Z'), Date.UTC(2000, 1, 29, 23, 59, 59))
  assert.equal(parseAmzDate('20240229T000000Z'), Date.UTC(2024, 1, 29))
})
