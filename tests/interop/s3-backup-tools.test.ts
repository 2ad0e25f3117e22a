import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CommandResult, run } from '../support/cli.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'
import { awsEnvironment, programMissing } from './environment.ts'

/** What people put their backups with, doing its usual work on a bucket that encrypts under a key of KMS. */
const slow = process.env['SLOW'] === '1'
const fileCount = slow ? 4000 : 600

let server: TestServer
let folder: string

/** Of many sizes, names and depths; one larger than a part of an upload. */
function writeFiles(root: string): void {
  for (let at = 0; at < fileCount; at++) {
    const directory = join(root, `d${at % 17}`, at % 5 === 0 ? 'ä ö+&' : 'plain')
    mkdirSync(directory, { recursive: true })
    const size = at === 7 ? 20 * 1024 * 1024 + 13 : (at * 7919) % 9000
    writeFileSync(join(directory, `file ${at}.bin`), randomBytes(size))
  }
}

/** Path and SHA-256 of every file below. */
function digests(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, entry)
    if (!statSync(path).isFile()) continue
    found.set(relative(root, path), createHash('sha256').update(readFileSync(path)).digest('hex'))
  }
  return found
}

function requireSame(copy: string): void {
  const expected = digests(join(folder, 'files'))
  assert.equal(expected.size, fileCount)
  assert.deepEqual(digests(copy), expected)
}

async function ok(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const environment = { ...awsEnvironment(server), ...env }
  const result = await run(command, [...args], { env: environment, timeoutMs: 300_000 })
  assert.equal(result.code, 0, `${command} ${args.join(' ')}: ${result.stderr}${result.stdout}`)
  return result
}

/** A new bucket whose default is a key of KMS. */
async function encryptingBucket(name: string): Promise<void> {
  const { S3Client, CreateBucketCommand, PutBucketEncryptionCommand } = await import(
    '@aws-sdk/client-s3'
  )
  const { KMSClient, CreateKeyCommand } = await import('@aws-sdk/client-kms')
  const settings = {
    ...{ endpoint: server.endpoint, region: server.region, credentials: server.credentials },
  }
  const kms = new KMSClient(settings)
  const s3 = new S3Client({ ...settings, forcePathStyle: true })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  await s3.send(new CreateBucketCommand({ Bucket: name }))
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket: name,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: KeyMetadata?.Arn,
            },
            BucketKeyEnabled: true,
          },
        ],
      },
    }),
  )
  kms.destroy()
  s3.destroy()
}

async function skipWithout(program: string) {
  const missing = await programMissing(program)
  return { skip: missing === undefined ? false : `NOT TESTED HERE: no ${program} (${missing})` }
}

const s3cmdSkip = await skipWithout('s3cmd')
const rcloneSkip = await skipWithout('rclone')
const resticSkip = await skipWithout('restic')

describe('what people put their backups with', () => {
  before(async () => {
    server = await TestServer.start()
    folder = temporaryFolder()
    writeFiles(join(folder, 'files'))
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.discard()
  })

  describe('s3cmd', s3cmdSkip, () => {
    const s3cmd = (...args: string[]) => {
      const { host } = new URL(server.endpoint)
      const where = [`--host=${host}`, `--host-bucket=${host}`, '--no-ssl', '--config=/dev/null']
      const { accessKeyId, secretAccessKey } = server.credentials
      const who = [`--access_key=${accessKeyId}`, `--secret_key=${secretAccessKey}`]
      return ok('s3cmd', [...where, ...who, '--region=us-east-1', ...args])
    }

    test('makes a bucket, puts a tree, lists, gets it back, deletes', async () => {
      await s3cmd('mb', 's3://s3cmd-bucket')
      await s3cmd('sync', '--no-progress', `${join(folder, 'files')}/`, 's3://s3cmd-bucket/tree/')
      const { stdout } = await s3cmd('ls', '--recursive', 's3://s3cmd-bucket')
      assert.equal(stdout.trim().split('\n').length, fileCount)
      const copy = join(folder, 's3cmd-copy')
      mkdirSync(copy)
      await s3cmd('sync', '--no-progress', 's3://s3cmd-bucket/tree/', `${copy}/`)
      requireSame(copy)
      await s3cmd('info', 's3://s3cmd-bucket')
      await s3cmd('rm', '--recursive', '--force', 's3://s3cmd-bucket')
      await s3cmd('rb', 's3://s3cmd-bucket')
    })
  })

  describe('rclone', rcloneSkip, () => {
    const rclone = (...args: string[]) =>
      ok('rclone', ['--config=/dev/null', ...args], {
        RCLONE_CONFIG_K_TYPE: 's3',
        RCLONE_CONFIG_K_PROVIDER: 'Other',
        RCLONE_CONFIG_K_ENV_AUTH: 'true',
        RCLONE_CONFIG_K_ENDPOINT: server.endpoint,
        RCLONE_CONFIG_K_REGION: server.region,
        // As at AWS, the ETag of what is encrypted under a key is no MD5: rclone wants to be told.
        RCLONE_CONFIG_K_SERVER_SIDE_ENCRYPTION: 'aws:kms',
      })

    test('copies a tree there and back, checks it, moves, purges', async () => {
      await encryptingBucket('rclone-bucket')
      await rclone('sync', join(folder, 'files'), 'K:rclone-bucket/tree')
      const { stdout } = await rclone('size', '--json', 'K:rclone-bucket/tree')
      assert.equal((JSON.parse(stdout) as { count: number }).count, fileCount)
      await rclone('check', '--download', join(folder, 'files'), 'K:rclone-bucket/tree')
      const copy = join(folder, 'rclone-copy')
      await rclone('copy', 'K:rclone-bucket/tree', copy)
      requireSame(copy)
      await rclone('moveto', 'K:rclone-bucket/tree/d0', 'K:rclone-bucket/moved')
      await rclone('purge', 'K:rclone-bucket/tree')
      const left = await rclone('lsf', '--recursive', '--files-only', 'K:rclone-bucket')
      assert.equal(left.stdout.trim().split('\n').length, Math.ceil(fileCount / 17))
    })
  })

  describe('restic', resticSkip, () => {
    test('backs up, backs up again, checks and restores, byte for byte', async () => {
      await encryptingBucket('restic-bucket')
      const restic = (...args: string[]) =>
        ok('restic', ['-r', `s3:${server.endpoint}/restic-bucket/repository`, ...args], {
          RESTIC_PASSWORD: 'correct horse battery staple',
          RESTIC_CACHE_DIR: join(folder, 'restic-cache'),
        })
      await restic('init')
      await restic('backup', '--quiet', join(folder, 'files'))
      writeFileSync(join(folder, 'files', 'd1', 'plain', 'file 1.bin'), 'changed')
      await restic('backup', '--quiet', join(folder, 'files'))
      await restic('check', '--read-data')
      const target = join(folder, 'restored')
      await restic('restore', 'latest', '--target', target)
      requireSame(join(target, folder, 'files'))
      await restic('forget', '--keep-last', '1', '--prune')
      await restic('check')
    })
  })
})
