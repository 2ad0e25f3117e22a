import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { useCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { currentMaterial } from '../material.ts'
import { refuseGrantTokens, requireAlgorithm } from '../refusals.ts'
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
  errors: [
    'disabled',
    'dry-run',
    'invalid-grant-token',
    'invalid-key-usage',
    'invalid-state',
    'key-unavailable',
    'not-found',
  ],
  resolve(call, request, deps: KmsDeps) {
    refuseGrantTokens(request.GrantTokens)
    requireBoundedContext(request.EncryptionContext)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, request, target) => [
    useCheck(call, rules.permission, target, {
      algorithm: request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      context: request.EncryptionContext,
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      encryptionAlgorithm: request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      encryptionContext: request.EncryptionContext,
      dryRun: request.DryRun,
    }),
    resources: ({ key }) => [keyResource(key)],
    additional: (_output, _request, { key }) => ({ keyMaterialId: key.currentMaterialId }),
  },
  async handle(_call, request, { key }, { state, hsm }) {
    const algorithm = request.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    requireState(key, 'Encrypt')
    requireAlgorithm(key, algorithm)
    const material = currentMaterial(state, key)
    if (request.DryRun === true) throw dryRunSucceeded()
    const context = request.EncryptionContext ?? emptyContext
    const blob = await hsm.encrypt(material, request.Plaintext, context)
    return {
      output: { CiphertextBlob: blob, KeyId: arnOf(key), EncryptionAlgorithm: algorithm },
    }
  },
})
