import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { dataKeyPairCheck, dataKeyPairSpec, recordedDataKeyPair } from '../data-key-pair.ts'
import type { KmsDeps } from '../deps.ts'
import { emptyContext, requireBoundedContext } from '../encryption-context.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, refuseRecipient, requireGrantTokens, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:GenerateDataKeyPair')

export const generateDataKeyPair = operation({
  name: 'GenerateDataKeyPair',
  input: structure({
    EncryptionContext: shapes.encryptionContext,
    KeyId: required(shapes.keyId),
    KeyPairSpec: required(shapes.dataKeyPairSpec),
    GrantTokens: shapes.grantTokens,
    Recipient: shapes.recipient,
    DryRun: boolean(),
  }),
  output: structure({
    PrivateKeyCiphertextBlob: shapes.ciphertext,
    PrivateKeyPlaintext: shapes.plaintext,
    PublicKey: shapes.publicKey,
    KeyId: shapes.keyId,
    KeyPairSpec: shapes.dataKeyPairSpec,
    CiphertextForRecipient: shapes.ciphertext,
    KeyMaterialId: shapes.keyMaterialId,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'unsupported'],
  resolve(call, request, deps: KmsDeps) {
    refuseRecipient(request.Recipient)
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    requireBoundedContext(request.EncryptionContext)
    const spec = dataKeyPairSpec(request)
    const { key, alias } = resolveKey(call, request.KeyId, rules, deps.state)
    return { key, alias, spec }
  },
  checks: (call, request, target, deps) => [
    dataKeyPairCheck(call, rules.permission, target, request, deps),
  ],
  audit: {
    request: recordedDataKeyPair,
    resources: ({ key }) => [keyResource(key)],
    additional: (output) => ({ keyMaterialId: output.KeyMaterialId }),
  },
  async handle(_call, request, { key, spec }, { state, hsm }) {
    requireUse(key, 'GenerateDataKeyPair', 'ENCRYPT_DECRYPT', 'SYMMETRIC_DEFAULT')
    const material = currentMaterial(state, key)
    if (request.DryRun === true) throw dryRunSucceeded()
    const context = request.EncryptionContext ?? emptyContext
    const pair = await hsm.generateDataKeyPair(material, spec, context)
    return {
      output: {
        PrivateKeyCiphertextBlob: pair.blob,
        PrivateKeyPlaintext: pair.privateKey,
        PublicKey: pair.publicKey,
        KeyId: arnOf(key),
        KeyPairSpec: spec,
        KeyMaterialId: material.materialId,
      },
    }
  },
})
