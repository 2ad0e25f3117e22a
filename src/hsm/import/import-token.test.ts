import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Hierarchy } from '../hierarchy.ts'
import { hierarchyFile } from '../hierarchy-file.ts'
import { wrappingAlgorithms, wrappingKeySpecs } from '../key-specs.ts'
import {
  failure,
  keyName,
  multiRegionKey,
  otherAccount,
  otherKey,
  otherRegion,
  region,
  temporaryDirectory,
} from '../testing/fixtures.ts'
import { openToken, sealToken, tokenBytesMax, type Wrapping } from './import-token.ts'

const wrapping: Wrapping = {
  algorithm: 'RSAES_OAEP_SHA_256',
  spec: 'RSA_2048',
  validTo: 1_700_000_000_123,
}
const privateKey = randomBytes(100)

function opened(t: TestContext) {
  const directory = temporaryDirectory(t)
  const open = () => Hierarchy.open(directory, { passphrase: undefined }, systemClock)
  const hierarchy = open()
  hierarchy.ensureRegion(region)
  hierarchy.ensureRegion(otherRegion)
  return { hierarchy, directory, again: open }
}

test('the header is as documented', (t) => {
  const { hierarchy } = opened(t)
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  assert.equal(token.subarray(0, 11).toString('hex'), `010201${'0000018bcfe5687b'}`)
  assert.equal(token.subarray(11, 16).toString('hex'), '0100000000')
  assert.equal(token.length, 11 + 33 + privateKey.length)
})

test('a token opens with what is in it, for each algorithm and key spec, also after a restart', (t) => {
  const { hierarchy, again } = opened(t)
  const headers = new Set<string>()
  for (const algorithm of wrappingAlgorithms) {
    for (const spec of wrappingKeySpecs) {
      const each = { algorithm, spec, validTo: wrapping.validTo }
      const token = sealToken(hierarchy, keyName(), each, privateKey)
      headers.add(token.subarray(0, 3).toString('hex'))
      assert.deepEqual(openToken(again(), keyName(), token), { wrapping: each, privateKey })
    }
  }
  assert.equal(headers.size, 12)
})

test('a token with any bit flipped does not open', (t) => {
  const { hierarchy } = opened(t)
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  for (let bit = 0; bit < token.length * 8; bit++) {
    const altered = Buffer.from(token)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(openToken(hierarchy, keyName(), altered), undefined, `bit ${bit}`)
  }
  assert.notEqual(openToken(hierarchy, keyName(), token), undefined)
})

test('what has an impossible length does not open', (t) => {
  const { hierarchy } = opened(t)
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  for (let length = 0; length < token.length; length++) {
    assert.equal(openToken(hierarchy, keyName(), token.subarray(0, length)), undefined)
  }
  for (const length of [token.length + 1, tokenBytesMax, tokenBytesMax + 1, 100_000]) {
    const longer = Buffer.concat([token, Buffer.alloc(length - token.length)])
    assert.equal(openToken(hierarchy, keyName(), longer), undefined)
  }
})

test('a token is of one key, account and Region', (t) => {
  const { hierarchy } = opened(t)
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  const others = [
    ...[{ keyId: otherKey }, { keyId: multiRegionKey }],
    ...[{ account: otherAccount }, { region: otherRegion }],
  ]
  for (const other of others) {
    assert.equal(openToken(hierarchy, keyName(other), token), undefined, JSON.stringify(other))
  }
})

test('a token of another hierarchy does not open', (t) => {
  const token = sealToken(opened(t).hierarchy, keyName(), wrapping, privateKey)
  assert.equal(openToken(opened(t).hierarchy, keyName(), token), undefined)
})

test('a token opens after domain keys were rotated and retired', (t) => {
  let now = systemClock.now()
  const directory = temporaryDirectory(t)
  const clock = { now: () => now }
  const hierarchy = Hierarchy.open(directory, { passphrase: undefined }, clock)
  hierarchy.ensureRegion(region)
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  hierarchy.rotate(region)
  now += 60_000
  hierarchy.retire(region, 2)
  assert.deepEqual(openToken(hierarchy, keyName(), token)?.privateKey, privateKey)
})

test('a Region without keys makes no tokens', (t) => {
  const directory = temporaryDirectory(t)
  const hierarchy = Hierarchy.open(directory, { passphrase: undefined }, systemClock)
  const seal = () => sealToken(hierarchy, keyName(), wrapping, privateKey)
  assert.throws(seal, failure('key-unavailable'))
})

test('a domain key, which is wrapped by the same key, is no token', (t) => {
  const { hierarchy, directory } = opened(t)
  const stored = JSON.parse(readFileSync(join(directory, hierarchyFile), 'utf8'))
  const wrapped = Buffer.from(stored.regions[region].domainKeys[0].wrapped, 'base64')
  const token = sealToken(hierarchy, keyName(), wrapping, privateKey)
  for (const generation of [1, 0]) {
    wrapped.writeUInt32BE(generation, 1)
    const forged = Buffer.concat([token.subarray(0, 11), wrapped])
    assert.equal(openToken(hierarchy, keyName(), forged), undefined)
  }
})
