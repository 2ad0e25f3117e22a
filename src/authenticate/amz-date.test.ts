import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../base/errors.ts'
import { formatAmzDate, parseAmzDate, requestTime } from './amz-date.ts'

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
    '20150631T000000Z',
    '20150931T000000Z',
    '20151131T000000Z',
    '20150101T000000Z0',
    // The characters before and after the digits.
    '20150101T00001/Z',
    '20150101T00000:Z',
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
  assert.equal(parseAmzDate('10000101T000000Z'), Date.UTC(1000, 0, 1))
})

const httpDate = 'Sun, 30 Aug 2015 12:36:00 GMT'

test('the form of HTTP is for the Date header alone', () => {
  const at = Date.UTC(2015, 7, 30, 12, 36)
  assert.deepEqual(requestTime(undefined, httpDate), { text: '20150830T123600Z', at })
  const refused: readonly (readonly [string | undefined, string | undefined, shown: string])[] = [
    [httpDate, undefined, httpDate],
    [httpDate, httpDate, httpDate],
    [undefined, 'Invalid Date', 'Invalid Date'],
    [undefined, undefined, ''],
    ['1'.repeat(65), undefined, '1'.repeat(64)],
  ]
  for (const [amzDate, date, shown] of refused) {
    assert.throws(
      () => requestTime(amzDate, date),
      (error) =>
        error instanceof ServiceError &&
        error.code === 'incomplete-signature' &&
        error.publicMessage ===
          `Date must be in ISO-8601 'basic format'. Got '${shown}'. See http://en.wikipedia.org/wiki/ISO_8601`,
      shown,
    )
  }
})
