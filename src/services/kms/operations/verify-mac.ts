import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { grantableCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded, invalidMac } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, requireGrantTokens, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = used('kms:VerifyMac')

/** Answers that a MAC is valid, and never that it is not: that is a failure. */
export const verifyMac = operation({
  name: 'VerifyMac',
  input: structure({
    Message: required(shapes.message),
    KeyId: required(shapes.keyId),
    MacAlgorithm: required(shapes.macAlgorithm),
    Mac: required(shapes.proof),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
  }),
  output: structure({
    KeyId: shapes.keyId,
    MacValid: boolean(),
    MacAlgorithm: shapes.macAlgorithm,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'invalid-mac'],
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, request, target, deps) => [
    grantableCheck(call, rules.permission, target, deps, {
      'kms:MacAlgorithm': request.MacAlgorithm,
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      macAlgorithm: request.MacAlgorithm,
      dryRun: request.DryRun,
    }),
    resources: ({ key }) => [keyResource(key)],
  },
  async handle(_call, { Message, Mac, MacAlgorithm, DryRun }, { key }, { state, hsm }) {
    requireUse(key, 'VerifyMac', 'GENERATE_VERIFY_MAC', MacAlgorithm)
    const material = currentMaterial(state, key)
    if (!(await hsm.verifyMac(material, Message, Mac))) throw invalidMac()
    if (DryRun === true) throw dryRunSucceeded()
    return { output: { KeyId: arnOf(key), MacValid: true, MacAlgorithm } }
  },
})
