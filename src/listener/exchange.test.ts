import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Exchange } from './exchange.ts'
import { parseHead, type RequestHead } from './request-head.ts'
import { Share } from './share.ts'
import type { Shared } from './shared.ts'
import { Source } from './sources.ts'

const head = parseHead('POST / HTTP/1.1\r\nHost: t', 10) as RequestHead

function shareOf(bufferedBytes: number) {
  const shared = { limits: { bufferedBytes, bufferedBytesPerAddress: bufferedBytes } } as Shared
  shared.bufferedBytes = 0
  const source = new Source(true)
  return { shared, source, share: new Share(shared, source) }
}

test('what a request holds: its head, room for its body, and something for itself', () => {
  const { shared, source, share } = shareOf(2048 + head.bytes + 100)
  const exchange = new Exchange(share, head)
  assert.equal(exchange.hold(0), true)
  assert.equal(shared.bufferedBytes, 2048 + head.bytes)
  assert.equal(exchange.hold(100), true)
  assert.equal(exchange.hold(50), true)
  assert.equal(shared.bufferedBytes, 2048 + head.bytes + 100)
  assert.equal(exchange.hold(101), false)
  assert.equal(source.bufferedBytes, shared.bufferedBytes)
})

test('it is given back once, at its end', () => {
  const { shared, source, share } = shareOf(100_000)
  const other = new Exchange(share, head)
  other.hold(1000)
  const before = shared.bufferedBytes
  const exchange = new Exchange(share, head)
  exchange.hold(1000)
  exchange.abandon()
  assert.equal(exchange.state, 'gone')
  assert.equal(shared.bufferedBytes, 2 * before)
  exchange.end()
  exchange.end()
  assert.equal(shared.bufferedBytes, before)
  assert.equal(source.bufferedBytes, before)
})
