import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { OperatorError } from '../src/operator/socket.ts'
import { copyLimits } from './reencrypt-copy.ts'
import { encryptionIn, type Rule, readRule, standingOf } from './reencrypt-rule.ts'
import { type Place, Reencryption, type RunOptions } from './reencrypt-run.ts'
import { readState, type StateOf, writeState } from './reencrypt-state.ts'
import { failureText } from './reencrypt-text.ts'
import { S3Client, S3Failure } from './s3-client.ts'
import { FakeS3, failure } from './testing/fake-s3.ts'

const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const other = 'arn:aws:kms:us-east-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab'
const sse = 'x-amz-server-side-encryption'
const sseS3 = { [sse]: 'AES256' }
const under = (key: string, bucketKey = true) => ({
  ...{ [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: key },
  ...(bucketKey && { [`${sse}-bucket-key-enabled`]: 'true' }),
})

async function open(t: TestContext, rule = arn) {
  const fake = new FakeS3()
  const endpoint = await fake.start()
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's', sessionToken: undefined }
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, connections: 4 })
  t.after(async () => {
    client.close()
    await fake.stop()
  })
  fake.rule = `<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>${rule}</KMSMasterKeyID>`
  fake.bucketKey = true
  const places: Place[] = []
  const run = async (more: Partial<RunOptions> = {}) =>
    new Reencryption(client, {
      ...{ bucket: fake.bucket, prefix: '', rule: await readRule(client, fake.bucket) },
      ...{ dryRun: false, allowWeaker: false, limits: copyLimits, from: undefined },
      keep: (place) => places.push(structuredClone(place())),
      shown: () => {},
      signal: new AbortController().signal,
      ...more,
    }).run()
  return { fake, client, run, places }
}

const encryptions = (fake: FakeS3) =>
  [...fake.objects].map(([key, { headers }]) => [key, encryptionIn(headers).key])

describe('the rule', () => {
  const rule: Rule = { algorithm: 'aws:kms', keyName: arn, key: arn, bucketKey: true }
  test('and what an object is to it', () => {
    const cases: [Record<string, string>, Rule, string][] = [
      [under(arn), rule, 'right'],
      [under(arn, false), rule, 'other'],
      [under(other), rule, 'other'],
      [under(arn), { ...rule, key: arn.slice(-36) }, 'right'],
      [under(arn), { ...rule, key: arn.slice(-35) }, 'other'],
      [sseS3, rule, 'other'],
      [{ [sse]: 'aws:kms:dsse', [`${sse}-aws-kms-key-id`]: arn }, rule, 'weaker'],
      [under(arn), { ...rule, algorithm: 'AES256' }, 'weaker'],
      [sseS3, { ...rule, algorithm: 'AES256' }, 'right'],
      [under(arn), { ...rule, algorithm: 'aws:kms:dsse', bucketKey: false }, 'other'],
    ]
    for (const [headers, each, expected] of cases) {
      assert.equal(standingOf(encryptionIn(headers), each), expected, JSON.stringify(headers))
    }
  })

  test('has its alias told by KMS', async (t) => {
    const { fake, client } = await open(t, 'alias/books')
    await assert.rejects(readRule(client, fake.bucket), (error) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /alias\/books could not be learnt .*NotFoundException/)
      return true
    })
    fake.aliasArn = arn
    const read = await readRule(client, fake.bucket)
    assert.deepEqual(read, { ...rule, keyName: 'alias/books' })
  })

  test('that is unknown is refused', async (t) => {
    const { fake, client } = await open(t)
    fake.rule = '<SSEAlgorithm>rot13</SSEAlgorithm>'
    await assert.rejects(readRule(client, fake.bucket), /asks for 'rot13'/)
  })
})

