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

const rules = used('kms:Encapsulate')

export const encapsulate = operation({
  name: 'Encapsulate',
  input: structure({
    KeyId: required(shapes.keyId),
    EncapsulationAlgorithm: required(shapes.encapsulationAlgorithm),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
  }),
  output: structure({
    KeyId: shapes.keyId,
    SharedSecret: shapes.sharedSecret,
    SharedSecretCiphertextBlob: shapes.ciphertext,
    EncapsulationAlgorithm: shapes.encapsulationAlgorithm,
  }),
  effects: 'use',
  errors: errorsOfUse,
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
  async handle(_call, { EncapsulationAlgorithm, DryRun }, { key }, { state, hsm }) {
    requireUse(key, 'Encapsulate', 'ENCAPSULATE_DECAPSULATE', EncapsulationAlgorithm)
    const material = currentMaterial(state, key)
    if (DryRun === true) throw dryRunSucceeded()
    const { sharedSecret, ciphertext } = await hsm.encapsulate(material)
    return {
      output: {
        KeyId: arnOf(key),
        SharedSecret: sharedSecret,
        SharedSecretCiphertextBlob: ciphertext,
        EncapsulationAlgorithm,
      },
    }
  },
})
