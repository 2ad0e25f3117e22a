import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNowhere } from './provider-address.ts'

const refused = [
  ...['0.0.0.0', '0.1.2.3', '169.254.0.1', '169.254.169.254', '169.254.170.2'],
  ...['224.0.0.1', '240.0.0.1', '255.255.255.255', '100.100.100.200', '168.63.129.16'],
  ...['::', 'fe80::1', 'febf::1', 'ff02::1', 'fd00:ec2::254', '64:ff9b:1::', '64:ff9b:1::1'],
  ...['64:ff9b:1:ffff::a9fe:a9fe', '64:ff9b:1::c000:201'],
  // An address of IPv4 in its other spellings, and through translators.
  ...['::ffff:169.254.169.254', '::ffff:100.100.100.200', '::ffff:168.63.129.16'],
  ...['64:ff9b::169.254.169.254', '64:ff9b::100.100.100.200', '64:ff9b::168.63.129.16'],
  ...['64:ff9b::0.0.0.0', '64:ff9b::224.0.0.1', '2002:a9fe:a9fe::1', '2002:6464:64c8::1'],
  ...['2002:a83f:8110:ffff::', '2002:e000:1::1'],
]

for (const address of refused) {
  test(`no provider is at ${address}`, () => {
    assert.equal(isNowhere(address), true)
  })
}

const allowed = [
  ...['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.1.1', '192.0.2.1', '223.255.255.255'],
  ...['100.64.0.1', '100.100.100.199', '100.100.100.201', '168.63.129.15', '168.63.129.17'],
  ...['1.0.0.1', '169.253.255.255', '169.255.0.1'],
  ...['::1', 'fc00::1', 'fd00:ec1::254', '2001:db8::1', 'fe00::1', '64:ff9b:2::1', '64:ff9a:1::1'],
  ...['::ffff:10.0.0.1', '64:ff9b::192.0.2.1', '2002:c000:201::1', '2002:6464:64c9::1'],
]

for (const address of allowed) {
  test(`a provider may be at ${address}`, () => {
    assert.equal(isNowhere(address), false)
  })
}
