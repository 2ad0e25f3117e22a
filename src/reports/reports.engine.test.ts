import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { OperatorError, sendCommand, socketName } from '../operator/socket.ts'
import { account, EngineFolder, type Running, region } from '../testing/engine-folder.ts'
import type { Report, Row } from './report.ts'

const Plaintext = Buffer.from('text').toString('base64')
const root = `arn:aws:iam::${account}:root`

async function setUp(context: TestContext) {
  const folder = new EngineFolder(context)
  const running = await folder.start()
  const report = (input: object) =>
    sendCommand(
      join(folder.path, 'run', socketName('main')),
      'report',
      { operator: 'mona', ...input },
      () => {},
    ) as Promise<Report>
  return { folder, running, report }
}

async function ok(running: Running, operation: string, input: object) {
  const { status, body } = await running.call(operation, input)
  assert.equal(status, 200, `${operation} ${JSON.stringify(body)}`)
  return body
}

async function newKey(running: Running): Promise<string> {
  const { KeyMetadata } = await ok(running, 'CreateKey', {})
  return (KeyMetadata as { Arn: string }).Arn
}

const brief = (row: Row) =>
  [row['operation'], row['outcome'], row['error'], row['inPeriod'], row['principal']] as const

describe('reports over a running service', () => {
  test('key-use and last use are exact, over a restart and an index made anew', async (t) => {
    const { folder, running, report } = await setUp(t)
    const key = await newKey(running)
    const other = await newKey(running)
    const { CiphertextBlob } = await ok(running, 'Encrypt', { KeyId: key, Plaintext })
    for (let count = 0; count < 3; count += 1) await ok(running, 'Decrypt', { CiphertextBlob })
    await ok(running, 'ReEncrypt', { CiphertextBlob, DestinationKeyId: other })
    await ok(running, 'DisableKey', { KeyId: key })
    assert.equal((await running.call('Decrypt', { CiphertextBlob })).error, 'DisabledException')
    const first = await report({ report: 'key-use', key })
    assert.deepEqual(first.rows.map(brief), [
      ['CreateKey', 'allowed', undefined, 1, root],
      ['Decrypt', 'allowed', undefined, 3, root],
      ['DisableKey', 'allowed', undefined, 1, root],
      ['Encrypt', 'allowed', undefined, 1, root],
      ['ReEncrypt', 'allowed', undefined, 1, root],
      ['Decrypt', 'failed', 'DisabledException', 1, root],
    ])
    const events = folder.events()
    for (const row of first.rows) {
      const named = events.filter(({ eventID }) => eventID === row['lastEvent'])
      assert.deepEqual(
        named.map(({ eventName, errorCode }) => [eventName, errorCode]),
        [[row['operation'], row['error']]],
      )
    }
    const lastOf = async (one: Running, KeyId: string) =>
      (await ok(one, 'GetKeyLastUsage', { KeyId }))['KeyLastUsage'] as Record<string, unknown>
    const reEncrypted = events.find(({ eventName }) => eventName === 'ReEncrypt')
    for (const each of [key, other]) {
      const last = await lastOf(running, each)
      assert.equal(last['Operation'], 'ReEncrypt')
      assert.equal(last['CloudTrailEventId'], reEncrypted?.eventID)
    }
    await running.stop()
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(folder.path, 'index', `main.db${suffix}`), { force: true })
    }
    const again = await folder.start()
    const second = await report({ report: 'key-use', key })
    const counted = second.rows.filter((row) => row['operation'] !== 'GetKeyLastUsage')
    assert.deepEqual(counted, first.rows)
    assert.equal((await lastOf(again, other))['Operation'], 'ReEncrypt')
    const asked = folder.events().filter(({ eventName }) => eventName === 'Report')
    assert.deepEqual(
      asked.map(({ serviceEventDetails }) => serviceEventDetails),
      [
        { report: 'key-use', key },
        { report: 'key-use', key },
      ],
    )
  })

  test('periods leave out what was before or after', async (t) => {
    const { running, report } = await setUp(t)
    const key = await newKey(running)
    const none = await report({ report: 'key-use', key, until: '2d', since: '30d' })
    assert.deepEqual([none.rows, none.truncated], [[], false])
    assert.ok(none.blindSpots.length > 0)
    const some = await report({ report: 'key-use', key, since: '0d' })
    assert.equal(some.rows.length, 1)
  })

  test('unused, disabled and rotated keys, and what failed while one was disabled', async (t) => {
    const { running, report } = await setUp(t)
    const [used, idle, off] = [await newKey(running), await newKey(running), await newKey(running)]
    const { CiphertextBlob } = await ok(running, 'Encrypt', { KeyId: off, Plaintext })
    await ok(running, 'Encrypt', { KeyId: used, Plaintext })
    await ok(running, 'DisableKey', { KeyId: off })
    for (let count = 0; count < 2; count += 1) await running.call('Decrypt', { CiphertextBlob })
    await ok(running, 'EnableKeyRotation', { KeyId: used })
    await ok(running, 'RotateKeyOnDemand', { KeyId: used })
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    const period = { since: new Date(Date.now() + 2000).toISOString(), until: tomorrow }
    const unused = await report({ report: 'unused-keys', ...period })
    assert.deepEqual(
      unused.rows
        .map((row) => [row['key'], row['lastOperation'], row['failedWhileUnavailable']])
        .sort(),
      [
        [used, 'Encrypt', 0],
        [idle, undefined, 0],
        [off, 'Encrypt', 2],
      ].sort(),
    )
    assert.equal((await report({ report: 'unused-keys' })).summary['tooYoungToTell'], 3)
    const deletion = await report({ report: 'deletion' })
    const [row] = deletion.rows
    assert.deepEqual(
      [row?.['key'], row?.['state'], row?.['lastOperation'], row?.['failedWhileUnavailable']],
      [off, 'Disabled', 'Encrypt', 2],
    )
    assert.deepEqual(
      deletion.rows.slice(1).map(({ event }) => event),
      ['DisableKey'],
    )
    const rotation = await report({ report: 'rotation', key: used })
    assert.deepEqual(
      rotation.rows.map(({ kind, automatic, event }) => [kind, automatic, event]).sort(),
      [
        ['key', true, undefined],
        ['event', undefined, 'EnableKeyRotation'],
        ['event', undefined, 'RotateKey'],
        ['event', undefined, 'RotateKeyOnDemand'],
      ].sort(),
    )
  })

  test('grants, and who may use a key and never did', async (t) => {
    const { running, report } = await setUp(t)
    const key = await newKey(running)
    const make = async () =>
      String(
        (
          await ok(running, 'CreateGrant', {
            ...{ KeyId: key, GranteePrincipal: root, Operations: ['Decrypt'] },
          })
        )['GrantId'],
      )
    const [present, gone] = [await make(), await make()]
    await ok(running, 'RevokeGrant', { KeyId: key, GrantId: gone })
    const grants = await report({ report: 'grants', key })
    const byId = new Map(grants.rows.map((row) => [row['grant'], row]))
    assert.deepEqual([...byId.keys()].sort(), [present, gone].sort())
    assert.equal(byId.get(present)?.['state'], 'present')
    assert.equal(byId.get(gone)?.['state'], 'ended')
    assert.equal(byId.get(gone)?.['grantee'], root)
    assert.equal(byId.get(gone)?.['uses'], 0)
    assert.equal(typeof byId.get(gone)?.['endEvent'], 'string')
    const permissionsOfRoot = async () => {
      const { rows } = await report({ report: 'allowed-but-never-used', key })
      const permissions = rows.filter(
        ({ what, principal }) => what === 'permission' && principal === root,
      )
      return { rows, permissions: permissions.map(({ permission }) => permission) }
    }
    const before = await permissionsOfRoot()
    assert.ok(before.permissions.includes('kms:Encrypt'))
    assert.ok(!before.permissions.includes('kms:CreateGrant'))
    assert.ok(before.rows.some(({ what, grant }) => what === 'grant' && grant === present))
    await ok(running, 'Encrypt', { KeyId: key, Plaintext })
    assert.ok(!(await permissionsOfRoot()).permissions.includes('kms:Encrypt'))
  })

  test('privileged use names each reason', async (t) => {
    const { running, report } = await setUp(t)
    const key = await newKey(running)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
    })
    await ok(running, 'PutKeyPolicy', { KeyId: key, Policy, BypassPolicyLockoutSafetyCheck: true })
    await report({ report: 'key-use' })
    const { rows } = await report({ report: 'privileged-use' })
    const found = rows.map(({ event, why }) => [event, why])
    for (const expected of [
      ['PutKeyPolicy', 'root, lockout bypass, policy'],
      ['CreateKey', 'root'],
      ['Report', 'operator'],
    ]) {
      assert.ok(
        found.some((each) => JSON.stringify(each) === JSON.stringify(expected)),
        JSON.stringify(found),
      )
    }
    assert.deepEqual((await report({ report: 'privileged-use', region: 'eu-west-9' })).rows, [])
    assert.deepEqual((await report({ report: 'cross-account-use' })).rows, [])
  })

  test('what is not understood is refused, and what is damaged is an error', async (t) => {
    const { folder, running, report } = await setUp(t)
    const key = await newKey(running)
    const refusals: [object, RegExp][] = [
      [{ report: 'nothing' }, /no report 'nothing'/],
      [{}, /no report ''/],
      [{ report: 'log-integrity' }, /no report 'log-integrity'/],
      [{ report: 'key-use', key: 'alias/none' }, /There is no key alias\/none/],
      [{ report: 'allowed-but-never-used' }, /needs --key/],
      [{ report: 'allowed-but-never-used', key, region }, /takes no region/],
      [{ report: 'object-access' }, /needs --object/],
      [{ report: 'object-access', object: 'bucket' }, /An object is s3:/],
      [{ report: 'object-access', object: 's3://bucket/' }, /An object is s3:/],
      [{ report: 'key-use', since: 'yesterday' }, /--since 'yesterday'/],
      [{ report: 'key-use', since: '2026-01-01', until: '2025-01-01' }, /ends before it begins/],
      [{ report: 'key-use', account: '1' }, /twelve digits/],
      [{ report: 'key-use', limit: 0 }, /--limit/],
      [{ report: 'key-use', limit: 1e6 }, /--limit/],
    ]
    const before = folder.events().length
    for (const [input, reason] of refusals) {
      await assert.rejects(report(input), (error) => {
        assert.ok(error instanceof OperatorError, String(error))
        assert.match(error.message, reason)
        return true
      })
    }
    assert.equal(folder.events().length, before, 'a refusal is no report')
    const gone = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
    assert.deepEqual((await report({ report: 'key-use', key: gone })).rows, [])
    assert.deepEqual((await report({ report: 'object-access', object: 's3://b/k' })).rows, [])
    const one = await report({ report: 'privileged-use', limit: 1 })
    assert.deepEqual([one.rows.length, one.truncated], [1, true])
    // What is counted comes from the index; what is told of each record is read where it stands.
    const segment = join(folder.path, 'journal', 'main', '00000001.seg')
    const whole = readFileSync(segment)
    const damaged = Buffer.from(whole)
    const place = whole.indexOf('"eventName":"CreateKey"')
    damaged.writeUInt8(damaged.readUInt8(place) ^ 1, place)
    writeFileSync(segment, damaged)
    await assert.rejects(report({ report: 'privileged-use' }), (error) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /^The record could not be read: .*00000001.seg/)
      return true
    })
    writeFileSync(segment, whole)
    assert.ok((await report({ report: 'privileged-use' })).rows.length > 0)
  })
})
