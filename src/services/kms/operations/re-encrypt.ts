import { ServiceError } from '../../../base/errors.ts'
import type { AccountId } from '../../../base/ids.ts'
import { type EncryptionAlgorithm, isSymmetric } from '../../../hsm/key-specs.ts'
import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { type CiphertextTarget, materialOf, resolveCiphertext } from '../ciphertext-source.ts'
import { useCheck } from '../conditions.ts'
import { isFound, type OrDenial, orDenial, requireFound } from '../denial.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded, tooLongToEncrypt } from '../errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { type KeyTarget, resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import {
  errorsOfUse,
  plaintextBytesMax,
  refuseContextOfAsymmetric,
  requireGrantTokens,
  requireUse,
} from '../refusals.ts'
import * as shapes from '../shapes.ts'

const from = used('kms:ReEncryptFrom')
const to = used('kms:ReEncryptTo')

type Sides = {
  readonly source: OrDenial<CiphertextTarget>
  readonly destination: OrDenial<KeyTarget>
}

/** Whether a side is shown to the owner of a key: the other may be somebody else's. The caller sees both. */
function concerns(side: OrDenial<KeyTarget> | undefined, owner: AccountId | undefined): boolean {
  return owner === undefined || (side !== undefined && isFound(side) && side.key.account === owner)
}

/** Decrypts and encrypts again; the plaintext never leaves the key core. */
export const reEncrypt = operation({
  name: 'ReEncrypt',
  input: structure({
    CiphertextBlob: shapes.ciphertext,
    SourceEncryptionContext: shapes.encryptionContext,
    SourceKeyId: shapes.keyId,
    DestinationKeyId: required(shapes.keyId),
    DestinationEncryptionContext: shapes.encryptionContext,
    SourceEncryptionAlgorithm: shapes.encryptionAlgorithm,
    DestinationEncryptionAlgorithm: shapes.encryptionAlgorithm,
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
    DryRunModifiers: shapes.dryRunModifiers,
  }),
  output: structure({
    CiphertextBlob: shapes.ciphertext,
    SourceKeyId: shapes.keyId,
    KeyId: shapes.keyId,
    SourceEncryptionAlgorithm: shapes.encryptionAlgorithm,
    DestinationEncryptionAlgorithm: shapes.encryptionAlgorithm,
    SourceKeyMaterialId: shapes.keyMaterialId,
    DestinationKeyMaterialId: shapes.keyMaterialId,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'incorrect-key', 'invalid-ciphertext'],
  resolve(call, request, deps: KmsDeps): Sides {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    requireBoundedContext(request.SourceEncryptionContext)
    requireBoundedContext(request.DestinationEncryptionContext)
    const ciphertext = {
      blob: request.CiphertextBlob,
      keyId: request.SourceKeyId,
      keyIdName: 'sourceKeyId',
      algorithm: request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      dryRun: request.DryRun,
      modifiers: request.DryRunModifiers,
    }
    // What is wrong within the caller's own account is told whatever there is of the other key.
    return {
      source: orDenial(() => resolveCiphertext(call, ciphertext, from, deps)),
      destination: orDenial(() => resolveKey(call, request.DestinationKeyId, to, deps.state)),
    }
  },
  *checks(call, request, target, deps) {
    const source = requireFound(target.source)
    const sameKey = isFound(target.destination) && source.key === target.destination.key
    const opening = {
      algorithm: request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      context: request.SourceEncryptionContext,
      sameKey,
    }
    yield useCheck(call, from.permission, source, opening, deps)
    const sealing = {
      algorithm: request.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      context: request.DestinationEncryptionContext,
      sameKey,
    }
    yield useCheck(call, to.permission, requireFound(target.destination), sealing, deps)
  },
  audit: {
    request: (request, target, owner) => ({
      ...(concerns(target?.source, owner) && {
        sourceKeyId: request.SourceKeyId,
        sourceEncryptionAlgorithm: request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
        sourceEncryptionContext: request.SourceEncryptionContext,
      }),
      ...(concerns(target?.destination, owner) && {
        destinationKeyId: request.DestinationKeyId,
        destinationEncryptionAlgorithm:
          request.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
        destinationEncryptionContext: request.DestinationEncryptionContext,
      }),
      dryRun: request.DryRun,
      dryRunModifiers: request.DryRunModifiers,
    }),
    resources: ({ source, destination }) =>
      [source, destination].filter(isFound).map(({ key }) => keyResource(key)),
    additional: (output, _request, { source, destination }, owner) => ({
      ...(concerns(source, owner) && { sourceKeyMaterialId: output.SourceKeyMaterialId }),
      ...(concerns(destination, owner) && {
        destinationKeyMaterialId: output.DestinationKeyMaterialId,
      }),
    }),
  },
  async handle(_call, request, target, { state, hsm }) {
    const source = requireFound(target.source)
    const destination = requireFound(target.destination)
    const { SourceEncryptionContext, DestinationEncryptionContext } = request
    const sourceAlgorithm = algorithmOf(source.key, request.SourceEncryptionAlgorithm)
    const destinationAlgorithm = algorithmOf(
      destination.key,
      request.DestinationEncryptionAlgorithm,
    )
    refuseContextOfAsymmetric(source.key, SourceEncryptionContext)
    refuseContextOfAsymmetric(destination.key, DestinationEncryptionContext)
    const toMaterial = currentMaterial(state, destination.key)
    if (source.ciphertext === undefined) throw dryRunSucceeded()
    const fromMaterial = materialOf(state, source.key, source.ciphertext)
    const blob = await hsm
      .reEncrypt(
        {
          material: fromMaterial,
          algorithm: sourceAlgorithm,
          blob: source.ciphertext.blob,
          context: SourceEncryptionContext ?? emptyContext,
        },
        {
          material: toMaterial,
          algorithm: destinationAlgorithm,
          context: DestinationEncryptionContext ?? emptyContext,
        },
      )
      .catch((error: unknown) => {
        throw inWordsOf(destination.key, destinationAlgorithm, error)
      })
    if (request.DryRun === true) throw dryRunSucceeded()
    return {
      output: {
        CiphertextBlob: blob,
        SourceKeyId: arnOf(source.key),
        KeyId: arnOf(destination.key),
        SourceEncryptionAlgorithm: sourceAlgorithm,
        DestinationEncryptionAlgorithm: destinationAlgorithm,
        ...(isSymmetric(source.key.keySpec) && { SourceKeyMaterialId: fromMaterial.materialId }),
        ...(isSymmetric(destination.key.keySpec) && {
          DestinationKeyMaterialId: toMaterial.materialId,
        }),
      },
    }
  },
})

function algorithmOf(
  key: KeyRecord,
  algorithm: EncryptionAlgorithm | 'SM2PKE' = 'SYMMETRIC_DEFAULT',
): EncryptionAlgorithm {
  return requireUse(key, 'ReEncrypt', 'ENCRYPT_DECRYPT', algorithm)
}

/** How long the plaintext is, the key core alone knows. */
function inWordsOf(key: KeyRecord, algorithm: EncryptionAlgorithm, error: unknown): unknown {
  const max = plaintextBytesMax(key, algorithm)
  const tooLong = error instanceof ServiceError && error.code === 'validation'
  return tooLong && max !== undefined ? tooLongToEncrypt(algorithm, key.keySpec, max) : error
}
