import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf, type KeyRecord, keyStates } from './key.ts'
import { stateTable } from './key-state.ts'
import { TestKms } from './testing/test-kms.ts'

/** Columns: the states in the order of `keyStates`. `.` is possible; numbers are the answers below. */
const expected = `
CancelKeyDeletion                4 4 . . 4 4 4 4
CreateAlias                      . . 3 3 . . . .
Decrypt                          . 1 3 3 5 6 7 .
DeleteAlias                      . . . . . . . .
DescribeKey                      . . . . . . . .
DisableKey                       . . 3 3 5 . 7 8
EnableKey                        . . 3 3 5 . 7 8
Encrypt                          . 1 3 3 5 6 7 .
GenerateDataKey                  . 1 3 3 5 6 7 .
GenerateDataKeyWithoutPlaintext  . 1 3 3 5 6 7 .
GetKeyPolicy                     . . . . . . . .
ListAliases                      . . . . . . . .
ListKeyPolicies                  . . . . . . . .
ListResourceTags                 . . . . . . . .
PutKeyPolicy                     . . . . . . . .
ReEncrypt                        . 1 3 3 5 6 7 .
ScheduleKeyDeletion              . . 3 3 . . . 8
TagResource                      . . 3 3 . . . .
UntagResource                    . . 3 3 . . . .
UpdateAlias                      . . 3 3 . . . .
UpdateKeyDescription             . . 3 3 . . . .
`

const answers: Readonly<Record<string, readonly [string, string]>> = {
  1: ['disabled', 'is disabled.'],
  3: ['invalid-state', 'is pending deletion.'],
  4: ['invalid-state', 'is not pending deletion.'],
  5: ['invalid-state', 'is pending import.'],
  6: ['invalid-state', 'is unavailable.'],
  7: ['invalid-state', 'is creating.'],
  8: ['invalid-state', 'is updating.'],
}

type Scene = { readonly key: KeyRecord; readonly blob: Buffer }

/** A request on a key that succeeds in state Enabled. */
const requests: Readonly<Record<string, (scene: Scene) => object>> = {
  CreateAlias: ({ key }) => ({ AliasName: 'alias/new', TargetKeyId: key.keyId }),
  Decrypt: ({ blob }) => ({ CiphertextBlob: blob }),
  DeleteAlias: () => ({ AliasName: 'alias/own' }),
  Encrypt: ({ key }) => ({ KeyId: key.keyId, Plaintext: Buffer.from('text') }),
  GenerateDataKey: ({ key }) => ({ KeyId: key.keyId, KeySpec: 'AES_256' }),
  GenerateDataKeyWithoutPlaintext: ({ key }) => ({ KeyId: key.keyId, NumberOfBytes: 64 }),
  PutKeyPolicy: ({ key }) => ({ KeyId: key.keyId, Policy: '{"another":"policy"}' }),
  ReEncrypt: ({ key, blob }) => ({ CiphertextBlob: blob, DestinationKeyId: key.keyId }),
  TagResource: ({ key }) => ({ KeyId: key.keyId, Tags: [{ TagKey: 'a', TagValue: '' }] }),
  UntagResource: ({ key }) => ({ KeyId: key.keyId, TagKeys: ['a'] }),
  UpdateAlias: ({ key }) => ({ AliasName: 'alias/other', TargetKeyId: key.keyId }),
  UpdateKeyDescription: ({ key }) => ({ KeyId: key.keyId, Description: 'new' }),
}

async function scene(kms: TestKms): Promise<Scene> {
  const other = await kms.key()
  const key = await kms.key()
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  await kms.ok('CreateAlias', { AliasName: 'alias/other', TargetKeyId: other.keyId })
  const { CiphertextBlob } = await kms.ok('Encrypt', {
    KeyId: key.keyId,
    Plaintext: Buffer.from('x'),
  })
  return { key, blob: CiphertextBlob as Buffer }
}

const rows = expected
  .trim()
  .split('\n')
  .map((line) => line.split(/ +/))

test('the table has a row for every operation on a key', () => {
  assert.deepEqual(rows.map(([operation]) => operation).sort(), Object.keys(stateTable).sort())
})

for (const [operation = '', ...cells] of rows) {
  test(`${operation} in every key state`, async () => {
    assert.equal(cells.length, keyStates.length)
    for (const [index, state] of keyStates.entries()) {
      const kms = new TestKms()
      const { key, blob } = await scene(kms)
      const deletion = state === 'PendingDeletion' ? { date: kms.now, windowInDays: 7 } : undefined
      await kms.change(key, { state, deletion })
      const request = requests[operation]?.({ key, blob }) ?? { KeyId: key.keyId }
      const answer = answers[cells[index] ?? '']
      if (answer === undefined) {
        assert.equal(cells[index], '.')
        await kms.ok(operation, request)
      } else {
        const [code, text] = answer
        assert.deepEqual(await kms.fails(operation, request), [code, `${arnOf(key)} ${text}`])
      }
    }
  })
}

test('ReEncrypt looks at the state of both keys', async () => {
  const kms = new TestKms()
  const { key, blob } = await scene(kms)
  const destination = await kms.key()
  await kms.change(destination, { state: 'Disabled' })
  const request = { CiphertextBlob: blob, DestinationKeyId: destination.keyId }
  assert.deepEqual(await kms.fails('ReEncrypt', request), [
    'disabled',
    `${arnOf(destination)} is disabled.`,
  ])
  await kms.change(key, { state: 'Disabled' })
  assert.deepEqual(await kms.fails('ReEncrypt', request), [
    'disabled',
    `${arnOf(key)} is disabled.`,
  ])
})

test('UpdateAlias takes an alias away from a key in any state', async () => {
  const kms = new TestKms()
  const { key } = await scene(kms)
  const other = await kms.key()
  await kms.change(key, { state: 'PendingDeletion', deletion: { date: 1, windowInDays: 7 } })
  await kms.ok('UpdateAlias', { AliasName: 'alias/own', TargetKeyId: other.keyId })
  assert.deepEqual(kms.state.aliasNamesOf(kms.record(other.keyId)), ['alias/own'])
})

test('the state is not told to a caller who is denied', async () => {
  const kms = new TestKms()
  const { key } = await scene(kms)
  await kms.change(key, { state: 'Disabled' })
  const request = { KeyId: key.keyId, Plaintext: Buffer.from('x') }
  const denied = await kms.fails('Encrypt', request, { deny: () => true })
  assert.deepEqual(denied, ['access-denied', 'denied'])
})
