import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { dataKeyBytes, dataKeyChecks, recordedDataKeyRequest } from '../data-key.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, refuseRecipient, requireGrantTokens, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:GenerateDataKey')

export const generateDataKey = operation({
  name: 'GenerateDataKey',
  input: structure({
    KeyId: required(shapes.keyId),
    EncryptionContext: shapes.encryptionContext,
    NumberOfBytes: shapes.numberOfBytes,
    KeySpec: shapes.dataKeySpec,
    GrantTokens: shapes.grantTokens,
    Recipient: shapes.recipient,
    DryRun: boolean(),
  }),
  output: structure({
    CiphertextBlob: shapes.ciphertext,
    Plaintext: shapes.plaintext,
    KeyId: shapes.keyId,
    CiphertextForRecipient: shapes.ciphertext,
    KeyMaterialId: shapes.keyMaterialId,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'unsupported'],
  resolve(call, request, deps: KmsDeps) {
    refuseRecipient(request.Recipient)
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    requireBoundedContext(request.EncryptionContext)
    const bytes = dataKeyBytes(request)
    const { key, alias } = resolveKey(call, request.KeyId, rules, deps.state)
    return { key, alias, bytes }
  },
  checks: (call, request, target, deps) =>
    dataKeyChecks(call, rules.permission, target, request, deps),
  audit: {
    request: (request) => recordedDataKeyRequest(request),
    resources: ({ key }) => [keyResource(key)],
    additional: (output) => ({ keyMaterialId: output.KeyMaterialId }),
  },
  async handle(_call, request, { key, bytes }, { state, hsm }) {
    requireUse(key, 'GenerateDataKey', 'ENCRYPT_DECRYPT', 'SYMMETRIC_DEFAULT')
    const material = currentMaterial(state, key)
    if (request.DryRun === true) throw dryRunSucceeded()
    const context = request.EncryptionContext ?? emptyContext
    const { plaintext, blob } = await hsm.generateDataKey(material, bytes, context)
    return {
      output: {
        CiphertextBlob: blob,
        Plaintext: plaintext,
        KeyId: arnOf(key),
        KeyMaterialId: material.materialId,
      },
    }
  },
})
