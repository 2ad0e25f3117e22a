/** Every operation on a key, called by another account that has all leave on both sides. */
import {
  CancelKeyDeletionCommand,
  CreateGrantCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type KMSClient,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateKeyDescriptionCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { abroad, arns, type StageKey, type WireCase } from './stage.ts'
import { allow, to } from './statements.ts'

type Call = (kms: KMSClient, key: StageKey) => Promise<unknown>

const bytes = Buffer.from('x')
const everyone = to('*')
/** A grant that nobody made. */
const GrantId = 'f'.repeat(64)

/**
 * Those that AWS lets other accounts call. Where the key is of the wrong kind, or the grant of nobody, the name of the
 * error that says so: it is told to those alone who may make the call.
 */
const shared: readonly (readonly [name: string, Call, refusal?: string])[] = [
  ['Encrypt', (kms, { arn: KeyId }) => kms.send(new EncryptCommand({ KeyId, Plaintext: bytes }))],
  [
    'Decrypt',
    async (kms, { arn: KeyId }) => {
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes }))
      await kms.send(new DecryptCommand({ CiphertextBlob }))
    },
  ],
  [
    'ReEncrypt',
    async (kms, { arn: KeyId }) => {
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes }))
      await kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId }))
    },
  ],
  [
    'GenerateDataKey',
    (kms, { arn: KeyId }) => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
  ],
  [
    'GenerateDataKeyWithoutPlaintext',
    (kms, { arn: KeyId }) =>
      kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
  ],
  [
    'GenerateDataKeyPair',
    (kms, { arn: KeyId }) =>
      kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })),
  ],
  [
    'GenerateDataKeyPairWithoutPlaintext',
    (kms, { arn: KeyId }) =>
      kms.send(
        new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
      ),
  ],
  ['DescribeKey', (kms, { arn: KeyId }) => kms.send(new DescribeKeyCommand({ KeyId }))],
  [
    'GetKeyRotationStatus',
    (kms, { arn: KeyId }) => kms.send(new GetKeyRotationStatusCommand({ KeyId })),
  ],
  ['ListGrants', (kms, { arn: KeyId }) => kms.send(new ListGrantsCommand({ KeyId }))],
  [
    'CreateGrant',
    (kms, { arn: KeyId }) =>
      kms.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: `arn:aws:iam::${abroad}:root`,
          Operations: ['DescribeKey'],
        }),
      ),
  ],
  [
    'RevokeGrant',
    (kms, { arn: KeyId }) => kms.send(new RevokeGrantCommand({ KeyId, GrantId })),
    'NotFoundException',
  ],
  [
    'RetireGrant',
    async (kms, { arn: KeyId }) => {
      const GranteePrincipal = `arn:aws:iam::${abroad}:root`
      const grant = { KeyId, GranteePrincipal, Operations: ['DescribeKey' as const] }
      const { GrantId: made } = await kms.send(
        new CreateGrantCommand({ ...grant, RetiringPrincipal: arns.bob }),
      )
      await kms.send(new RetireGrantCommand({ KeyId, GrantId: made }))
    },
  ],
  [
    'GetPublicKey',
    (kms, { arn: KeyId }) => kms.send(new GetPublicKeyCommand({ KeyId })),
    'UnsupportedOperationException',
  ],
  [
    'Sign',
    (kms, { arn: KeyId }) =>
      kms.send(new SignCommand({ KeyId, Message: bytes, SigningAlgorithm: 'ECDSA_SHA_256' })),
    'InvalidKeyUsageException',
  ],
  [
    'Verify',
    (kms, { arn: KeyId }) =>
      kms.send(
        new VerifyCommand({
          KeyId,
          Message: bytes,
          Signature: bytes,
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      ),
    'InvalidKeyUsageException',
  ],
  [
    'GenerateMac',
    (kms, { arn: KeyId }) =>
      kms.send(new GenerateMacCommand({ KeyId, Message: bytes, MacAlgorithm: 'HMAC_SHA_256' })),
    'InvalidKeyUsageException',
  ],
  [
    'VerifyMac',
    (kms, { arn: KeyId }) =>
      kms.send(
        new VerifyMacCommand({ KeyId, Message: bytes, Mac: bytes, MacAlgorithm: 'HMAC_SHA_256' }),
      ),
    'InvalidKeyUsageException',
  ],
  [
    'DeriveSharedSecret',
    (kms, { arn: KeyId }) =>
      kms.send(
        new DeriveSharedSecretCommand({ KeyId, PublicKey: bytes, KeyAgreementAlgorithm: 'ECDH' }),
      ),
    'InvalidKeyUsageException',
  ],
  [
    'Encapsulate',
    (kms, { arn: KeyId }) =>
      kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM' })),
    'InvalidKeyUsageException',
  ],
  [
    'Decapsulate',
    (kms, { arn: KeyId }) =>
      kms.send(
        new DecapsulateCommand({
          ...{ KeyId, SharedSecretCiphertextBlob: bytes, EncapsulationAlgorithm: 'ML_KEM' },
        }),
      ),
    'InvalidKeyUsageException',
  ],
]

/** Those that are for the key's own account, whatever its policy says. */
const own: readonly (readonly [name: string, Call])[] = [
  ['CancelKeyDeletion', (kms, { arn: KeyId }) => kms.send(new CancelKeyDeletionCommand({ KeyId }))],
  ['DisableKey', (kms, { arn: KeyId }) => kms.send(new DisableKeyCommand({ KeyId }))],
  ['EnableKey', (kms, { arn: KeyId }) => kms.send(new EnableKeyCommand({ KeyId }))],
  [
    'DisableKeyRotation',
    (kms, { arn: KeyId }) => kms.send(new DisableKeyRotationCommand({ KeyId })),
  ],
  ['EnableKeyRotation', (kms, { arn: KeyId }) => kms.send(new EnableKeyRotationCommand({ KeyId }))],
  ['RotateKeyOnDemand', (kms, { arn: KeyId }) => kms.send(new RotateKeyOnDemandCommand({ KeyId }))],
  ['ListKeyRotations', (kms, { arn: KeyId }) => kms.send(new ListKeyRotationsCommand({ KeyId }))],
  ['GetKeyPolicy', (kms, { arn: KeyId }) => kms.send(new GetKeyPolicyCommand({ KeyId }))],
  ['ListKeyPolicies', (kms, { arn: KeyId }) => kms.send(new ListKeyPoliciesCommand({ KeyId }))],
  [
    'PutKeyPolicy',
    (kms, { arn: KeyId }) =>
      kms.send(new PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify({ Statement: everyone }) })),
  ],
  [
    'ScheduleKeyDeletion',
    (kms, { arn: KeyId }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  ],
  [
    'TagResource',
    (kms, { arn: KeyId }) =>
      kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
  ],
  [
    'UntagResource',
    (kms, { arn: KeyId }) => kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  ],
  ['ListResourceTags', (kms, { arn: KeyId }) => kms.send(new ListResourceTagsCommand({ KeyId }))],
  [
    'UpdateKeyDescription',
    (kms, { arn: KeyId }) =>
      kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
  ],
  [
    'GetParametersForImport',
    (kms, { arn: KeyId }) =>
      kms.send(
        new GetParametersForImportCommand({
          KeyId,
          WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
          WrappingKeySpec: 'RSA_2048',
        }),
      ),
  ],
  [
    'DeleteImportedKeyMaterial',
    (kms, { arn: KeyId }) => kms.send(new DeleteImportedKeyMaterialCommand({ KeyId })),
  ],
  [
    'ReplicateKey',
    (kms, { arn: KeyId }) =>
      kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'us-west-2' })),
  ],
  [
    'UpdatePrimaryRegion',
    (kms, { arn: KeyId }) =>
      kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'us-west-2' })),
  ],
  ['GetKeyLastUsage', (kms, { arn: KeyId }) => kms.send(new GetKeyLastUsageCommand({ KeyId }))],
  [
    'ImportKeyMaterial',
    (kms, { arn: KeyId }) =>
      kms.send(
        new ImportKeyMaterialCommand({
          ...{ KeyId, ImportToken: bytes, EncryptedKeyMaterial: bytes },
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      ),
  ],
]

const agreed = { rule: '5 X', who: 'bob', policy: everyone, identity: allow() } as const

export const forOthers: readonly (WireCase & { readonly refusal: string | undefined })[] =
  shared.map(([name, call, refusal]) => ({ ...agreed, name, call, refusal }))

export const forItsOwn: readonly WireCase[] = own.map(([name, call]) => ({
  ...agreed,
  ...{ name, call, permission: `kms:${name}`, denied: 'unknown' },
}))
