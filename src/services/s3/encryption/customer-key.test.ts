import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Caller } from '../../../base/caller.ts'
import { account, region } from '../../../testing/house.ts'
import type { CallContext, ConditionValues } from '../../operation.ts'
import { bucket, encryptionSite, key, refused, sidecarOf } from '../testing/encryption-site.ts'
import { type CustomerHeaders, parseCustomerKey } from './customer-key.ts'
import { dataKeysOf, type SidecarOf } from './data-keys.ts'

const requests = 'Requests specifying Server Side Encryption with Customer provided keys must'
const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64')
const secret = Buffer.alloc(32, 7)
const good = { algorithm: 'AES256', key: secret.toString('base64'), md5: md5Of(secret) }
const none = { algorithm: undefined, key: undefined, md5: undefined }

const caller: Caller = {
  ...{ type: 'root', account, arn: `arn:aws:iam::${account}:root` },
  ...{ principalId: account, accessKeyId: 'AKIA' },
}

function callFrom(globalConditions: ConditionValues): CallContext {
  return { caller, region, now: 0, requestId: 'REQUEST', globalConditions }
}

const overTls = callFrom({ 'aws:SecureTransport': 'true', 'aws:SourceIp': '192.0.2.7' })

test('a key comes with its algorithm and its MD5, or not at all', () => {
  assert.equal(parseCustomerKey(overTls, none), undefined)
  assert.deepEqual(parseCustomerKey(overTls, good), { key: secret, md5: good.md5 })
})

test('what of it is wrong is said in AWS’s words', () => {
  const short = Buffer.alloc(10, 7)
  const cases: readonly [Partial<CustomerHeaders>, string, string][] = [
    [
      { algorithm: undefined },
      'InvalidArgument',
      `${requests} provide a valid encryption algorithm.`,
    ],
    [
      { ...none, md5: good.md5 },
      'InvalidArgument',
      `${requests} provide a valid encryption algorithm.`,
    ],
    [
      { algorithm: 'AES512' },
      'InvalidEncryptionAlgorithmError',
      'The Encryption request you specified is not valid. Supported value: AES256.',
    ],
    [{ key: undefined }, 'InvalidArgument', `${requests} provide an appropriate secret key.`],
    [
      { md5: undefined },
      'InvalidArgument',
      `${requests} provide the client calculated MD5 of the secret key.`,
    ],
    [
      { key: short.toString('base64'), md5: md5Of(short) },
      'InvalidArgument',
      'The secret key was invalid for the specified algorithm.',
    ],
    [
      { key: `${good.key.slice(0, -1)} ` },
      'InvalidArgument',
      'The secret key was invalid for the specified algorithm.',
    ],
    [
      { md5: md5Of(short) },
      'InvalidArgument',
      'The calculated MD5 hash of the key did not match the hash that was provided.',
    ],
    // The MD5 is looked at before the length.
    [
      { key: short.toString('base64') },
      'InvalidArgument',
      'The calculated MD5 hash of the key did not match the hash that was provided.',
    ],
  ]
  for (const [wrong, code, text] of cases) {
    const headers = { ...good, ...wrong }
    assert.throws(() => parseCustomerKey(overTls, headers), refused(code, text), text)
  }
})

test('no refusal says anything of the key', () => {
  for (const wrong of [{ md5: 'x' }, { key: `${good.key}=` }, { algorithm: undefined }]) {
    try {
      parseCustomerKey(overTls, { ...good, ...wrong })
      assert.fail('taken')
    } catch (error) {
      assert.equal(JSON.stringify(error).includes(good.key.slice(0, 40)), false)
    }
  }
})

test('a key travels over TLS, or not beyond this machine', () => {
  const from = (address: string, tls = 'false') =>
    callFrom({ 'aws:SecureTransport': tls, 'aws:SourceIp': address })
  for (const taken of [from('127.0.0.1'), from('::1'), from('192.0.2.7', 'true')]) {
    assert.ok(parseCustomerKey(taken, good))
  }
  const insecure = refused('InvalidRequest', `${requests} be made over a secure connection.`)
  for (const address of ['192.0.2.7', '2001:db8::1', '::', '12.7.0.1']) {
    assert.throws(() => parseCustomerKey(from(address), good), insecure, address)
  }
  assert.throws(() => parseCustomerKey(callFrom({}), good), insecure)
  assert.equal(parseCustomerKey(from('192.0.2.7'), none), undefined)
})

test('only its key opens an object, and what is missing or too much is said', async (t) => {
  const site = await encryptionSite(t)
  const customer = { key: Buffer.from(secret), md5: good.md5 }
  const made = await site.make({ mode: 'customer', customer })
  assert.deepEqual(made.stored, { mode: 'customer', keyMd5: good.md5 })
  assert.deepEqual(made.dataKeys, [secret])
  const sealed = await site.make({ mode: 'AES256', byDefault: true })
  const open = (kind: SidecarOf, given: Buffer | undefined, what = made) =>
    dataKeysOf(
      ...([site.call(), what.stored, sidecarOf(what), { bucket, key }] as const),
      given && { key: given, md5: md5Of(given) },
      site.deps,
      kind,
    )
  for (const kind of ['object', 'upload'] as const) {
    const [dataKey] = await open(kind, customer.key)
    assert.deepEqual(dataKey, secret)
    assert.notEqual(dataKey, customer.key)
  }
  const other = Buffer.alloc(32, 8)
  const unasked =
    'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate ' +
    'encryption parameters.'
  const stored =
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to ' +
    'retrieve the object.'
  const cases: readonly [SidecarOf, Buffer | undefined, typeof made, string, string][] = [
    ['object', undefined, made, 'InvalidRequest', stored],
    ['object', other, made, 'AccessDenied', `${requests} provide the correct secret key.`],
    [
      ...(['object', other, sealed, 'InvalidRequest'] as const),
      'The encryption parameters are not applicable to this object.',
    ],
    ['upload', undefined, made, 'InvalidRequest', unasked],
    ['upload', other, sealed, 'InvalidRequest', unasked],
    [
      ...(['upload', other, made, 'InvalidRequest'] as const),
      'The provided encryption parameters did not match the ones used originally.',
    ],
  ]
  for (const [kind, given, what, code, text] of cases) {
    await assert.rejects(open(kind, given, what), refused(code, text))
  }
  assert.deepEqual(site.recorded(), [])
})
