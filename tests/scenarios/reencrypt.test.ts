import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketEncryptionCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type ServerSideEncryptionByDefault,
} from '@aws-sdk/client-s3'
import { type CopyLimits, copyLimits } from '../../cli/reencrypt-copy.ts'
import { type Rule, readRule } from '../../cli/reencrypt-rule.ts'
import { Reencryption } from '../../cli/reencrypt-run.ts'
import { S3Client as OwnClient } from '../../cli/s3-client.ts'
import type { Report } from '../../src/reports/report.ts'
import { auditExport, kagibanOk, run } from '../support/cli.ts'
import { clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { addUser, documentOf } from '../support/iam-people.ts'
import { clientOf } from '../support/s3-world.ts'
import { projectRoot, TestServer } from '../support/server.ts'
import type { Credentials } from '../support/signer.ts'

const Bucket = 'books'
const script = join(projectRoot, 'cli/kagiban.mjs')

type Summary = {
  readonly [name in 'lookedAt' | 'right' | 'reencrypted' | 'toReencrypt' | 'failed']: number
} & {
  readonly olderVersions: number | null
  readonly complete: boolean
  readonly customerKeys: { readonly count: number; readonly keys: readonly string[] }
  readonly wouldBeWeaker: { readonly count: number }
  readonly failures: readonly {
    readonly code: string
    readonly key?: string
    readonly count: number
    readonly message: string
  }[]
}

function environmentOf(server: TestServer, credentials: Credentials = server.credentials) {
  const { PATH, HOME, TMPDIR } = process.env
  return {
    ...{ PATH, HOME, TMPDIR, AWS_REGION: server.region, AWS_ENDPOINT_URL: server.endpoint },
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}

async function reencrypt(server: TestServer, credentials: Credentials, ...args: string[]) {
  const all = [script, 'reencrypt', `s3://${Bucket}`, '--json', ...args]
  const { code, stdout, stderr } = await run(process.execPath, all, {
    env: environmentOf(server, credentials),
  })
  assert.equal(stderr, '')
  return { code, summary: JSON.parse(stdout) as Summary }
}

async function open(t: TestContext) {
  const server = await TestServer.start()
  const clients = clientsOf(server)
  const s3 = clientOf(server)
  t.after(async () => {
    clients.destroy()
    s3.destroy()
    await server.discard()
  })
  await s3.send(new CreateBucketCommand({ Bucket }))
  const newKey = async () =>
    present((await clients.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn)
  const setRule = (rule: ServerSideEncryptionByDefault, BucketKeyEnabled = true) =>
    s3.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: rule, BucketKeyEnabled }],
        },
      }),
    )
  const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }))
  const read = async (Key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return Buffer.from(await present(Body).transformToByteArray())
  }
  const put = (Key: string, Body: Buffer | string, more: object = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
  return { server, clients, s3, newKey, setRule, head, read, put }
}

function ownClientOf({ endpoint, region, credentials }: TestServer): OwnClient {
  return new OwnClient({
    ...{ endpoint: new URL(endpoint), region, connections: 2 },
    credentials: { ...credentials, sessionToken: undefined },
  })
}

/** In this process, with limits of one's own. */
function runOf(client: OwnClient, rule: Rule, limits: CopyLimits) {
  return new Reencryption(client, {
    ...{ bucket: Bucket, prefix: '', from: undefined, dryRun: false, allowWeaker: false },
    ...{ rule, limits, keep: () => {}, shown: () => {}, signal: new AbortController().signal },
  }).run()
}

async function coverage(server: TestServer): Promise<Report> {
  const args = ['report', 'encryption-coverage', '--bucket', Bucket, '--json']
  return JSON.parse(await kagibanOk(...args, '--data', server.data)) as Report
}

