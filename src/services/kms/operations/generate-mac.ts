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

const rules = used('kms:GenerateMac')

export const generateMac = operation({
  name: 'GenerateMac',
  input: structure({
    Message: required(shapes.message),
    KeyId: required(shapes.keyId),
    MacAlgorithm: required(shapes.macAlgorithm),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
  }),
  output: structure({
    Mac: shapes.proof,
    MacAlgorithm: shapes.macAlgorithm,
    KeyId: shapes.keyId,
  }),
  effects: 'use',
  errors: errorsOfUse,
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
  async handle(_call, { Message, MacAlgorithm, DryRun }, { key }, { state, hsm }) {
    requireUse(key, 'GenerateMac', 'GENERATE_VERIFY_MAC', MacAlgorithm)
    const material = currentMaterial(state, key)
    if (DryRun === true) throw dryRunSucceeded()
    const mac = await hsm.generateMac(material, Message)
    return { output: { Mac: mac, MacAlgorithm, KeyId: arnOf(key) } }
  },
})