describe('reencrypt', () => {
  test('copies what is not right, with odd keys, and nothing else', async (t) => {
    const { fake, run } = await open(t)
    const keys = ['a', 'b c', 'b+c', 'd/e//f', 'é', 'z%20', '../up', 'x&<y>', '日本']
    for (const key of keys) fake.put(key, sseS3)
    fake.put('right', under(arn))
    const { tally, failures, stopped } = await run()
    assert.equal(stopped, undefined)
    assert.equal(failures.count, 0)
    assert.deepEqual([tally.lookedAt, tally.right, tally.reencrypted, tally.bytes], [10, 1, 9, 90])
    assert.deepEqual(new Set(encryptions(fake).map(([, key]) => key)), new Set([arn]))
    const again = await run()
    assert.deepEqual([again.tally.right, again.tally.reencrypted], [10, 0])
    assert.equal(fake.count('PUT'), 9)
  })

  test('with --dry-run changes nothing', async (t) => {
    const { fake, run } = await open(t)
    for (const key of ['a', 'b', 'c', 'd']) fake.put(key, sseS3)
    const { tally } = await run({ dryRun: true })
    assert.deepEqual([tally.toReencrypt, tally.reencrypted, tally.bytes], [4, 0, 40])
    assert.deepEqual(new Set(fake.asked.map(({ method }) => method)), new Set(['GET', 'HEAD']))
  })

  test('keeps to its prefix', async (t) => {
    const { fake, run } = await open(t)
    for (const key of ['a/1', 'a/2', 'b/1']) fake.put(key, sseS3)
    const { tally } = await run({ prefix: 'a/' })
    assert.equal(tally.reencrypted, 2)
    assert.equal(encryptionIn(fake.objects.get('b/1')?.headers ?? {}).mode, 'AES256')
  })

  test('weakens nothing unless it is told to', async (t) => {
    const { fake, run } = await open(t)
    fake.rule = '<SSEAlgorithm>AES256</SSEAlgorithm>'
    fake.put('strong', under(arn))
    const left = await run()
    assert.deepEqual(left.tally.wouldBeWeaker, { count: 1, keys: ['strong'] })
    assert.equal(fake.count('PUT'), 0)
    const forced = await run({ allowWeaker: true })
    assert.equal(forced.tally.reencrypted, 1)
    assert.deepEqual(fake.objects.get('strong')?.headers, sseS3)
  })

  test('lists what is under keys of customers, and what was deleted meanwhile', async (t) => {
    const { fake, run } = await open(t)
    fake.put('c', {}, { customer: true })
    fake.put('d', sseS3)
    fake.fail = ({ method, path }) =>
      method !== 'GET' && path.endsWith('/d') ? failure(404, 'NoSuchKey', '') : undefined
    const { tally, failures } = await run()
    assert.deepEqual(tally.customerKeys, { count: 1, keys: ['c'] })
    assert.equal(tally.gone, 1)
    assert.equal(failures.count, 0)
  })

  test('leaves alone what is put while it is being copied', async (t) => {
    const { fake, run } = await open(t)
    fake.put('a', sseS3)
    fake.fail = ({ method }) => {
      const object = fake.objects.get('a')
      if (method === 'PUT' && object !== undefined) object.etag = '"newer"'
      return undefined
    }
    const { tally, failures } = await run()
    assert.equal(tally.reencrypted, 0)
    const [group] = failures.groups()
    assert.deepEqual([group?.code, group?.objects], ['PreconditionFailed', ['a']])
    assert.match(failureText(group ?? assert.fail()), /^Changed while they were copied/)
    assert.deepEqual(fake.objects.get('a')?.headers, sseS3)
  })

  test('takes a copy whose answer was lost for what it is', async (t) => {
    const { fake, run } = await open(t)
    fake.put('a', sseS3)
    let lost = 0
    fake.fail = ({ method }) => {
      if (method !== 'PUT' || lost > 0) return undefined
      lost += 1
      const object = fake.objects.get('a')
      if (object !== undefined) Object.assign(object, { etag: '"new"', headers: under(arn) })
      return failure(503, 'SlowDown', 'slower')
    }
    const { tally, failures } = await run()
    assert.deepEqual([lost, tally.right, failures.count], [1, 1, 0])
  })

  test('an error inside an answer of 200 is an error', async (t) => {
    const { fake, run } = await open(t)
    fake.put('a', sseS3)
    fake.fail = ({ method }) =>
      method === 'PUT' ? { ...failure(200, 'InternalError', 'late'), status: 200 } : undefined
    const { failures, tally } = await run()
    assert.equal(tally.reencrypted, 0)
    assert.equal(failures.groups()[0]?.code, 'InternalError')
  })

  test('says which key is refused, and for how many objects', async (t) => {
    const { fake, run } = await open(t)
    for (let at = 0; at < 12; at += 1) fake.put(`k${at}`, at % 2 === 0 ? under(other) : sseS3)
    fake.fail = ({ method, path }) => {
      const number = Number(/k(\d+)/.exec(path)?.[1])
      return method === 'PUT' && number % 2 === 0
        ? failure(403, 'AccessDenied', `not authorized to perform: kms:Decrypt on ${other} because`)
        : undefined
    }
    const { tally, failures } = await run()
    assert.equal(tally.reencrypted, 6)
    const [group, ...rest] = failures.groups()
    assert.equal(rest.length, 0)
    assert.deepEqual([group?.code, group?.key, group?.count], ['AccessDenied', other, 6])
    assert.match(
      failureText(group ?? assert.fail()),
      /^AccessDenied on key arn:.*99999999-\S+: 6 objects \(k0, k10, k2, …\)/,
    )
  })

  test('ends where nothing that follows could fare better', async (t) => {
    const { fake, run, places } = await open(t)
    for (let at = 0; at < 40; at += 1) fake.put(`k${100 + at}`, sseS3)
    fake.fail = ({ method, path }) =>
      method === 'PUT' && path.endsWith('/k120')
        ? failure(400, 'ExpiredToken', 'The provided token has expired.')
        : undefined
    const { stopped, tally, failures } = await run()
    assert.match(stopped ?? '', /^ExpiredToken: The provided token/)
    assert.equal(failures.count, 0)
    assert.ok(tally.reencrypted >= 20 && tally.reencrypted < 30, String(tally.reencrypted))
    assert.equal(places.at(-1)?.after, 'k119', 'the next one was not done')
    assert.equal(places.at(-1)?.tally.lookedAt, 20)
  })

  test('goes on from where it was, and tries again what failed', async (t) => {
    const { fake, run, places } = await open(t)
    for (let at = 0; at < 20; at += 1) fake.put(`k${100 + at}`, sseS3)
    const stop = new AbortController()
    fake.fail = ({ method, path }) => {
      if (method === 'PUT' && path.endsWith('/k112')) stop.abort()
      return method === 'PUT' && path.endsWith('/k103')
        ? failure(403, 'AccessDenied', '')
        : undefined
    }
    const first = await run({ signal: stop.signal })
    assert.match(first.stopped ?? '', /told to stop/)
    const place = places.at(-1)
    assert.deepEqual(place?.failed, ['k103'])
    fake.fail = () => undefined
    fake.asked.length = 0
    const second = await run({ from: place })
    assert.equal(second.stopped, undefined)
    assert.equal(second.failures.count, 0)
    assert.equal(second.tally.lookedAt, 20)
    assert.equal(second.tally.reencrypted, 20)
    const looked = fake.asked.filter(({ method }) => method === 'HEAD').map(({ path }) => path)
    assert.ok(looked.includes('/books/k103') && !looked.includes('/books/k104'), looked.join())
    assert.deepEqual(places.at(-1)?.failed, [])
  })

  test('copies large objects in parts, with all that is said of them', async (t) => {
    const { fake, run } = await open(t)
    const headers = {
      ...sseS3,
      ...{ 'content-type': 'text/x', 'x-amz-meta-who': 'ann' },
      ...{ 'x-amz-checksum-crc32': 'abc=', 'x-amz-checksum-type': 'COMPOSITE' },
    }
    fake.put('large', headers, { size: 250, tags: { of: 'a n/b' } })
    const limits = { copyBytesMax: 100, partBytes: 100 }
    const { tally } = await run({ limits })
    assert.equal(tally.reencrypted, 1)
    const object = fake.objects.get('large')
    assert.deepEqual([object?.size, object?.etag], [250, '"whole-3"'])
    assert.deepEqual(object?.tags, { of: 'a n/b' })
    assert.deepEqual(
      [object?.headers['content-type'], object?.headers['x-amz-meta-who']],
      ['text/x', 'ann'],
    )
    assert.equal(encryptionIn(object?.headers ?? {}).key, arn)
    const created = fake.asked.find(({ path }) => path.endsWith('?uploads='))
    assert.equal(created?.headers['x-amz-checksum-algorithm'], 'CRC32')
    assert.equal(created?.headers['x-amz-checksum-type'], 'COMPOSITE')
    fake.put('large', headers, { size: 250 })
    fake.fail = ({ path }) =>
      path.includes('partNumber=2') ? failure(403, 'AccessDenied', 'no') : undefined
    const failed = await run({ limits })
    assert.equal(failed.failures.count, 1)
    assert.equal(fake.uploads.size, 0, 'the upload was aborted')
  })

  test('counts older versions, where it may', async (t) => {
    const { fake, run } = await open(t)
    fake.put('a', { ...under(arn), 'x-amz-version-id': 'v1' })
    assert.equal((await run()).olderVersions, undefined)
    fake.olderVersions = 3
    assert.equal((await run()).olderVersions, 3)
    fake.objects.clear()
    fake.put('a', under(arn))
    assert.equal((await run()).olderVersions, 0, 'a bucket without versions')
  })

  test('a listing that is refused says so', async (t) => {
    const { fake, run } = await open(t)
    fake.fail = ({ path }) =>
      path.includes('list-type') ? failure(403, 'AccessDenied', 'Access Denied') : undefined
    const { stopped } = await run()
    assert.equal(stopped, 'AccessDenied: Access Denied')
  })

  test('a service that is not there is said, not waited for', async () => {
    const client = new S3Client({
      endpoint: new URL('http://127.0.0.1:1'),
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: undefined },
      connections: 1,
    })
    await assert.rejects(readRule(client, 'books'), { name: 'Unreachable' })
    client.close()
  })

  test('an answer that is no XML is a failure', async (t) => {
    const { fake, client } = await open(t)
    fake.fail = () => ({ status: 200, body: '<!DOCTYPE x><a/>' })
    await assert.rejects(
      readRule(client, fake.bucket),
      (error) => error instanceof S3Failure && error.code === 'NotUnderstood',
    )
  })
})

