import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/cli.ts'
import { TestServer } from '../support/server.ts'
import { awsEnvironment, boto3Missing, python } from './environment.ts'

const operations = [
  'cancel_key_deletion',
  'connect_custom_key_store',
  'create_alias',
  'create_custom_key_store',
  'create_grant',
  'create_key',
  'decrypt',
  'delete_alias',
  'delete_custom_key_store',
  'delete_imported_key_material',
  'derive_shared_secret',
  'describe_custom_key_stores',
  'describe_key',
  'disable_key',
  'disable_key_rotation',
  'disconnect_custom_key_store',
  'enable_key',
  'enable_key_rotation',
  'encrypt',
  'generate_data_key',
  'generate_data_key_pair',
  'generate_data_key_pair_without_plaintext',
  'generate_data_key_without_plaintext',
  'generate_mac',
  'generate_random',
  'get_key_last_usage',
  'get_key_policy',
  'get_key_rotation_status',
  'get_parameters_for_import',
  'get_public_key',
  'import_key_material',
  'list_aliases',
  'list_grants',
  'list_key_policies',
  'list_key_rotations',
  'list_keys',
  'list_resource_tags',
  'list_retirable_grants',
  'put_key_policy',
  're_encrypt',
  'replicate_key',
  'retire_grant',
  'revoke_grant',
  'rotate_key_on_demand',
  'schedule_key_deletion',
  'sign',
  'tag_resource',
  'untag_resource',
  'update_alias',
  'update_custom_key_store',
  'update_key_description',
  'update_primary_region',
  'verify',
  'verify_mac',
]
/** Only newer versions of boto3 have them. */
const newer = ['encapsulate', 'decapsulate']

test('boto3 runs every operation, told only where', async (t) => {
  const missing = await boto3Missing()
  if (missing !== undefined) return t.skip(`NOT TESTED HERE: boto3 is not installed (${missing})`)
  const server = await TestServer.start({ regions: ['us-east-1', 'eu-west-1'] })
  try {
    const script = join(import.meta.dirname, 'kms_boto3.py')
    const { code, stdout, stderr } = await run(python, [script], { env: awsEnvironment(server) })
    assert.equal(code, 0, stderr)
    const last = stdout.trimEnd().split('\n').at(-1) ?? ''
    const called = (JSON.parse(last) as { operations: string[] }).operations
    assert.deepEqual(
      called.filter((name) => !newer.includes(name)),
      operations,
    )
  } finally {
    await server.discard()
  }
})
