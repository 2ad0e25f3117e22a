import { isSymmetric } from '../../../hsm/key-specs.ts'
import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { useCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import {
  errorsOfUse,
  refuseContextOfAsymmetric,
  requireGrantTokens,
  requireRoomFor,
  requireUse,
} from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:Encrypt')

export const encrypt = operation({
  name: 'Encrypt',
  input: structure({
    KeyId: required(shapes.keyId),
    Plaintext: required(shapes.plaintext),
    EncryptionContext: shapes.encryptionContext,
    GrantTokens: shapes.grantTokens,
    EncryptionAlgorithm: shapes.encryptionAlgorithm,
    DryRun: boolean(),
  }),
  output: structure({
    CiphertextBlob: shapes.ciphertext,
    KeyId: shapes.keyId,
    EncryptionAlgorithm: shapes.encryptionAlgorithm,
  }),
  effects: 'use',
  errors: errorsOfUse,
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    requireBoundedContext(request.EncryptionContext)
    return resolveKey(call, request.KeyId, rules, deps.state)
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
    }),
    resources: ({ key }) => [keyResource(key)],
    additional: (_output, _request, { key }) =>
      isSymmetric(key.keySpec) ? { keyMaterialId: key.currentMaterialId } : undefined,
  },
  async handle(_call, request, { key }, { state, hsm }) {
    const { Plaintext, EncryptionContext, EncryptionAlgorithm = 'SYMMETRIC_DEFAULT' } = request
    const algorithm = requireUse(key, 'Encrypt', 'ENCRYPT_DECRYPT', EncryptionAlgorithm)
    refuseContextOfAsymmetric(key, EncryptionContext)
    requireRoomFor(Plaintext, key, algorithm)
    const material = currentMaterial(state, key)
    if (request.DryRun === true) throw dryRunSucceeded()
    const blob =
      algorithm === 'SYMMETRIC_DEFAULT'
        ? await hsm.encrypt(material, Plaintext, EncryptionContext ?? emptyContext)
        : await hsm.encryptRsa(material, algorithm, Plaintext)
    return {
      output: { CiphertextBlob: blob, KeyId: arnOf(key), EncryptionAlgorithm: algorithm },
    }
  },
})
