import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf, Sources } from './sources.ts'

test('clients that can choose among addresses are one source; others are not', () => {
  const sources = new Sources(false)
  for (const [one, other] of [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6'],
    ['::1:2:3:4', '::9:9:9:9'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
  ] as const) {
    assert.equal(sources.of(one), sources.of(other), `${one} ${other}`)
  }
  for (const [one, other] of [
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['2001:db8:1::1', '2001:db8:2::1'],
    ['::1', '192.0.2.1'],
  ] as const) {
    assert.notEqual(sources.of(one), sources.of(other), `${one} ${other}`)
  }
})

test('the network of an address', () => {
  assert.equal(networkOf('2001:db8:1:2::1'), '2001:db8:1:2')
  assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0')
  assert.equal(networkOf('::'), '0:0:0:0')
  assert.equal(networkOf('::FFFF:10.0.0.1'), '10.0.0.1')
  assert.equal(networkOf(''), '')
})

test('all are held to their share, loopback alone where it is asked for', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    assert.equal(new Sources(false).of(address).limited, false, address)
    assert.equal(new Sources(true).of(address).limited, true, address)
  }
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '']) {
    assert.equal(new Sources(false).of(address).limited, true, address)
  }
})

test('what holds nothing is forgotten, what holds something is not', () => {
  const sources = new Sources(false)
  sources.of('192.0.2.1')
  sources.of('192.0.2.2').connections = 1
  const buffering = sources.of('192.0.2.3')
  buffering.bufferedBytes = 1
  sources.forgetIdle()
  assert.equal(sources.size, 2)
  assert.equal(sources.of('192.0.2.3'), buffering)
})
