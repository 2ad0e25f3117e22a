import { ServiceError } from '../../../base/errors.ts'
import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { grantableCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded, invalidPublicKey } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, refuseRecipient, requireGrantTokens, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:DeriveSharedSecret')

export const deriveSharedSecret = operation({
  name: 'DeriveSharedSecret',
  input: structure({
    KeyId: required(shapes.keyId),
    KeyAgreementAlgorithm: required(shapes.keyAgreementAlgorithm),
    PublicKey: required(shapes.publicKey),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
    Recipient: shapes.recipient,
  }),
  output: structure({
    KeyId: shapes.keyId,
    SharedSecret: shapes.sharedSecret,
    CiphertextForRecipient: shapes.ciphertext,
    KeyAgreementAlgorithm: shapes.keyAgreementAlgorithm,
    KeyOrigin: shapes.origin,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'unsupported'],
  resolve(call, request, deps: KmsDeps) {
    refuseRecipient(request.Recipient)
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, { KeyAgreementAlgorithm }, target, deps) => [
    grantableCheck(call, rules.permission, target, deps, {
      'kms:KeyAgreementAlgorithm': KeyAgreementAlgorithm,
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      keyAgreementAlgorithm: request.KeyAgreementAlgorithm,
      dryRun: request.DryRun,
    }),
    resources: ({ key }) => [keyResource(key)],
  },
  async handle(_call, { KeyAgreementAlgorithm, PublicKey, DryRun }, { key }, { state, hsm }) {
    requireUse(key, 'DeriveSharedSecret', 'KEY_AGREEMENT', KeyAgreementAlgorithm)
    const material = currentMaterial(state, key)
    const secret = await hsm.deriveSharedSecret(material, PublicKey).catch((error: unknown) => {
      const invalid = error instanceof ServiceError && error.code === 'validation'
      throw invalid ? invalidPublicKey() : error
    })
    if (DryRun === true) {
      secret.fill(0)
      throw dryRunSucceeded()
    }
    return {
      output: {
        KeyId: arnOf(key),
        SharedSecret: secret,
        KeyAgreementAlgorithm,
        KeyOrigin: key.origin,
      },
    }
  },
})
