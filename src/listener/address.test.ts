import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointOf, isLoopback, peerOf, requireTlsBeyondLoopback } from './address.ts'

test('what only this machine can reach', () => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', '0:0:0:0:0:0:0:1']) {
    assert.equal(isLoopback(address), true, address)
    requireTlsBeyondLoopback(address)
  }
})

test('what others can reach, and what is no address', () => {
  const others = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '126.255.255.255',
    '128.0.0.1',
    '::2',
    'fe80::1',
    'localhost',
    '',
  ]
  for (const address of others) {
    assert.equal(isLoopback(address), false, address)
    assert.throws(() => requireTlsBeyondLoopback(address), /without TLS.*insecure plaintext/)
  }
})

test('endpoints', () => {
  assert.equal(endpointOf('http', '127.0.0.1', 80), 'http://127.0.0.1:80')
  assert.equal(endpointOf('https', '::1', 7781), 'https://[::1]:7781')
})

test('who is at the other end: the address alone, without a zone, or nobody', () => {
  assert.equal(peerOf({ remoteAddress: '192.0.2.1' }), '192.0.2.1')
  assert.equal(peerOf({ remoteAddress: 'fe80::1%eth0' }), 'fe80::1')
  assert.equal(peerOf({ remoteAddress: undefined }), undefined)
})
