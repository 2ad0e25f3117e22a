import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf, type KeyRecord, keyStates } from './key.ts'
import { stateTable } from './key-state.ts'
import { fakeToken, wrapForFake } from './testing/fake-import.ts'
import { account, otherRegion, rootOf, TestKms } from './testing/test-kms.ts'

/** Columns: the states in the order of `keyStates`. `.` is possible; numbers are the answers below. */
const expected = `
CancelKeyDeletion                    4 4 . . 4 4 4 4
CreateAlias                          . . 3 3 . . . .
CreateGrant                          . 1 3 3 5 . 7 .
Decapsulate                          . 1 3 3 5 6 7 .
Decrypt                              . 1 3 3 5 6 7 .
DeleteAlias                          . . . . . . . .
DeleteImportedKeyMaterial            . . . . . 9 7 8
DeriveSharedSecret                   . 1 3 3 5 6 7 .
DescribeKey                          . . . . . . . .
DisableKey                           . . 3 3 5 . 7 8
DisableKeyRotation                   . 1 3 3 0 9 7 .
EnableKey                            . . 3 3 5 . 7 8
EnableKeyRotation                    . 1 3 3 0 9 7 .
Encapsulate                          . 1 3 3 5 6 7 .
Encrypt                              . 1 3 3 5 6 7 .
GenerateDataKey                      . 1 3 3 5 6 7 .
GenerateDataKeyPair                  . 1 3 3 5 6 7 .
GenerateDataKeyPairWithoutPlaintext  . 1 3 3 5 6 7 .
GenerateDataKeyWithoutPlaintext      . 1 3 3 5 6 7 .
GenerateMac                          . 1 3 3 5 6 7 .
GetKeyPolicy                         . . . . . . . .
GetKeyRotationStatus                 . . . . 0 9 . .
GetParametersForImport               . . 3 3 . 9 7 8
GetPublicKey                         . . 3 3 . . 7 .
ImportKeyMaterial                    . . 3 3 . 9 7 .
ListAliases                          . . . . . . . .
ListGrants                           . . . . . . . .
ListKeyPolicies                      . . . . . . . .
ListKeyRotations                     . . . . . 9 . .
ListResourceTags                     . . . . . . . .
PutKeyPolicy                         . . . . . . . .
ReEncrypt                            . 1 3 3 5 6 7 .
ReplicateKey                         . 1 3 3 5 6 7 8
RetireGrant                          . . . . . . . .
RevokeGrant                          . . . . . . . .
RotateKeyOnDemand                    . 1 3 3 5 9 7 .
ScheduleKeyDeletion                  . . 3 3 . . . 8
Sign                                 . 1 3 3 5 6 7 .
TagResource                          . . 3 3 . . . .
UntagResource                        . . 3 3 . . . .
UpdateAlias                          . . 3 3 . . . .
UpdateKeyDescription                 . . 3 3 . . . .
UpdatePrimaryRegion                  . 1 3 3 5 6 7 .
Verify                               . 1 3 3 5 6 7 .
VerifyMac                            . 1 3 3 5 6 7 .
`

const answers: Readonly<Record<string, readonly [string, string?]>> = {
  0: ['unsupported', 'origin is EXTERNAL which is not valid for this operation.'],
  1: ['disabled', 'is disabled.'],
  3: ['invalid-state', 'is pending deletion.'],
  4: ['invalid-state', 'is not pending deletion.'],
  5: ['invalid-state', 'is pending import.'],
  6: ['invalid-state', 'is unavailable.'],
  7: ['invalid-state', 'is creating.'],
  8: ['invalid-state', 'is updating.'],
  9: ['unsupported'],
}

type Scene = {
  readonly key: KeyRecord
  /** The ciphertext of a symmetric key, and what the others make of `message`. */
  readonly blob: Buffer
  /** Of a grant on the key. */
  readonly grantId: string
}

const grant = { GranteePrincipal: rootOf(account).arn, Operations: ['DescribeKey'] }

const message = Buffer.from('message')
const signing = { Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }
const mac = { Message: message, MacAlgorithm: 'HMAC_SHA_256' }

