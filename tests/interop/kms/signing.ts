import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  GetPublicKeyCommand,
  type KeySpec,
  type MessageType,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import { digestFor, externalMu, hashOf, verifyOutside } from '../../support/outside-crypto.ts'
import type { TwoRegions } from '../../support/two-regions.ts'
import { entriesOf, signers } from './key-kinds.ts'

export const isEdwardsPrehashed = (algorithm: string) => algorithm === 'ED25519_PH_SHA_512'

export function signing(kms: TwoRegions): void {
  describe('Sign and Verify', () => {
    for (const [spec, algorithms] of entriesOf(signers)) {
      test(spec, () => signsWith(kms, spec, algorithms))
    }

    test('are refused with another algorithm, another type of message, a digest of another length', async () => {
      const { id, arn } = await kms.newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
      const sign = (SigningAlgorithm: SigningAlgorithmSpec, MessageType: MessageType, bytes = 32) =>
        kms.here.send(
          new SignCommand({
            KeyId: id,
            Message: Buffer.alloc(bytes, 1),
            MessageType,
            SigningAlgorithm,
          }),
        )
      await fails(
        sign('ECDSA_SHA_384', 'RAW'),
        'InvalidKeyUsageException',
        'Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.',
      )
      await fails(
        sign('ECDSA_SHA_256', 'DIGEST', 31),
        'ValidationException',
        'Digest is invalid length for algorithm ECDSA_SHA_256.',
      )
      await fails(sign('ECDSA_SHA_256', 'EXTERNAL_MU', 64), 'ValidationException')
      const other = await kms.newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
      await fails(
        kms.here.send(
          new SignCommand({
            KeyId: other.id,
            Message: Buffer.of(1),
            SigningAlgorithm: 'ECDSA_SHA_256',
          }),
        ),
        'InvalidKeyUsageException',
        `${other.arn} key usage is KEY_AGREEMENT which is not valid for Sign.`,
      )
      await fails(
        kms.here.send(
          new SignCommand({
            KeyId: arn,
            Message: Buffer.of(1),
            SigningAlgorithm: 'ECDSA_SHA_256',
            DryRun: true,
          }),
        ),
        'DryRunOperationException',
      )
    })
  })
}

async function signsWith(
  kms: TwoRegions,
  spec: KeySpec,
  algorithms: readonly SigningAlgorithmSpec[],
): Promise<void> {
  const { id, arn } = await kms.newKey({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
  const described = await kms.here.send(new GetPublicKeyCommand({ KeyId: id }))
  assert.equal(described.KeyId, arn)
  assert.equal(described.KeySpec, spec)
  assert.equal(described.KeyUsage, 'SIGN_VERIFY')
  assert.deepEqual([...present(described.SigningAlgorithms)].sort(), [...algorithms].sort())
  const publicKey = createPublicKey({
    key: Buffer.from(present(described.PublicKey)),
    format: 'der',
    type: 'spki',
  })
  for (const SigningAlgorithm of algorithms) {
    const message = Buffer.from(`signed with ${SigningAlgorithm}`)
    const sent: [MessageType, Buffer][] = isEdwardsPrehashed(SigningAlgorithm)
      ? [['DIGEST', digestFor(SigningAlgorithm, message)]]
      : [['RAW', message]]
    if (hashOf(SigningAlgorithm) !== undefined) {
      sent.push(['DIGEST', digestFor(SigningAlgorithm, message)])
    }
    if (SigningAlgorithm === 'ML_DSA_SHAKE_256') {
      sent.push(['EXTERNAL_MU', externalMu(publicKey, message)])
    }
    const [first] = sent
    const [MessageType, Message] = present(first)
    const verify = (Signature: Uint8Array, other = Message) =>
      kms.here.send(
        new VerifyCommand({ KeyId: id, Message: other, MessageType, Signature, SigningAlgorithm }),
      )
    for (const [type, bytes] of sent) {
      const signed = await kms.here.send(
        new SignCommand({ KeyId: id, Message: bytes, MessageType: type, SigningAlgorithm }),
      )
      assert.equal(signed.KeyId, arn)
      assert.equal(signed.SigningAlgorithm, SigningAlgorithm)
      const signature = present(signed.Signature)
      // A signature over a digest is one over the message: whoever verifies needs not know how it was sent.
      const verified = await verify(signature)
      assert.deepEqual(
        [verified.SignatureValid, verified.KeyId, verified.SigningAlgorithm],
        [true, arn, SigningAlgorithm],
      )
      assert.equal(verifyOutside(SigningAlgorithm, publicKey, Message, signature), true, type)
      const altered = Buffer.from(signature)
      altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1)
      await fails(verify(altered), 'KMSInvalidSignatureException')
      const another = Buffer.from(Message)
      another.writeUInt8(another.readUInt8(0) ^ 1, 0)
      await fails(verify(signature, another), 'KMSInvalidSignatureException')
    }
  }
}
