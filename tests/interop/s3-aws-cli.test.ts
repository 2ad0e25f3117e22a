import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CommandResult, run } from '../support/cli.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'
import { awsCliMissing, awsEnvironment } from './environment.ts'

const missing = await awsCliMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`

describe('the AWS CLI on S3, told only where', { skip }, () => {
  let server: TestServer
  let folder: string
  let keyArn: string

  before(async () => {
    server = await TestServer.start()
    folder = temporaryFolder()
    writeFileSync(join(folder, 'config'), '[default]\ns3 =\n  signature_version = s3v4\n')
    keyArn = await text('kms', 'create-key', '--query', 'KeyMetadata.Arn')
    await ok('s3', 'mb', 's3://books')
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.discard()
  })

  function aws(...args: string[]): Promise<CommandResult> {
    // The CLI signs URLs of us-east-1 with Signature Version 2 unless it is told otherwise.
    const AWS_CONFIG_FILE = join(folder, 'config')
    const env = { ...awsEnvironment(server), AWS_CONFIG_FILE }
    return run('aws', args, { env, timeoutMs: 120_000 })
  }

  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await aws(...args)
    assert.equal(code, 0, `aws ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  const text = async (...args: string[]) => (await ok(...args, '--output', 'text')).trim()
  const api = async (...args: string[]) => {
    const printed = await ok('s3api', ...args, '--output', 'json')
    return (printed.trim() === '' ? {} : JSON.parse(printed)) as Record<string, unknown>
  }

  async function refused(error: RegExp, ...args: string[]): Promise<void> {
    const { code, stderr } = await aws(...args)
    assert.ok(code !== 0, `aws ${args.join(' ')} was not refused`)
    assert.match(stderr, error)
  }

  test('s3: cp up and down in parts, ls, sync, mv, presign, rm', async () => {
    const large = join(folder, 'large.bin')
    writeFileSync(large, randomBytes(21 * 1024 * 1024 + 5))
    const sse = ['--sse', 'aws:kms', '--sse-kms-key-id', keyArn]
    await ok('s3', 'cp', '--quiet', large, 's3://books/in parts/ä+&.bin', ...sse)
    const back = join(folder, 'back.bin')
    await ok('s3', 'cp', '--quiet', 's3://books/in parts/ä+&.bin', back)
    assert.ok(readFileSync(back).equals(readFileSync(large)))
    await ok('s3', 'cp', '--quiet', 's3://books/in parts/ä+&.bin', 's3://books/copied.bin')
    assert.match(await ok('s3', 'ls', '--recursive', 's3://books'), /22020101 copied\.bin/)
    const tree = join(folder, 'tree')
    mkdirSync(tree)
    for (const at of Array(12).keys()) writeFileSync(join(tree, `f${at}`), `content ${at}`)
    await ok('s3', 'sync', '--quiet', tree, 's3://books/tree')
    await ok('s3', 'sync', '--quiet', '--delete', tree, 's3://books/tree')
    await ok('s3', 'mv', '--quiet', 's3://books/tree/f0', 's3://books/tree/moved')
    const url = await text('s3', 'presign', 's3://books/tree/moved')
    assert.equal(await (await fetch(url)).text(), 'content 0')
    assert.equal((await fetch(`${url}0`)).status, 403)
    await ok('s3', 'rm', '--quiet', '--recursive', 's3://books')
    assert.equal(await ok('s3', 'ls', 's3://books'), '')
  })

  test('s3api: versions, tags, ranges, conditions, attributes, checksums', async () => {
    const body = join(folder, 'body')
    writeFileSync(body, '0123456789')
    const at = ['--bucket', 'books', '--key', 'v']
    const versioning = ['--versioning-configuration', 'Status=Enabled']
    await api('put-bucket-versioning', '--bucket', 'books', ...versioning)
    const first = await api('put-object', ...at, '--body', body, '--tagging', 'team=red')
    const second = await api(
      ...['put-object', ...at, '--body', body, '--checksum-algorithm', 'SHA256'],
      ...['--metadata', 'colour=blue', '--content-type', 'text/plain'],
    )
    assert.ok(first['VersionId'] !== second['VersionId'])
    const out = join(folder, 'out')
    const ranged = await api('get-object', ...at, '--range', 'bytes=2-4', out)
    assert.equal(readFileSync(out, 'utf8'), '234')
    assert.equal(ranged['ContentRange'], 'bytes 2-4/10')
    const head = await api('head-object', ...at, '--checksum-mode', 'ENABLED')
    assert.deepEqual(head['Metadata'], { colour: 'blue' })
    assert.equal(head['ChecksumSHA256'], createHash('sha256').update('0123456789').digest('base64'))
    const versions = await api('list-object-versions', '--bucket', 'books', '--prefix', 'v')
    assert.equal((versions['Versions'] as unknown[]).length, 2)
    const tags = ['--version-id', String(first['VersionId'])]
    assert.deepEqual((await api('get-object-tagging', ...at, ...tags))['TagSet'], [
      { Key: 'team', Value: 'red' },
    ])
    await refused(/PreconditionFailed|412/, 's3api', 'get-object', ...at, '--if-match', 'x', out)
    const attributes = ['--object-attributes', 'ETag', 'Checksum', 'ObjectSize']
    assert.equal((await api('get-object-attributes', ...at, ...attributes))['ObjectSize'], 10)
    const marker = await api('delete-object', ...at)
    assert.equal(marker['DeleteMarker'], true)
    await refused(/NoSuchKey/, 's3api', 'get-object', ...at, out)
    await api('get-object', ...at, '--version-id', String(second['VersionId']), out)
  })

  test('s3api: a bucket and its settings', async () => {
    const bucket = ['--bucket', 'settings']
    await api('create-bucket', ...bucket)
    await api('head-bucket', ...bucket)
    assert.deepEqual(await api('get-bucket-location', ...bucket), { LocationConstraint: null })
    const rule = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
      BucketKeyEnabled: true,
    }
    const configuration = JSON.stringify({ Rules: [rule] })
    const put = ['--server-side-encryption-configuration', configuration]
    await api('put-bucket-encryption', ...bucket, ...put)
    const shown = (await api('get-bucket-encryption', ...bucket)) as {
      ServerSideEncryptionConfiguration: { Rules: unknown[] }
    }
    assert.partialDeepStrictEqual(shown.ServerSideEncryptionConfiguration.Rules, [rule])
    await api('put-bucket-tagging', ...bucket, '--tagging', 'TagSet=[{Key=a,Value=b}]')
    assert.deepEqual(await api('get-bucket-tagging', ...bucket), {
      TagSet: [{ Key: 'a', Value: 'b' }],
    })
    const blocked = (await api('get-public-access-block', ...bucket)) as {
      PublicAccessBlockConfiguration: object
    }
    assert.deepEqual(blocked.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    })
    const everyone = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: '*',
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::settings/*',
        },
      ],
    })
    await refused(/AccessDenied/, 's3api', 'put-bucket-policy', ...bucket, '--policy', everyone)
    await refused(/NoSuchBucketPolicy/, 's3api', 'get-bucket-policy', ...bucket)
    await api('put-object', ...bucket, '--key', 'k', '--body', join(folder, 'body'))
    const head = await api('head-object', ...bucket, '--key', 'k')
    assert.equal(head['SSEKMSKeyId'], keyArn)
    assert.equal(head['BucketKeyEnabled'], true)
    await refused(/BucketNotEmpty/, 's3api', 'delete-bucket', ...bucket)
    await api('delete-object', ...bucket, '--key', 'k')
    await api('delete-bucket', ...bucket)
    await refused(/NoSuchBucket|404/, 's3api', 'get-bucket-location', ...bucket)
  })

  test('a disabled key: even the owner gets the error of AWS', async () => {
    const body = join(folder, 'body')
    const at = ['--bucket', 'books', '--key', 'sealed']
    const sse = ['--server-side-encryption', 'aws:kms', '--ssekms-key-id', keyArn]
    await api('put-object', ...at, '--body', body, ...sse)
    await ok('kms', 'disable-key', '--key-id', keyArn)
    await refused(/\(KMS\.DisabledException\).* is disabled\./, 's3api', 'get-object', ...at, body)
    await refused(/KMS\.DisabledException/, 's3api', 'put-object', ...at, '--body', body, ...sse)
    await ok('kms', 'enable-key', '--key-id', keyArn)
    await api('get-object', ...at, join(folder, 'again'))
  })
})
