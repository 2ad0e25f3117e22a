import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CommandResult, run } from '../support/cli.ts'
import { oaep } from '../support/outside-crypto.ts'
import { policyOf, rootOf } from '../support/policies.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'
import { awsCliMissing, awsEnvironment } from './environment.ts'

const missing = await awsCliMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`

describe('the AWS CLI, told only where', { skip }, () => {
  let server: TestServer
  let folder: string
  let key: { KeyId: string; Arn: string }
  const used = new Set<string>()

  before(async () => {
    server = await TestServer.start({ regions: ['us-east-1', 'eu-west-1'] })
    folder = temporaryFolder()
    const { KeyMetadata } = await kms('create-key', '--description', 'aws-cli')
    key = KeyMetadata as typeof key
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.discard()
  })

  function aws(...args: string[]): Promise<CommandResult> {
    used.add(`${args[0]} ${args[1]}`)
    return run('aws', args, { env: awsEnvironment(server), timeoutMs: 60_000 })
  }

  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await aws(...args)
    assert.equal(code, 0, `aws ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  async function json(...args: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await ok(...args, '--output', 'json')) as Record<string, unknown>
  }

  async function refused(error: RegExp, ...args: string[]): Promise<void> {
    const { code, stderr } = await aws(...args)
    assert.ok(code !== 0, `aws ${args.join(' ')} was not refused`)
    assert.match(stderr, error)
  }

  /** A call of KMS; without an answer, an empty object. */
  async function kms(...args: string[]): Promise<Record<string, unknown>> {
    const text = await ok('kms', ...args, '--output', 'json')
    return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }

  /** An argument for a blob: a file, which every version of the CLI takes as its bytes. */
  function blob(bytes: Buffer | string): string {
    const file = join(folder, randomUUID())
    writeFileSync(file, bytes)
    return `fileb://${file}`
  }

  /** An argument for a blob that an answer has in base64. */
  const again = (base64: unknown) => blob(Buffer.from(String(base64), 'base64'))

  test('sts get-caller-identity', async () => {
    assert.deepEqual(await json('sts', 'get-caller-identity'), {
      UserId: server.account,
      Account: server.account,
      Arn: `arn:aws:iam::${server.account}:root`,
    })
  })

  test('describe-key, list-keys, update-key-description', async () => {
    await kms('update-key-description', '--key-id', key.KeyId, '--description', 'changed')
    const { KeyMetadata } = await kms('describe-key', '--key-id', key.Arn)
    assert.equal((KeyMetadata as { Description: string }).Description, 'changed')
    await kms('create-key')
    const { Keys } = await kms('list-keys', '--page-size', '1')
    assert.ok((Keys as { KeyId: string }[]).some(({ KeyId }) => KeyId === key.KeyId))
  })

  test('encrypt, decrypt, re-encrypt', async () => {
    const context = ['--encryption-context', 'purpose=test']
    const keyId = ['--key-id', key.KeyId]
    const encrypted = await kms('encrypt', ...keyId, '--plaintext', blob('a secret'), ...context)
    assert.equal(encrypted['KeyId'], key.Arn)
    const ciphertext = ['--ciphertext-blob', again(encrypted['CiphertextBlob'])]
    const decrypted = await kms('decrypt', ...ciphertext, ...context)
    assert.equal(Buffer.from(String(decrypted['Plaintext']), 'base64').toString(), 'a secret')
    const moved = await kms(
      're-encrypt',
      ...ciphertext,
      ...['--source-encryption-context', 'purpose=test'],
      ...['--destination-key-id', key.Arn],
    )
    assert.equal(moved['SourceKeyId'], key.Arn)
    const opened = await kms('decrypt', '--ciphertext-blob', again(moved['CiphertextBlob']))
    assert.equal(opened['Plaintext'], decrypted['Plaintext'])
    await refused(/\(InvalidCiphertextException\)/, 'kms', 'decrypt', ...ciphertext)
  })

  test('generate-data-key, generate-data-key-without-plaintext, generate-random', async () => {
    const keyId = ['--key-id', key.KeyId]
    const dataKey = await kms('generate-data-key', ...keyId, '--key-spec', 'AES_256')
    assert.equal(Buffer.from(String(dataKey['Plaintext']), 'base64').length, 32)
    const size = ['--number-of-bytes', '24']
    const sealed = await kms('generate-data-key-without-plaintext', ...keyId, ...size)
    const opened = await kms('decrypt', '--ciphertext-blob', again(sealed['CiphertextBlob']))
    assert.equal(Buffer.from(String(opened['Plaintext']), 'base64').length, 24)
    const { Plaintext } = await kms('generate-random', ...size)
    assert.equal(Buffer.from(String(Plaintext), 'base64').length, 24)
  })

  test('create-alias, update-alias, list-aliases, delete-alias', async () => {
    const name = ['--alias-name', 'alias/cli']
    const target = ['--target-key-id', key.KeyId]
    await kms('create-alias', ...name, ...target)
    await kms('update-alias', ...name, ...target)
    const { Aliases } = await kms('list-aliases', '--key-id', key.KeyId)
    assert.deepEqual(
      (Aliases as { AliasName: string }[]).map(({ AliasName }) => AliasName),
      ['alias/cli'],
    )
    await refused(/\(AlreadyExistsException\)/, 'kms', 'create-alias', ...name, ...target)
    await kms('delete-alias', ...name)
    await refused(/Alias arn:aws:kms:\S+:alias\/cli is not found\./, 'kms', 'delete-alias', ...name)
  })

  test('tag-resource, untag-resource, list-resource-tags', async () => {
    const keyId = ['--key-id', key.KeyId]
    await kms('tag-resource', ...keyId, '--tags', 'TagKey=a,TagValue=1', 'TagKey=b,TagValue=2')
    await kms('untag-resource', ...keyId, '--tag-keys', 'a')
    const { Tags } = await kms('list-resource-tags', ...keyId)
    assert.deepEqual(Tags, [{ TagKey: 'b', TagValue: '2' }])
  })

  test('get-key-policy, put-key-policy, list-key-policies', async () => {
    const keyId = ['--key-id', key.KeyId]
    const policy = policyOf(server.account)
    await kms('put-key-policy', ...keyId, '--policy-name', 'default', '--policy', policy)
    const { Policy } = await kms('get-key-policy', ...keyId, '--policy-name', 'default')
    assert.deepEqual(JSON.parse(String(Policy)), JSON.parse(policy))
    const { PolicyNames } = await kms('list-key-policies', ...keyId)
    assert.deepEqual(PolicyNames, ['default'])
    const locked = policy.replace('kms:*', 'kms:DescribeKey')
    await refused(
      /\(MalformedPolicyDocumentException\).*The new key policy will not allow you to update the key policy in the future\./,
      ...['kms', 'put-key-policy', ...keyId, '--policy', locked],
    )
  })

  test('disable-key, enable-key, schedule-key-deletion, cancel-key-deletion', async () => {
    const keyId = ['--key-id', key.KeyId]
    await kms('disable-key', ...keyId)
    await refused(
      /\(DisabledException\).*is disabled\./,
      ...['kms', 'generate-data-key', ...keyId, '--key-spec', 'AES_256'],
    )
    await kms('enable-key', ...keyId)
    const scheduled = await kms('schedule-key-deletion', ...keyId, '--pending-window-in-days', '7')
    assert.equal(scheduled['KeyState'], 'PendingDeletion')
    await kms('cancel-key-deletion', ...keyId)
    await kms('enable-key', ...keyId)
  })

  async function newKey(...args: string[]) {
    const { KeyMetadata } = await kms('create-key', ...args)
    return KeyMetadata as { KeyId: string; Arn: string; KeyState: string }
  }

  test('sign, verify, get-public-key', async () => {
    const { KeyId } = await newKey('--key-spec', 'ECC_NIST_P256', '--key-usage', 'SIGN_VERIFY')
    const algorithm = ['--signing-algorithm', 'ECDSA_SHA_256']
    const message = Buffer.from('signed by the CLI')
    const asked = ['--key-id', KeyId, '--message', blob(message), ...algorithm]
    const { Signature } = await kms('sign', ...asked)
    const { SignatureValid } = await kms('verify', ...asked, '--signature', again(Signature))
    assert.equal(SignatureValid, true)
    const { PublicKey } = await kms('get-public-key', '--key-id', KeyId)
    const key = Buffer.from(String(PublicKey), 'base64')
    const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
    const signature = Buffer.from(String(Signature), 'base64')
    assert.equal(verify('sha256', message, publicKey, signature), true)
  })

  test('generate-mac, verify-mac', async () => {
    const { KeyId } = await newKey('--key-spec', 'HMAC_512', '--key-usage', 'GENERATE_VERIFY_MAC')
    const message = ['--message', blob('authentic'), '--mac-algorithm', 'HMAC_SHA_512']
    const { Mac } = await kms('generate-mac', '--key-id', KeyId, ...message)
    assert.equal(Buffer.from(String(Mac), 'base64').length, 64)
    const short = blob(Buffer.from(String(Mac), 'base64').subarray(1))
    await refused(
      /\(KMSInvalidMacException\)/,
      ...['kms', 'verify-mac', '--key-id', KeyId, ...message, '--mac', short],
    )
  })

  test('get-parameters-for-import, import-key-material, generate-data-key', async () => {
    const imported = await newKey('--origin', 'EXTERNAL')
    assert.equal(imported.KeyState, 'PendingImport')
    const keyId = ['--key-id', imported.KeyId]
    const parameters = await kms(
      ...['get-parameters-for-import', ...keyId, '--wrapping-key-spec', 'RSA_2048'],
      ...['--wrapping-algorithm', 'RSAES_OAEP_SHA_256'],
    )
    const publicKey = Buffer.from(String(parameters['PublicKey']), 'base64')
    await kms(
      ...['import-key-material', ...keyId, '--import-token', again(parameters['ImportToken'])],
      ...['--encrypted-key-material', blob(oaep(publicKey, 'sha256', randomBytes(32)))],
      ...['--expiration-model', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
    )
    const dataKey = await kms('generate-data-key', ...keyId, '--key-spec', 'AES_128')
    assert.equal(dataKey['KeyId'], imported.Arn)
  })

  test('create-grant, list-grants', async () => {
    const keyId = ['--key-id', key.KeyId]
    const grantee = ['--grantee-principal', rootOf(server.account)]
    const operations = ['--operations', 'Encrypt', 'Decrypt', '--name', 'by-the-cli']
    const { GrantId } = await kms('create-grant', ...keyId, ...grantee, ...operations)
    const { Grants } = await kms('list-grants', ...keyId)
    assert.deepEqual(
      (Grants as { GrantId: string; Name: string }[]).map((grant) => [grant.GrantId, grant.Name]),
      [[GrantId, 'by-the-cli']],
    )
  })

  test('replicate-key, rotate-key-on-demand, list-key-rotations', async () => {
    const keyId = ['--key-id', (await newKey('--multi-region')).KeyId]
    await kms('replicate-key', ...keyId, '--replica-region', 'eu-west-1')
    await kms('rotate-key-on-demand', ...keyId)
    const rotations = async (...region: string[]) => {
      const { Rotations } = await kms('list-key-rotations', ...keyId, ...region)
      return (Rotations as { RotationType: string; KeyMaterialId: string }[]).map(
        (rotation) => [rotation.RotationType, rotation.KeyMaterialId] as const,
      )
    }
    const here = await rotations()
    assert.equal(here[0]?.[0], 'ON_DEMAND')
    assert.deepEqual(await rotations('--region', 'eu-west-1'), here)
  })

  test('cloudtrail lookup-events', async () => {
    const attribute = `AttributeKey=ResourceName,AttributeValue=${key.Arn}`
    const { Events } = await json('cloudtrail', 'lookup-events', '--lookup-attributes', attribute)
    const names = new Set((Events as { EventName: string }[]).map(({ EventName }) => EventName))
    for (const name of ['CreateKey', 'Encrypt', 'DisableKey', 'PutKeyPolicy']) {
      assert.ok(names.has(name), `${name} is not among ${[...names].join(', ')}`)
    }
  })

  test('every operation was run', () => {
    const operations = [...used].filter((name) => name.startsWith('kms '))
    assert.equal(operations.length, 36, operations.join(', '))
  })
})
