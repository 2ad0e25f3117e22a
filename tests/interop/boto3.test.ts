import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/cli.ts'
import { TestServer } from '../support/server.ts'
import { awsEnvironment, boto3Missing, python } from './environment.ts'

const operations = [
  'cancel_key_deletion',
  'create_alias',
  'create_key',
  'decrypt',
  'delete_alias',
  'describe_key',
  'disable_key',
  'enable_key',
  'encrypt',
  'generate_data_key',
  'generate_data_key_without_plaintext',
  'generate_random',
  'get_key_policy',
  'list_aliases',
  'list_key_policies',
  'list_keys',
  'list_resource_tags',
  'put_key_policy',
  're_encrypt',
  'schedule_key_deletion',
  'tag_resource',
  'untag_resource',
  'update_alias',
  'update_key_description',
]

test('boto3 runs every operation, told only where', async (t) => {
  const missing = await boto3Missing()
  if (missing !== undefined) return t.skip(`NOT TESTED HERE: boto3 is not installed (${missing})`)
  const server = await TestServer.start()
  try {
    const script = join(import.meta.dirname, 'kms_boto3.py')
    const { code, stdout, stderr } = await run(python, [script], { env: awsEnvironment(server) })
    assert.equal(code, 0, stderr)
    const last = stdout.trimEnd().split('\n').at(-1) ?? ''
    assert.deepEqual((JSON.parse(last) as { operations: string[] }).operations, operations)
  } finally {
    await server.discard()
  }
})
