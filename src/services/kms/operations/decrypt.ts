import { isSymmetric } from '../../../hsm/key-specs.ts'
import { boolean, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { materialOf, resolveCiphertext } from '../ciphertext-source.ts'
import { useCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { used } from '../key-identifier.ts'
import {
  errorsOfUse,
  refuseContextOfAsymmetric,
  refuseRecipient,
  requireGrantTokens,
  requireUse,
} from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:Decrypt')

export const decrypt = operation({
  name: 'Decrypt',
  input: structure({
    CiphertextBlob: shapes.ciphertext,
    EncryptionContext: shapes.encryptionContext,
    GrantTokens: shapes.grantTokens,
    KeyId: shapes.keyId,
    EncryptionAlgorithm: shapes.encryptionAlgorithm,
    Recipient: shapes.recipient,
    DryRun: boolean(),
    DryRunModifiers: shapes.dryRunModifiers,
  }),
  output: structure({
    KeyId: shapes.keyId,
    Plaintext: shapes.plaintext,
    EncryptionAlgorithm: shapes.encryptionAlgorithm,
    CiphertextForRecipient: shapes.ciphertext,
    KeyMaterialId: shapes.keyMaterialId,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'incorrect-key', 'invalid-ciphertext', 'unsupported'],
  resolve(call, request, deps: KmsDeps) {
    refuseRecipient(request.Recipient)
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    requireBoundedContext(request.EncryptionContext)
    const source = {
      blob: request.CiphertextBlob,
      keyId: request.KeyId,
      keyIdName: 'keyId',
      algorithm: request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      dryRun: request.DryRun,
      modifiers: request.DryRunModifiers,
    }
    return resolveCiphertext(call, source, rules, deps)
  },
  checks(call, request, target, deps) {
    const use = {
      algorithm: request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      context: request.EncryptionContext,
    }
    return [useCheck(call, rules.permission, target, use, deps)]
  },
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      encryptionAlgorithm: request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      encryptionContext: request.EncryptionContext,
      dryRun: request.DryRun,
      dryRunModifiers: request.DryRunModifiers,
    }),
    resources: ({ key }) => [keyResource(key)],
    additional: ({ KeyMaterialId }) =>
      KeyMaterialId === undefined ? undefined : { keyMaterialId: KeyMaterialId },
  },
  async handle(_call, request, { key, ciphertext }, { state, hsm }) {
    const { EncryptionContext, EncryptionAlgorithm = 'SYMMETRIC_DEFAULT' } = request
    const algorithm = requireUse(key, 'Decrypt', 'ENCRYPT_DECRYPT', EncryptionAlgorithm)
    refuseContextOfAsymmetric(key, EncryptionContext)
    if (ciphertext === undefined) throw dryRunSucceeded()
    const material = materialOf(state, key, ciphertext)
    const plaintext =
      algorithm === 'SYMMETRIC_DEFAULT'
        ? await hsm.decrypt(material, ciphertext.blob, EncryptionContext ?? emptyContext)
        : await hsm.decryptRsa(material, algorithm, ciphertext.blob)
    if (request.DryRun === true) {
      plaintext.fill(0)
      throw dryRunSucceeded()
    }
    return {
      output: {
        KeyId: arnOf(key),
        Plaintext: plaintext,
        EncryptionAlgorithm: algorithm,
        ...(isSymmetric(key.keySpec) && { KeyMaterialId: material.materialId }),
      },
    }
  },
})
