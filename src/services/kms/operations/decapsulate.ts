import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { grantableCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, requireGrantTokens, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:Decapsulate')

/** A ciphertext of the right length that was made for another key gives some other secret, by design of ML-KEM. */
export const decapsulate = operation({
  name: 'Decapsulate',
  input: structure({
    KeyId: required(shapes.keyId),
    SharedSecretCiphertextBlob: required(shapes.ciphertext),
    EncapsulationAlgorithm: required(shapes.encapsulationAlgorithm),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
  }),
  output: structure({
    KeyId: shapes.keyId,
    SharedSecret: shapes.sharedSecret,
    EncapsulationAlgorithm: shapes.encapsulationAlgorithm,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'invalid-ciphertext'],
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, _request, target, deps) => [grantableCheck(call, rules.permission, target, deps)],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      encapsulationAlgorithm: request.EncapsulationAlgorithm,
      dryRun: request.DryRun,
    }),
    resources: ({ key }) => [keyResource(key)],
  },
  async handle(_call, request, { key }, { state, hsm }) {
    const { EncapsulationAlgorithm, SharedSecretCiphertextBlob, DryRun } = request
    requireUse(key, 'Decapsulate', 'ENCAPSULATE_DECAPSULATE', EncapsulationAlgorithm)
    const material = currentMaterial(state, key)
    const secret = await hsm.decapsulate(material, SharedSecretCiphertextBlob)
    if (DryRun === true) {
      secret.fill(0)
      throw dryRunSucceeded()
    }
    return { output: { KeyId: arnOf(key), SharedSecret: secret, EncapsulationAlgorithm } }
  },
})