describe('reencrypt', () => {
  test('works with the rights of whoever runs it, and no others', async (t) => {
    const { server, clients, s3, newKey, setRule, head, read, put } = await open(t)
    const [oldKey, key] = [await newKey(), await newKey()]
    const bodies = new Map<string, string>()
    for (const name of ['a', 'b c+d', 'e//f', 'é&<x>', '', 'z'].map((each) => `dir/${each}`)) {
      const body = name === 'dir/z' ? '' : `content of ${name}`
      bodies.set(name, body)
      await put(name, Buffer.from(body), {
        ...{ ContentType: 'text/x-note', Metadata: { who: 'ann' }, Tagging: 'of=note&to=all' },
      })
    }
    bodies.set('old', 'under the old key')
    await put('old', 'under the old key', {
      ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: oldKey },
    })
    await clients.kms.send(new CreateAliasCommand({ AliasName: 'alias/books', TargetKeyId: key }))
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'alias/books' })

    const before = await coverage(server)
    assert.deepEqual([before.summary['versions'], before.summary['notAsRule']], [7, 7])
    const [rule] = before.rows
    assert.deepEqual([rule?.['key'], rule?.['keyState']], [key, 'Enabled'])
    const record = await auditExport(server.data)
    const change = record.find(({ eventName }) => eventName === 'PutBucketEncryption')
    assert.equal(rule?.['event'], change?.eventID)
    assert.equal(record.filter(({ eventName }) => eventName === 'Decrypt').length, 0)

    const etags = new Map<string, string | undefined>()
    for (const name of bodies.keys()) etags.set(name, (await head(name)).ETag)
    const unchanged = async () => {
      for (const [name, etag] of etags) assert.equal((await head(name)).ETag, etag, name)
    }
    const dry = await reencrypt(server, server.credentials, '--dry-run')
    assert.deepEqual([dry.code, dry.summary.toReencrypt, dry.summary.reencrypted], [0, 7, 0])
    await unchanged()

    const worker = await addUser(clients.iam, 'worker')
    const allow = (...keys: readonly string[]) => {
      const ofKeys = {
        Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
        Resource: keys,
      }
      const statements = [{ Action: 's3:*', Resource: '*' }, ...(keys.length > 0 ? [ofKeys] : [])]
      return clients.iam.send(
        new PutUserPolicyCommand({
          ...{ UserName: 'worker', PolicyName: 'own' },
          PolicyDocument: documentOf(statements.map((each) => ({ Effect: 'Allow', ...each }))),
        }),
      )
    }
    await allow()
    const args = [script, 'reencrypt', `s3://${Bucket}`]
    const unnamed = await run(process.execPath, args, {
      env: environmentOf(server, worker.credentials),
    })
    assert.deepEqual([unnamed.code, unnamed.stdout], [1, ''])
    assert.match(
      unnamed.stderr,
      /alias\/books could not be learnt \(kms:DescribeKey\): AccessDenied/,
    )
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key })
    const without = await reencrypt(server, worker.credentials)
    assert.deepEqual([without.code, without.summary.failed, without.summary.reencrypted], [1, 7, 0])
    assert.deepEqual(
      new Set(without.summary.failures.map(({ code }) => code)),
      new Set(['AccessDenied']),
    )
    await unchanged()

    await allow(key)
    const some = await reencrypt(server, worker.credentials)
    assert.deepEqual([some.code, some.summary.reencrypted, some.summary.failed], [1, 6, 1])
    const [refused] = some.summary.failures
    assert.deepEqual([refused?.code, refused?.key], ['AccessDenied', oldKey])
    await allow(key, oldKey)
    const rest = await reencrypt(server, worker.credentials)
    assert.deepEqual([rest.code, rest.summary.reencrypted, rest.summary.right], [0, 1, 6])

    for (const [name, body] of bodies) {
      const found = await head(name)
      assert.deepEqual([found.SSEKMSKeyId, found.BucketKeyEnabled], [key, true], name)
      assert.equal((await read(name)).toString(), body)
      if (name === 'old') continue
      assert.deepEqual([found.ContentType, found.Metadata], ['text/x-note', { who: 'ann' }])
      const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: name }))
      assert.deepEqual(TagSet, [
        { Key: 'of', Value: 'note' },
        { Key: 'to', Value: 'all' },
      ])
    }
    const after = await coverage(server)
    assert.deepEqual([after.summary['versions'], after.summary['notAsRule']], [7, 0])
    const copies = (await auditExport(server.data)).filter(
      ({ eventName, errorCode }) => eventName === 'CopyObject' && errorCode === undefined,
    )
    assert.deepEqual(
      copies.map(({ userIdentity }) => userIdentity.arn),
      Array.from({ length: 7 }, () => worker.arn),
    )
  })

  test('leaves versions as they are, weakens nothing, and says which keys are about to go', async (t) => {
    const { server, clients, s3, newKey, setRule, head, put } = await open(t)
    const key = await newKey()
    await s3.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    )
    for (const name of ['a', 'b', 'c']) await put(name, name)
    await put('a', 'newer')
    const customerKey = randomBytes(32)
    await put('mine', 'own key', {
      ...{ SSECustomerAlgorithm: 'AES256', SSECustomerKey: customerKey.toString('base64') },
      SSECustomerKeyMD5: createHash('md5').update(customerKey).digest('base64'),
    })
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'unfinished' }))
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key })
    const { code, summary } = await reencrypt(server, server.credentials)
    assert.deepEqual([code, summary.reencrypted, summary.olderVersions], [3, 3, 4])
    assert.deepEqual(summary.customerKeys, { count: 1, keys: ['mine'] })
    const after = await coverage(server)
    const names = ['versions', 'notAsRule', 'notAsRuleLatest', 'uploads', 'uploadsNotAsRule']
    assert.deepEqual(
      names.map((name) => after.summary[name]),
      // Those of one key that nobody but its owner can put anew, and the four older ones.
      [8, 5, 1, 1, 1],
    )
    await setRule({ SSEAlgorithm: 'AES256' }, false)
    const kept = await reencrypt(server, server.credentials)
    assert.deepEqual([kept.code, kept.summary.wouldBeWeaker.count], [3, 3])
    assert.equal((await head('a')).SSEKMSKeyId, key)
    await clients.kms.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }))
    const { summary: told, rows } = await coverage(server)
    assert.equal(told['aboutToBecomeUnreadable'], 3)
    const row = rows.find((each) => each['kind'] === 'objects' && each['key'] === key)
    assert.equal(row?.['keyState'], 'PendingDeletion')
    assert.match(
      String(row?.['warning']),
      /^about to become unreadable for ever, the key is deleted on/,
    )
    await server.stop()
    const { summary: stopped } = await coverage(server)
    assert.deepEqual(stopped, told, 'the service need not run')
  })

  test('goes on where a kill ended it', async (t) => {
    const { server, newKey, setRule, head, read, put } = await open(t)
    const names = Array.from({ length: 400 }, (_, at) => `k${1000 + at}`)
    for (let at = 0; at < names.length; at += 20) {
      await Promise.all(names.slice(at, at + 20).map((name) => put(name, `${name} `.repeat(100))))
    }
    const key = await newKey()
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key })
    const state = join(server.data, '..', 'books.state')
    const args = [script, 'reencrypt', `s3://${Bucket}`, '--state', state]
    const kept = () => (existsSync(state) ? readFileSync(state, 'utf8') : '')
    // By the first run at once, by the second a little later.
    for (const changes of [1, 3]) {
      const child = spawn(process.execPath, args, { env: environmentOf(server), stdio: 'ignore' })
      const ended = once(child, 'exit')
      let [before, seen] = [kept(), 0]
      while (seen < changes && child.exitCode === null) {
        await sleep(5)
        const now = kept()
        if (now !== before) seen += 1
        before = now
      }
      child.kill('SIGKILL')
      const [, signal] = await ended
      assert.equal(signal, 'SIGKILL')
    }
    assert.ok(existsSync(state), 'it was killed before its end')
    const { after } = JSON.parse(readFileSync(state, 'utf8')) as { after: string }
    const { code, summary } = await reencrypt(server, server.credentials, '--state', state)
    assert.deepEqual([code, summary.lookedAt, summary.complete], [0, 400, true])
    assert.ok(!existsSync(state), 'nothing is left to do')
    for (const name of names) assert.equal((await head(name)).SSEKMSKeyId, key, name)
    for (const name of names.slice(0, 20)) {
      assert.equal((await read(name)).toString(), `${name} `.repeat(100))
    }
    const heads = (await auditExport(server.data)).filter(
      ({ eventName, requestParameters }) =>
        eventName === 'HeadObject' && requestParameters?.['key'] === 'k1000',
    )
    // Once by the first run and once by this test.
    assert.equal(heads.length, 2, `looked at again, though everything to ${after} was done`)
  })

  test('what is put while it is copied is neither copied nor replaced', async (t) => {
    const { server, newKey, setRule, head, read, put } = await open(t)
    for (const name of ['a', 'b']) await put(name, `old ${name}`)
    const key = await newKey()
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key })
    const client = ownClientOf(server)
    const object: OwnClient['object'] = client.object.bind(client)
    const plain = { ServerSideEncryption: 'AES256' }
    let changed = 0
    client.object = async (method, bucket, name, request) => {
      // Between the look at it and its copy, in one part or in several.
      if (method !== 'HEAD' && changed < 2) {
        changed += 1
        for (const each of ['a', 'b'])
          await put(each, `new ${randomBytes(8).toString('hex')}`, plain)
      }
      return object(method, bucket, name, request)
    }
    const limits = { copyBytesMax: 5, partBytes: 5 * 1024 * 1024 }
    for (const each of [copyLimits, limits]) {
      changed = 0
      const { failures } = await runOf(client, await readRule(client, Bucket), each)
      const [group, ...others] = failures.groups()
      assert.deepEqual([group?.code, others], ['PreconditionFailed', []])
    }
    for (const name of ['a', 'b']) {
      assert.match((await read(name)).toString(), /^new/)
      assert.equal((await head(name)).ServerSideEncryption, 'AES256')
    }
    client.close()
  })

  test('copies what is large in parts', async (t) => {
    const { server, s3, newKey, setRule, head, read } = await open(t)
    const mebibyte = 1024 * 1024
    const content = randomBytes(11 * mebibyte)
    await s3.send(
      new PutObjectCommand({
        ...{ Bucket, Key: 'large', Body: content, Tagging: 'a=b', ChecksumAlgorithm: 'CRC32' },
        ...{ ContentType: 'text/x-large', Metadata: { who: 'ann' } },
      }),
    )
    const key = await newKey()
    await setRule({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key })
    const client = ownClientOf(server)
    const { tally, failures } = await runOf(client, await readRule(client, Bucket), {
      ...{ copyBytesMax: 6 * mebibyte, partBytes: 5 * mebibyte },
    })
    client.close()
    assert.deepEqual(failures.groups(), [])
    assert.equal(tally.reencrypted, 1)
    const found = await head('large')
    assert.deepEqual(
      [found.SSEKMSKeyId, found.ContentType, found.Metadata, found.ContentLength],
      [key, 'text/x-large', { who: 'ann' }, content.length],
    )
    assert.match(found.ETag ?? '', /-3"$/)
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    assert.equal(digest(await read('large')), digest(content))
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'large' }))
    assert.deepEqual(TagSet, [{ Key: 'a', Value: 'b' }])
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }))
    assert.deepEqual(Uploads, [])
  })

  test('what it is told and does not understand is refused', async (t) => {
    const { server } = await open(t)
    const env = environmentOf(server)
    const cases: [readonly string[], NodeJS.ProcessEnv, number, RegExp][] = [
      [[], env, 2, /Give s3:\/\/BUCKET/],
      [['books'], env, 2, /'books' is not s3:\/\/BUCKET/],
      [['s3://books', '--endpoint', 'ftp://h'], env, 2, /endpoint 'ftp:\/\/h'/],
      [['s3://books', '--endpoint', 'http://h/path'], env, 2, /endpoint/],
      [['s3://books', '--dry-run', '--state', 'x'], env, 2, /--dry-run keeps no state/],
      [['s3://books'], { ...env, AWS_SECRET_ACCESS_KEY: '' }, 2, /have to be set/],
      [['s3://nobody'], env, 1, /NoSuchBucket/],
      [['s3://books'], { ...env, AWS_SECRET_ACCESS_KEY: 'x' }, 1, /SignatureDoesNotMatch/],
      [['s3://books', '--region', 'eu-west-1'], env, 1, /AuthorizationHeaderMalformed/],
    ]
    for (const [args, environment, expected, reason] of cases) {
      const all = [script, 'reencrypt', ...args]
      const { code, stdout, stderr } = await run(process.execPath, all, { env: environment })
      assert.deepEqual([code, stdout], [expected, ''], `${args.join(' ')} ${stderr}`)
      assert.match(stderr, reason)
    }
  })
})
