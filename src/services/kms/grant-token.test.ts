import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyId } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import type { GrantRecord } from './grant.ts'
import { newGrantToken, parseGrantToken, requireGrantId } from './grant-token.ts'
import { account, region } from './testing/test-kms.ts'

const grantId = '0123456789abcdef'.repeat(4)
const keyIds = ['1234abcd-12ab-34cd-56ef-1234567890ab', `mrk-${'ab'.repeat(16)}`] as KeyId[]

const grantOf = (keyId: KeyId): GrantRecord => ({
  ...{ grantId, region, account, keyId },
  ...{ keyCreatedAt: 1, createdAt: 2, issuingAccount: account },
  ...{ grantee: 'arn:aws:iam::111122223333:root', operations: 1 },
})

/** A token with another content than was ever given out. */
const forged = (name: string, version = 1) =>
  Buffer.concat([Buffer.of(version), Buffer.alloc(16), Buffer.from(name)]).toString('base64')

test('what is no token of this service names no grant', () => {
  const [keyId] = keyIds
  const good = `us-east-1/${account}/${keyId}/${grantId}`
  assert.ok(parseGrantToken(forged(good)), 'the forging works')
  const bad: Readonly<Record<string, string>> = {
    empty: '',
    'no base64': 'grant token',
    'another alphabet': forged(good).replace('A', '-'),
    'a line end': `${forged(good)}\n`,
    'no padding': forged(`${good.replace('us-east-1', 'us-east-11')}`).replaceAll('=', ''),
    'another version': forged(good, 2),
    'the version alone': Buffer.of(1).toString('base64'),
    'a name that is cut': forged(good.slice(0, -1)),
    'a name that goes on': forged(`${good}/`),
    'a Region that is none': forged(good.replace('us-east-1', 'US-EAST-1')),
    'an account that is none': forged(good.replace(account, '1')),
    'a key id that is none': forged(good.replace('1234abcd', '1234ABCD')),
    'a grant id that is none': forged(good.replace('0123', 'zzzz')),
    'far too long': forged('x'.repeat(6000)),
  }
  for (const [name, token] of Object.entries(bad)) {
    assert.equal(parseGrantToken(token), undefined, name)
  }
})

test('no text whatever makes the parser fail', () => {
  fc.assert(fc.property(fc.string(), (text) => parseGrantToken(text) === undefined))
  fc.assert(fc.property(fc.base64String(), (text) => parseGrantToken(text) === undefined))
})

test('a token names its grant, is new each time, and is within the bounds of AWS', () => {
  for (const keyId of keyIds) {
    const tokens = Array.from({ length: 20 }, () => newGrantToken(grantOf(keyId), systemRandom))
    assert.equal(new Set(tokens).size, 20)
    for (const token of tokens) {
      assert.ok(token.length <= 8192)
      assert.match(token, /^[A-Za-z0-9+/]+=*$/)
      assert.deepEqual(parseGrantToken(token), { region, account, keyId, grantId })
    }
  }
})

test('a token is laid out as its page says', () => {
  const [keyId] = keyIds
  assert.ok(keyId)
  const random = { bytes: (count: number) => Buffer.alloc(count, 0xab), uuid: () => '' }
  const bytes = Buffer.from(newGrantToken(grantOf(keyId), random), 'base64')
  assert.equal(bytes[0], 1)
  assert.deepEqual(bytes.subarray(1, 17), Buffer.alloc(16, 0xab))
  assert.equal(
    bytes.toString('ascii', 17),
    `us-east-1/111122223333/1234abcd-12ab-34cd-56ef-1234567890ab/${grantId}`,
  )
})

test('a grant id has 64 lower-case hexadecimal digits', () => {
  requireGrantId(grantId)
  for (const text of ['x', grantId.slice(1), `${grantId}0`, grantId.toUpperCase(), ` ${grantId}`]) {
    assert.throws(() => requireGrantId(text), { code: 'invalid-grant-id' })
  }
})
