import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/cli.ts'
import { TestServer } from '../support/server.ts'
import { awsEnvironment, boto3Missing, python } from './environment.ts'

const missing = await boto3Missing()
const skip = missing === undefined ? false : `NOT TESTED HERE: no boto3 (${missing})`

test('boto3 on a bucket that encrypts by default', { skip }, async () => {
  const server = await TestServer.start()
  try {
    const script = join(import.meta.dirname, 's3_boto3.py')
    const { code, stdout, stderr } = await run(python, [script], {
      env: awsEnvironment(server),
      timeoutMs: 180_000,
    })
    assert.equal(code, 0, stderr)
    const { presigned, ...seen } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      presigned: string
    }
    assert.deepEqual(seen, {
      multipart: true,
      putKey: true,
      body: 'hello',
      metadata: { m: '1' },
      listed: Array.from({ length: 25 }, (_, at) => `p/${String(at).padStart(3, '0')}`),
      prefixes: ['a/', 'p/'],
      copied: 'hello',
      customer: 'customer',
      customerRefused: 'InvalidRequest',
      deleted: 25,
      missing: 'NoSuchKey',
      missingHead: '404',
      noBucket: 'NoSuchBucket',
    })
    const answer = await fetch(presigned)
    assert.equal(await answer.text(), 'hello')
  } finally {
    await server.discard()
  }
})
