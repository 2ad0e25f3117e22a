import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { signedText } from '../../src/delivery/digest.ts'
import { gzipped } from '../../src/delivery/gzip.ts'
import { MemoryBuckets, type StoredFile } from '../../src/delivery/testing/buckets.ts'
import { delivered } from '../../src/delivery/testing/delivered.ts'
import { TestSigner } from '../../src/delivery/testing/signer.ts'
import { account, bucket, home, trailOf, World } from '../../src/delivery/testing/world.ts'
import { type TrailFault, verifyTrailFiles } from '../../src/delivery/trail-files.ts'
import { readEveryJournal, readRecords } from '../../src/journal/reader.ts'
import { run } from '../support/cli.ts'
import { temporaryFolder } from '../support/server.ts'
import { TrailBucketServer } from '../support/trail-bucket-server.ts'
import { awsCliMissing } from './environment.ts'

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
