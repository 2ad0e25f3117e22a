import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  type EncryptionAlgorithmSpec,
  GetPublicKeyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import type { TwoRegions } from '../../support/two-regions.ts'
import { encrypters, entriesOf } from './key-kinds.ts'

const hashBytes = { RSAES_OAEP_SHA_1: 20, RSAES_OAEP_SHA_256: 32 } as const

/** RFC 8017 §7.1.1, and AWS's own bound for symmetric keys. */
function plaintextBytesMax(algorithm: EncryptionAlgorithmSpec, bits: number | undefined): number {
  const hash = hashBytes[algorithm as keyof typeof hashBytes]
  return bits === undefined ? 4096 : bits / 8 - 2 * hash - 2
}

export function encryption(kms: TwoRegions): void {
  describe('Encrypt, Decrypt and ReEncrypt', () => {
    for (const [spec, algorithms] of entriesOf(encrypters)) {
      test(spec, async () => {
        const { id, arn } = await kms.newKey({ KeySpec: spec, KeyUsage: 'ENCRYPT_DECRYPT' })
        const symmetric = await kms.newKey()
        const bits = spec === 'SYMMETRIC_DEFAULT' ? undefined : await modulusBits(id)
        if (bits !== undefined) assert.equal(`RSA_${bits}`, spec)
        for (const EncryptionAlgorithm of algorithms) {
          const max = plaintextBytesMax(EncryptionAlgorithm, bits)
          const encrypt = (bytes: number) =>
            kms.here.send(
              new EncryptCommand({
                KeyId: id,
                Plaintext: Buffer.alloc(bytes, 7),
                EncryptionAlgorithm,
              }),
            )
          await fails(encrypt(max + 1), 'ValidationException', tooLong(EncryptionAlgorithm, spec))
          for (const bytes of [1, max]) {
            const encrypted = await encrypt(bytes)
            assert.deepEqual(
              [encrypted.KeyId, encrypted.EncryptionAlgorithm],
              [arn, EncryptionAlgorithm],
            )
            const CiphertextBlob = present(encrypted.CiphertextBlob)
            const opened = await kms.here.send(
              new DecryptCommand({ KeyId: id, CiphertextBlob, EncryptionAlgorithm }),
            )
            assert.deepEqual(Buffer.from(present(opened.Plaintext)), Buffer.alloc(bytes, 7))
            assert.deepEqual([opened.KeyId, opened.EncryptionAlgorithm], [arn, EncryptionAlgorithm])
            await movesBetween(id, EncryptionAlgorithm, CiphertextBlob, symmetric.id)
            const altered = Buffer.from(CiphertextBlob)
            altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1)
            await fails(
              kms.here.send(
                new DecryptCommand({ KeyId: id, CiphertextBlob: altered, EncryptionAlgorithm }),
              ),
              'InvalidCiphertextException',
            )
          }
        }
      })
    }

    test('are refused where algorithm, context or key do not fit each other', async () => {
      const rsa = await kms.newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
      const Plaintext = Buffer.of(1)
      await fails(
        kms.here.send(new EncryptCommand({ KeyId: rsa.id, Plaintext })),
        'InvalidKeyUsageException',
        'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
      )
      await fails(
        kms.here.send(
          new EncryptCommand({
            KeyId: rsa.id,
            Plaintext,
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
            EncryptionContext: { a: 'b' },
          }),
        ),
        'ValidationException',
      )
      const signer = await kms.newKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })
      await fails(
        kms.here.send(
          new EncryptCommand({
            KeyId: signer.id,
            Plaintext,
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          }),
        ),
        'InvalidKeyUsageException',
        `${signer.arn} key usage is SIGN_VERIFY which is not valid for Encrypt.`,
      )
    })
  })

  async function modulusBits(id: string): Promise<number | undefined> {
    const { PublicKey } = await kms.here.send(new GetPublicKeyCommand({ KeyId: id }))
    const key = createPublicKey({
      key: Buffer.from(present(PublicKey)),
      format: 'der',
      type: 'spki',
    })
    return key.asymmetricKeyDetails?.modulusLength
  }

  /** To a symmetric key and its context, and back. */
  async function movesBetween(
    id: string,
    algorithm: EncryptionAlgorithmSpec,
    CiphertextBlob: Uint8Array,
    symmetric: string,
  ): Promise<void> {
    const context = { moved: 'yes' }
    const moved = await kms.here.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: id,
        SourceEncryptionAlgorithm: algorithm,
        DestinationKeyId: symmetric,
        DestinationEncryptionContext: context,
      }),
    )
    assert.equal(moved.SourceEncryptionAlgorithm, algorithm)
    assert.equal(moved.DestinationEncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    const back = await kms.here.send(
      new ReEncryptCommand({
        CiphertextBlob: present(moved.CiphertextBlob),
        SourceEncryptionContext: context,
        DestinationKeyId: id,
        DestinationEncryptionAlgorithm: algorithm,
      }),
    )
    const opened = await kms.here.send(
      new DecryptCommand({
        KeyId: id,
        CiphertextBlob: present(back.CiphertextBlob),
        EncryptionAlgorithm: algorithm,
      }),
    )
    assert.ok(present(opened.Plaintext).every((byte) => byte === 7))
  }
}

function tooLong(algorithm: EncryptionAlgorithmSpec, spec: string): RegExp {
  return algorithm === 'SYMMETRIC_DEFAULT'
    ? /^1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096$/
    : new RegExp(
        `^Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than \\d+ bytes\\.$`,
      )
}