describe('the state', () => {
  const of: StateOf = {
    ...{ endpoint: 'http://h', bucket: 'books', prefix: '', allowWeaker: false },
    rule: { algorithm: 'AES256', keyName: undefined, key: undefined, bucketKey: false },
  }
  const tally = { lookedAt: 1 } as Place['tally']

  test('is gone on with by whoever does the same', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kagiban-state-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'state')
    assert.equal(readState(file, of), undefined)
    const state = { version: 1, ...of, after: 'k', failed: ['a'], tally } as const
    // What a kill left behind.
    writeFileSync(`${file}.new`, 'half')
    writeState(file, state)
    writeState(file, { ...state, after: 'l' })
    assert.deepEqual(readState(file, of), JSON.parse(readFileSync(file, 'utf8')))
    assert.equal(readState(file, of)?.after, 'l')
    const rule = { ...of.rule, algorithm: 'aws:kms' } as const
    assert.equal(readState(file, { ...of, rule }), undefined, 'of another rule')
    for (const each of [
      { bucket: 'b' },
      { prefix: 'p' },
      { endpoint: 'x' },
      { allowWeaker: true },
    ]) {
      assert.throws(() => readState(file, { ...of, ...each }), /is of s3:\/\/books\/ at http:\/\/h/)
    }
    for (const text of ['', '{}', '{"version":1}', '[]', 'null']) {
      writeFileSync(file, text)
      assert.throws(() => readState(file, of), /is no state of a re-encryption/)
    }
  })
})
