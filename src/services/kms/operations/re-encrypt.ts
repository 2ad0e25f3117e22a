import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { materialOf, resolveCiphertext } from '../ciphertext-source.ts'
import { useCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { currentMaterial } from '../material.ts'
import { refuseGrantTokens, requireAlgorithm } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const from = used('kms:ReEncryptFrom')
const to = used('kms:ReEncryptTo')

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
  errors: [
    'disabled',
    'dry-run',
    'incorrect-key',
    'invalid-ciphertext',
    'invalid-grant-token',
    'invalid-key-usage',
    'invalid-state',
    'key-unavailable',
    'not-found',
  ],
  resolve(call, request, deps: KmsDeps) {
    const ciphertext = {
      blob: request.CiphertextBlob,
      keyId: request.SourceKeyId,
      keyIdName: 'sourceKeyId',
      dryRun: request.DryRun,
      modifiers: request.DryRunModifiers,
    }
    const source = resolveCiphertext(call, ciphertext, from, deps)
    const destination = resolveKey(call, request.DestinationKeyId, to, deps.state)
    refuseGrantTokens(request.GrantTokens)
    return { source, destination }
  },
  checks(call, request, { source, destination }) {
    const sameKey = source.key === destination.key
    return [
      useCheck(call, from.permission, source, {
        algorithm: request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
        context: request.SourceEncryptionContext,
        sameKey,
      }),
      useCheck(call, to.permission, destination, {
        algorithm: request.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
        context: request.DestinationEncryptionContext,
        sameKey,
      }),
    ]
  },
  audit: {
    request: (request) => ({
      sourceKeyId: request.SourceKeyId,
      sourceEncryptionAlgorithm: request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      sourceEncryptionContext: request.SourceEncryptionContext,
      destinationKeyId: request.DestinationKeyId,
      destinationEncryptionAlgorithm: request.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      destinationEncryptionContext: request.DestinationEncryptionContext,
      dryRun: request.DryRun,
      dryRunModifiers: request.DryRunModifiers,
    }),
    resources: ({ source, destination }) => [keyResource(source.key), keyResource(destination.key)],
    additional: (output) => ({
      sourceKeyMaterialId: output.SourceKeyMaterialId,
      destinationKeyMaterialId: output.DestinationKeyMaterialId,
    }),
  },
  async handle(_call, request, { source, destination }, { state, hsm }) {
    const sourceAlgorithm = request.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    const destinationAlgorithm = request.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    requireState(source.key, 'ReEncrypt')
    requireState(destination.key, 'ReEncrypt')
    requireAlgorithm(source.key, sourceAlgorithm)
    requireAlgorithm(destination.key, destinationAlgorithm)
    const toMaterial = currentMaterial(state, destination.key)
    if (source.ciphertext === undefined) throw dryRunSucceeded()
    const fromMaterial = materialOf(state, source.key, source.ciphertext)
    const blob = await hsm.reEncrypt(
      {
        material: fromMaterial,
        blob: source.ciphertext.blob,
        context: request.SourceEncryptionContext ?? emptyContext,
      },
      {
        material: toMaterial,
        context: request.DestinationEncryptionContext ?? emptyContext,
      },
    )
    if (request.DryRun === true) throw dryRunSucceeded()
    return {
      output: {
        CiphertextBlob: blob,
        SourceKeyId: arnOf(source.key),
        KeyId: arnOf(destination.key),
        SourceEncryptionAlgorithm: sourceAlgorithm,
        DestinationEncryptionAlgorithm: destinationAlgorithm,
        SourceKeyMaterialId: fromMaterial.materialId,
        DestinationKeyMaterialId: toMaterial.materialId,
      },
    }
  },
})