/** What kind of key an operation is for, where it is for no symmetric one. */
const kinds = {
  sign: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  mac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  agree: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  encapsulate: { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
  imported: { Origin: 'EXTERNAL' },
  primary: { MultiRegion: true },
  replicated: { MultiRegion: true },
} as const

const kindOf: Readonly<Record<string, keyof typeof kinds>> = {
  Decapsulate: 'encapsulate',
  DeleteImportedKeyMaterial: 'imported',
  DeriveSharedSecret: 'agree',
  Encapsulate: 'encapsulate',
  GenerateMac: 'mac',
  GetParametersForImport: 'imported',
  GetPublicKey: 'sign',
  ImportKeyMaterial: 'imported',
  ReplicateKey: 'primary',
  Sign: 'sign',
  UpdatePrimaryRegion: 'replicated',
  Verify: 'sign',
  VerifyMac: 'mac',
}

/** A request on a key that succeeds in state Enabled. */
const requests: Readonly<Record<string, (scene: Scene) => object>> = {
  CreateAlias: ({ key }) => ({ AliasName: 'alias/new', TargetKeyId: key.keyId }),
  CreateGrant: ({ key }) => ({ KeyId: key.keyId, ...grant }),
  Decrypt: ({ blob }) => ({ CiphertextBlob: blob }),
  Decapsulate: ({ key, blob }) => ({
    KeyId: key.keyId,
    EncapsulationAlgorithm: 'ML_KEM',
    SharedSecretCiphertextBlob: blob,
  }),
  DeleteAlias: () => ({ AliasName: 'alias/own' }),
  DeriveSharedSecret: ({ key }) => ({
    KeyId: key.keyId,
    KeyAgreementAlgorithm: 'ECDH',
    PublicKey: Buffer.from('public key'),
  }),
  Encapsulate: ({ key }) => ({ KeyId: key.keyId, EncapsulationAlgorithm: 'ML_KEM' }),
  Encrypt: ({ key }) => ({ KeyId: key.keyId, Plaintext: Buffer.from('text') }),
  GenerateDataKey: ({ key }) => ({ KeyId: key.keyId, KeySpec: 'AES_256' }),
  GenerateDataKeyPair: ({ key }) => ({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256' }),
  GenerateDataKeyPairWithoutPlaintext: ({ key }) => ({ KeyId: key.keyId, KeyPairSpec: 'RSA_2048' }),
  GenerateDataKeyWithoutPlaintext: ({ key }) => ({ KeyId: key.keyId, NumberOfBytes: 64 }),
  GenerateMac: ({ key }) => ({ KeyId: key.keyId, ...mac }),
  GetParametersForImport: ({ key }) => ({
    KeyId: key.keyId,
    WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048',
  }),
  ImportKeyMaterial: ({ key }) => importing(key),
  PutKeyPolicy: ({ key }) => ({ KeyId: key.keyId, Policy: '{"another":"policy"}' }),
  ReEncrypt: ({ key, blob }) => ({ CiphertextBlob: blob, DestinationKeyId: key.keyId }),
  ReplicateKey: ({ key }) => ({ KeyId: key.keyId, ReplicaRegion: otherRegion }),
  RetireGrant: ({ key, grantId }) => ({ KeyId: key.keyId, GrantId: grantId }),
  RevokeGrant: ({ key, grantId }) => ({ KeyId: key.keyId, GrantId: grantId }),
  Sign: ({ key }) => ({ KeyId: key.keyId, ...signing }),
  TagResource: ({ key }) => ({ KeyId: key.keyId, Tags: [{ TagKey: 'a', TagValue: '' }] }),
  UntagResource: ({ key }) => ({ KeyId: key.keyId, TagKeys: ['a'] }),
  UpdateAlias: ({ key }) => ({ AliasName: 'alias/other', TargetKeyId: key.keyId }),
  UpdateKeyDescription: ({ key }) => ({ KeyId: key.keyId, Description: 'new' }),
  UpdatePrimaryRegion: ({ key }) => ({ KeyId: key.keyId, PrimaryRegion: otherRegion }),
  Verify: ({ key, blob }) => ({ KeyId: key.keyId, ...signing, Signature: blob }),
  VerifyMac: ({ key, blob }) => ({ KeyId: key.keyId, ...mac, Mac: blob }),
}

const importing = (key: KeyRecord) => ({
  KeyId: key.keyId,
  ImportToken: fakeToken(key),
  EncryptedKeyMaterial: wrapForFake(Buffer.alloc(32)),
  ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
})

async function scene(kms: TestKms, kind?: keyof typeof kinds): Promise<Scene> {
  const other = await kms.key()
  const key = await kms.key(kind === undefined ? {} : kinds[kind])
  if (kind === 'imported') await kms.ok('ImportKeyMaterial', importing(key))
  if (kind === 'replicated') {
    await kms.ok('ReplicateKey', { KeyId: key.keyId, ReplicaRegion: otherRegion })
  }
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  await kms.ok('CreateAlias', { AliasName: 'alias/other', TargetKeyId: other.keyId })
  const { GrantId } = await kms.ok('CreateGrant', { KeyId: key.keyId, ...grant })
  return { key, blob: await made(kms, key, kind), grantId: String(GrantId) }
}

/** What the key makes: a signature, a MAC, an encapsulated secret, a ciphertext. */
async function made(
  kms: TestKms,
  { keyId }: KeyRecord,
  kind?: keyof typeof kinds,
): Promise<Buffer> {
  const KeyId = keyId
  if (kind === 'sign') return (await kms.ok('Sign', { KeyId, ...signing })).Signature as Buffer
  if (kind === 'mac') return (await kms.ok('GenerateMac', { KeyId, ...mac })).Mac as Buffer
  if (kind === 'agree') return Buffer.of()
  if (kind === 'encapsulate') {
    const { SharedSecretCiphertextBlob } = await kms.ok('Encapsulate', {
      KeyId,
      EncapsulationAlgorithm: 'ML_KEM',
    })
    return SharedSecretCiphertextBlob as Buffer
  }
  const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext: Buffer.from('x') })
  return CiphertextBlob as Buffer
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
      const there = await scene(kms, kindOf[operation])
      const { key } = there
      const deletion = state === 'PendingDeletion' ? { date: kms.now, windowInDays: 7 } : undefined
      await kms.change(key, { state, deletion })
      const request = requests[operation]?.(there) ?? { KeyId: key.keyId }
      const answer = answers[cells[index] ?? '']
      if (answer === undefined) {
        assert.equal(cells[index], '.')
        await kms.ok(operation, request)
      } else {
        const [code, text] = answer
        const refusal = text === undefined ? [code] : [code, `${arnOf(key)} ${text}`]
        assert.deepEqual(await kms.fails(operation, request), refusal)
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
