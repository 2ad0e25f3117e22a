import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { signedText } from '../../src/delivery/digest.ts'
import { gzipped } from '../../src/delivery/gzip.ts'
import { MemoryBuckets, type StoredFile } from '../../src/delivery/testing/buckets.ts'
import { delivered } from '../../src/delivery/testing/delivered.ts'
import { TestSigner } from '../../src/delivery/testing/signer.ts'
import { account, bucket, home, trailOf, World } from '../../src/delivery/testing/world.ts'
import { type TrailFault, verifyTrailFiles } from '../../src/delivery/trail-files.ts'
import { readEveryJournal, readRecords } from '../../src/journal/reader.ts'
import { kagiban, kagibanOk, run } from '../support/cli.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'
import { TrailBucketServer } from '../support/trail-bucket-server.ts'
import { awsCliMissing, awsEnvironment } from './environment.ts'

const missing = await awsCliMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`

type Files = Map<string, StoredFile>

describe('aws cloudtrail validate-logs over delivered files', { skip }, () => {
  let folder: string
  let world: World
  let files: Files
  let server: TrailBucketServer
  let endpoint: string
  const signer = new TestSigner()
  const begin = Date.UTC(2026, 0, 2, 3, 0, 0)

  before(async () => {
    folder = temporaryFolder()
    const buckets = new MemoryBuckets()
    buckets.owners.set(bucket, account)
    const clock = { time: begin, now: () => clock.time }
    world = await World.open({ folder, buckets, signer, clock })
    await world.change('CreateTrail', trailOf())
    await world.change('StartLogging', trailOf({ logging: true }))
    for (let hour = 0; hour < 4; hour++) {
      for (let round = 0; round < 12; round++) {
        if (round % 4 === 0) await world.event()
        await world.deliverAfter(300)
      }
    }
    files = new Map([...buckets.in(bucket)].filter(([key]) => key.includes(`/${home}/`)))
    const { arn, homeRegion } = trailOf()
    server = new TrailBucketServer({ arn, homeRegion, bucket }, await signer.publicKeys())
    endpoint = await server.listen()
  })

  after(async () => {
    await server?.close()
    await world?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function validate(served: Files) {
    server.files = served
    const { PATH, HOME, PYENV_ROOT, PYENV_VERSION } = process.env
    const result = await run(
      'aws',
      [
        ...['cloudtrail', 'validate-logs', '--trail-arn', trailOf().arn, '--verbose'],
        ...['--start-time', '2026-01-02T03:00:00Z', '--end-time', '2026-01-02T08:00:00Z'],
      ],
      {
        timeoutMs: 60_000,
        env: {
          ...{ PATH, HOME, PYENV_ROOT, PYENV_VERSION },
          AWS_ENDPOINT_URL: endpoint,
          AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'example',
          AWS_DEFAULT_REGION: home,
          AWS_CONFIG_FILE: '/dev/null',
          AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
          AWS_EC2_METADATA_DISABLED: 'true',
          PYTHONDONTWRITEBYTECODE: '1',
        },
      },
    )
    return result
  }

  function verify(downloaded: Files): readonly TrailFault[] {
    const journals = join(folder, 'journal')
    return verifyTrailFiles({
      files: { keys: downloaded.keys(), read: (key) => downloaded.get(key)?.body },
      *entries(kind) {
        if (kind === 'event') {
          for (const { record } of readEveryJournal(journals)) yield record
        } else {
          const options = { kinds: ['digest' as const] }
          for (const { record } of readRecords(join(journals, 'main'), options)) {
            if ((JSON.parse(record) as { awsRegion: string }).awsRegion === home) yield record
          }
        }
      },
    }).faults
  }

  test('all are valid', async () => {
    const { code, stdout, stderr } = await validate(files)
    assert.equal(code, 0, `${stdout}${stderr}`)
    const digests = delivered(files).digests.size
    const logs = delivered(files).logs.size
    assert.ok(digests >= 3, String(digests))
    assert.match(stdout, new RegExp(`${digests}/${digests} digest files valid`))
    const listed = [...delivered(files).digests.values()].flatMap(({ logFiles }) => logFiles)
    assert.match(stdout, new RegExp(`${listed.length}/${listed.length} log files valid`))
    assert.ok(listed.length > 0 && listed.length <= logs)
    assert.deepEqual(verify(files), [])
  })

  /** What the holder of the signing key can do to the digest in the middle: rewrite it and its log, and sign again. */
  async function resigned(source: Files): Promise<Files> {
    const altered = new Map(source)
    const digests = [...delivered(source).digests].filter(
      ([, digest]) => digest.logFiles.length > 0,
    )
    const [key, digest] = digests[1] ?? assert.fail('there is no such digest')
    const [listed, ...others] = digest.logFiles
    if (listed === undefined) assert.fail('it lists no file')
    const text = gunzipSync(source.get(listed.s3Object)?.body ?? Buffer.alloc(0)).toString()
    const log = gzipped(text.replaceAll('Decrypt', 'Encrypt'))
    altered.set(listed.s3Object, { body: log.body, metadata: {} })
    const logFiles = [{ ...listed, hashValue: log.sha256 }, ...others]
    const made = gzipped(JSON.stringify({ ...digest, logFiles }))
    const previous = digest.previousDigestSignature
    const link = { bucket, key: '', hash: '', signature: previous ?? 'null' }
    const end = Date.parse(digest.digestEndTime)
    const signed = signedText({ previous: link }, { end, bucket, key }, made.sha256)
    const { signature } = await signer.sign(home, signed)
    const metadata = { ...source.get(key)?.metadata, signature: signature.toString('hex') }
    return altered.set(key, { body: made.body, metadata })
  }

  const digestKeys = (source: Files) => [...delivered(source).digests.keys()].sort()
  const logKeys = (source: Files) => [...delivered(source).logs.keys()].sort()

  const attacks: [string, (source: Files) => Files | Promise<Files>, number, TrailFault['kind']][] =
    [
      [
        'change a log file',
        (source) => {
          const [key = ''] = logKeys(source)
          const text = gunzipSync(source.get(key)?.body ?? Buffer.alloc(0)).toString()
          const { body } = gzipped(text.replaceAll(account, '999999999999'))
          return new Map(source).set(key, { body, metadata: {} })
        },
        1,
        'altered-log',
      ],
      [
        'delete a digest in the middle',
        (source) => without(source, digestKeys(source)[1]),
        1,
        'missing-digest',
      ],
      [
        'change a digest without the key',
        (source) => {
          const [, key = ''] = digestKeys(source)
          const file = source.get(key)
          const text = gunzipSync(file?.body ?? Buffer.alloc(0)).toString()
          const { body } = gzipped(text.replace('"logFiles":[', '"logFiles":[ '))
          return new Map(source).set(key, { body, metadata: file?.metadata ?? {} })
        },
        1,
        'altered-digest',
      ],
      ['rewrite an old digest and its log, sign again', resigned, 0, 'altered-digest'],
      [
        'delete the newest digest',
        (source) => without(source, digestKeys(source).at(-1)),
        0,
        'missing-digest',
      ],
      [
        'add a log file that no digest lists',
        (source) => {
          const [key = ''] = logKeys(source)
          const added = key.replace(/_[A-Za-z0-9]{16}\./, '_AAAABBBBCCCCDDDD.')
          return new Map(source).set(added, source.get(key) ?? assert.fail('no log file'))
        },
        0,
        'unlisted-log',
      ],
    ]

  test('six attacks', async (context) => {
    const rows = [['attack', 'aws cloudtrail validate-logs', 'against the journal']]
    for (const [name, attack, cliCode, expected] of attacks) {
      const altered = await attack(files)
      const { code } = await validate(altered)
      const kinds = [...new Set(verify(altered).map(({ kind }) => kind))]
      rows.push([name, code === 0 ? 'valid (exit 0)' : `invalid (exit ${code})`, kinds.join(', ')])
      assert.equal(code, cliCode, `${name}: the AWS CLI`)
      assert.ok(kinds.includes(expected), `${name}: found ${kinds.join(', ') || 'nothing'}`)
    }
    for (const row of rows) context.diagnostic(row.map((cell) => cell.padEnd(46)).join(''))
  })

  test('a file that looks new and is forged is found by its events', () => {
    const record = { eventID: 'forged', recipientAccountId: account, awsRegion: home }
    const { body } = gzipped(JSON.stringify({ Records: [record] }))
    const key = `AWSLogs/${account}/CloudTrail/${home}/2026/01/09/${account}_CloudTrail_${home}_20260109T0000Z_AAAABBBBCCCCDDDD.json.gz`
    const faults = verify(new Map(files).set(key, { body, metadata: {} }))
    assert.deepEqual(
      faults.map(({ kind }) => kind),
      ['foreign-event'],
    )
  })
})

function without(source: Files, key: string | undefined): Files {
  const rest = new Map(source)
  assert.ok(rest.delete(key ?? ''))
  return rest
}

describe('trails of the real service, in its own buckets', { skip }, () => {
  const name = 'ledger'
  let server: TestServer
  let keyId: string

  before(async () => {
    const environment = {
      KAGIBAN_TRAIL_DELIVERY_SECONDS: '1',
      KAGIBAN_TRAIL_DIGEST_SECONDS: '3',
    }
    server = await TestServer.start({ environment })
    keyId = await ok('kms', 'create-key', '--query', 'KeyMetadata.Arn', '--output', 'text')
    await ok('s3api', 'create-bucket', '--bucket', name)
  })
  after(async () => {
    await server?.discard()
  })

  const aws = (...args: string[]) =>
    run('aws', args, { timeoutMs: 120_000, env: awsEnvironment(server) })
  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await aws(...args)
    assert.equal(code, 0, `aws ${args.join(' ')}: ${stdout}${stderr}`)
    return stdout.trim()
  }
  async function refused(error: string, ...args: string[]): Promise<void> {
    const { code, stderr } = await aws(...args)
    assert.notEqual(code, 0, `aws ${args.join(' ')}`)
    assert.match(stderr, new RegExp(`\\(${error}\\)`))
  }

  const service = { Service: 'cloudtrail.amazonaws.com' }
  const arn = () => `arn:aws:cloudtrail:${server.region}:${server.account}:trail/main`
  const toTrail = () => ({ StringEquals: { 'aws:SourceArn': arn() } })
  const bucketPolicy = () =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          ...{ Effect: 'Allow', Principal: service, Action: 's3:GetBucketAcl' },
          ...{ Resource: `arn:aws:s3:::${name}`, Condition: toTrail() },
        },
        {
          ...{ Effect: 'Allow', Principal: service, Action: 's3:PutObject' },
          Resource: `arn:aws:s3:::${name}/AWSLogs/${server.account}/*`,
          Condition: {
            StringEquals: {
              's3:x-amz-acl': 'bucket-owner-full-control',
              ...toTrail().StringEquals,
            },
          },
        },
      ],
    })
  const keyPolicy = () =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          ...{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${server.account}:root` } },
          ...{ Action: 'kms:*', Resource: '*' },
        },
        {
          ...{ Effect: 'Allow', Principal: service, Action: 'kms:GenerateDataKey*' },
          ...{ Resource: '*', Condition: toTrail() },
        },
      ],
    })

  test('are made when bucket and key let CloudTrail in', async () => {
    const create = [
      ...['cloudtrail', 'create-trail', '--name', 'main', '--is-multi-region-trail'],
      ...['--enable-log-file-validation', '--kms-key-id', keyId, '--s3-bucket-name'],
    ]
    await refused('S3BucketDoesNotExistException', ...create, 'no-such-bucket')
    await refused('InsufficientS3BucketPolicyException', ...create, name)
    const policy = bucketPolicy()
    await ok('s3api', 'put-bucket-policy', '--bucket', name, '--policy', policy)
    await refused('InsufficientEncryptionPolicyException', ...create, name)
    await ok('kms', 'put-key-policy', '--key-id', keyId, '--policy', keyPolicy())
    await ok(...create, name)
    await ok('cloudtrail', 'start-logging', '--name', 'main')
  })

  test('deliver what `aws cloudtrail validate-logs` finds valid', async () => {
    const since = new Date(Date.now() - 60_000).toISOString()
    await ok('kms', 'encrypt', '--key-id', keyId, '--plaintext', 'aGVsbG8=')
    const folder = temporaryFolder()
    try {
      await until(async () => {
        const listed = await ok('s3api', 'list-objects-v2', '--bucket', name)
        const keys = (JSON.parse(listed || '{}') as { Contents?: { Key: string }[] }).Contents ?? []
        const home = keys.filter(({ Key }) => Key.includes(`/${server.region}/`))
        return home.filter(({ Key }) => Key.includes('/CloudTrail-Digest/')).length >= 3
      })
      await ok('cloudtrail', 'stop-logging', '--name', 'main')
      await until(async () => {
        const status = await ok('cloudtrail', 'get-trail-status', '--name', 'main')
        const { LatestDeliveryError, LatestDigestDeliveryError } = JSON.parse(status) as {
          LatestDeliveryError?: string
          LatestDigestDeliveryError?: string
        }
        assert.deepEqual([LatestDeliveryError, LatestDigestDeliveryError], [undefined, undefined])
        const reported = JSON.parse(await kagibanOk('status', '--json', '--data', server.data)) as {
          trails: { lagMs: number }
        }
        return reported.trails.lagMs < 1500
      })
      const validated = await ok(
        ...['cloudtrail', 'validate-logs', '--trail-arn', arn()],
        ...['--start-time', since, '--verbose'],
      )
      const [, valid, all] = /(\d+)\/(\d+) digest files valid/.exec(validated) ?? []
      assert.ok(Number(valid) >= 3 && valid === all, validated)
      assert.match(validated, /([1-9]\d*)\/\1 log files valid/)
      await ok('s3', 'sync', `s3://${name}`, folder, '--quiet')
      const found = await kagiban(
        ...['audit', 'verify', '--trail-files', folder, '--data', server.data],
      )
      assert.equal(found.code, 0, `${found.stdout}${found.stderr}`)
      const records = logsIn(folder)
      const encrypts = records.filter(({ eventName }) => eventName === 'Encrypt')
      assert.equal(encrypts.length, 1)
      const made = records.find(({ eventName }) => eventName === 'GenerateDataKey')
      assert.deepEqual(made?.userIdentity, {
        type: 'AWSService',
        invokedBy: 'cloudtrail.amazonaws.com',
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('are not delivered to a bucket whose policy no longer lets CloudTrail in', async () => {
    await ok('cloudtrail', 'start-logging', '--name', 'main')
    await ok('s3api', 'delete-bucket-policy', '--bucket', name)
    await ok('kms', 'describe-key', '--key-id', keyId)
    await until(async () => {
      const status = await ok('cloudtrail', 'get-trail-status', '--name', 'main')
      const { LatestDeliveryError } = JSON.parse(status) as { LatestDeliveryError?: string }
      return LatestDeliveryError === 'AccessDenied'
    })
  })
})

type DeliveredRecord = {
  readonly eventName: string
  readonly userIdentity: Readonly<Record<string, unknown>>
}

function logsIn(folder: string): readonly DeliveredRecord[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || path.includes('/CloudTrail-Digest/')) return []
    const { Records } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
      Records: DeliveredRecord[]
    }
    return Records
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await condition())) {
    assert.ok(performance.now() < end, 'it did not come about')
    await sleep(500)
  }
}
