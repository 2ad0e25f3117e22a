import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmsOf, keySpecs, keyUsages } from '../../hsm/key-specs.ts'
import type { KeyRecord, MaterialEntry } from './key.ts'
import { type KeyMetadata, keyMetadata, recordedMetadata } from './key-metadata.ts'
import { customerMasterKeySpecs } from './key-spec.ts'
import { account, otherAccount, otherRegion, region, TestKms } from './testing/test-kms.ts'

const always = [
  'AWSAccountId',
  'Arn',
  'CreationDate',
  'Description',
  'Enabled',
  'KeyId',
  'KeyManager',
  'KeySpec',
  'KeyState',
  'KeyUsage',
  'MultiRegion',
  'Origin',
]

const algorithmNames = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
} as const

/** A key with members that no operation has given it. */
async function described(members: Partial<KeyRecord>): Promise<KeyMetadata> {
  const kms = new TestKms()
  return keyMetadata({ ...(await kms.key()), ...members }, kms.deps)
}

test('every spec and usage shows the algorithms of its usage, and its members alone', async () => {
  for (const keySpec of keySpecs) {
    for (const keyUsage of keyUsages) {
      const algorithms = algorithmsOf(keySpec, keyUsage)
      if (algorithms.length === 0) continue
      const metadata = await described({ keySpec, keyUsage })
      const expected: string[] = [...always, algorithmNames[keyUsage]]
      if (keySpec === 'SYMMETRIC_DEFAULT') expected.push('CurrentKeyMaterialId')
      const old = customerMasterKeySpecs.some((spec) => spec === keySpec)
      if (old) expected.push('CustomerMasterKeySpec')
      assert.deepEqual(Object.keys(metadata).sort(), expected.sort(), `${keySpec} ${keyUsage}`)
      assert.deepEqual(metadata[algorithmNames[keyUsage]], algorithms)
      assert.equal(metadata.CustomerMasterKeySpec, old ? keySpec : undefined)
    }
  }
})

test('the deprecated spec is left out for the specs that it has no value for', async () => {
  const without = keySpecs.filter((spec) => !customerMasterKeySpecs.some((old) => old === spec))
  assert.deepEqual(without, [
    'ECC_NIST_EDWARDS25519',
    'ML_DSA_44',
    'ML_DSA_65',
    'ML_DSA_87',
    'ML_KEM_512',
    'ML_KEM_768',
    'ML_KEM_1024',
  ])
})

test('a key of AWS says so', async () => {
  assert.equal((await described({})).KeyManager, 'CUSTOMER')
  assert.equal((await described({ manager: 'AWS' })).KeyManager, 'AWS')
})

test('imported material shows when the first of those that belong to the key expires', async () => {
  const one = '1'.repeat(64)
  const two = '2'.repeat(64)
  const current = { materialId: one, state: 'CURRENT' } as const
  const older = { materialId: two, state: 'NON_CURRENT' } as const
  const pending = { materialId: two, state: 'PENDING_ROTATION' } as const
  const lasting = { state: 'IMPORTED' } as const
  const until = (validTo: number) => ({ state: 'IMPORTED', validTo }) as const
  const absent = { state: 'PENDING_IMPORT' } as const
  const cases: [readonly MaterialEntry[] | undefined, object][] = [
    [undefined, {}],
    [[{ ...current, imported: absent }], {}],
    [
      [{ ...current, imported: lasting }],
      { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', CurrentKeyMaterialId: one },
    ],
    [
      [{ ...current, imported: until(7000) }],
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: 7000, CurrentKeyMaterialId: one },
    ],
    [
      [
        { ...older, imported: until(5000) },
        { ...current, imported: until(7000) },
      ],
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: 5000, CurrentKeyMaterialId: one },
    ],
    [
      [
        { ...current, imported: lasting },
        { ...pending, imported: until(5000) },
      ],
      { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', CurrentKeyMaterialId: one },
    ],
  ]
  for (const [materials, expected] of cases) {
    const currentMaterialId = materials === undefined ? undefined : one
    const { ExpirationModel, ValidTo, CurrentKeyMaterialId } = await described({
      origin: 'EXTERNAL',
      materials,
      currentMaterialId,
    })
    const seen = { ExpirationModel, ValidTo, CurrentKeyMaterialId }
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), expected)
  }
})

test('a key pending deletion shows its date, and a primary that waits for its replicas its window', async () => {
  const deletion = { windowInDays: 9 }
  const dated = await described({ state: 'PendingDeletion', deletion: { ...deletion, date: 77 } })
  assert.equal(dated.DeletionDate, 77)
  assert.ok(!('PendingDeletionWindowInDays' in dated))
  const waiting = await described({ state: 'PendingReplicaDeletion', deletion })
  assert.equal(waiting.PendingDeletionWindowInDays, 9)
  assert.ok(!('DeletionDate' in waiting))
})

test('every related key shows the same primary and replicas', async () => {
  const kms = new TestKms()
  const primary = await kms.key({ MultiRegion: true })
  const arn = (where: string) => `arn:aws:kms:${where}:${account}:key/${primary.keyId}`
  const configuration = (MultiRegionKeyType: string) => ({
    MultiRegionKeyType,
    PrimaryKey: { Arn: arn(region), Region: region },
    ReplicaKeys: [{ Arn: arn(otherRegion), Region: otherRegion }],
  })
  const replica: KeyRecord = {
    ...primary,
    region: otherRegion,
    state: 'Creating',
    replication: { type: 'REPLICA', primaryRegion: region },
  }
  // One that is being made is no row yet.
  const made = keyMetadata(replica, kms.deps)
  assert.deepEqual(made.MultiRegionConfiguration, configuration('REPLICA'))
  assert.deepEqual([made.KeyState, made.Enabled], ['Creating', false])
  assert.ok(!('CurrentKeyMaterialId' in made))
  await kms.commit([kms.state.addKey(replica)])
  for (const [within, type] of [
    [region, 'PRIMARY'],
    [otherRegion, 'REPLICA'],
  ] as const) {
    const { KeyMetadata } = await kms.ok(
      'DescribeKey',
      { KeyId: primary.keyId },
      { region: within },
    )
    assert.deepEqual(KeyMetadata?.['MultiRegionConfiguration'], configuration(type))
  }
  // The same id in another account would be another key.
  await kms.change(replica, { account: otherAccount })
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId: primary.keyId })
  assert.deepEqual(KeyMetadata?.['MultiRegionConfiguration'], {
    ...configuration('PRIMARY'),
    ReplicaKeys: [],
  })
})

test('the record shows the same in its own spelling', () => {
  const recorded = recordedMetadata({
    AWSAccountId: account,
    CreationDate: 0,
    ValidTo: 86_400_000,
    PendingDeletionWindowInDays: 7,
    SigningAlgorithms: ['ECDSA_SHA_256'],
    MultiRegionConfiguration: {
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: { Arn: 'arn', Region: region },
      ReplicaKeys: [{ Arn: 'other', Region: otherRegion }],
    },
  })
  assert.deepEqual(recorded, {
    aWSAccountId: account,
    creationDate: '1970-01-01T00:00:00.000Z',
    validTo: '1970-01-02T00:00:00.000Z',
    pendingDeletionWindowInDays: 7,
    signingAlgorithms: ['ECDSA_SHA_256'],
    multiRegionConfiguration: {
      multiRegionKeyType: 'PRIMARY',
      primaryKey: { arn: 'arn', region },
      replicaKeys: [{ arn: 'other', region: otherRegion }],
    },
  })
})
