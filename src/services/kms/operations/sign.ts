import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, requireGrantTokens, requireMessage, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'
import { recordedSigning, signingCheck } from '../signing.ts'

const rules = used('kms:Sign')

export const sign = operation({
  name: 'Sign',
  input: structure({
    KeyId: required(shapes.keyId),
    Message: required(shapes.message),
    MessageType: shapes.messageType,
    GrantTokens: shapes.grantTokens,
    SigningAlgorithm: required(shapes.signingAlgorithm),
    DryRun: boolean(),
  }),
  output: structure({
    KeyId: shapes.keyId,
    Signature: shapes.proof,
    SigningAlgorithm: shapes.signingAlgorithm,
  }),
  effects: 'use',
  errors: errorsOfUse,
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, request, target, deps) => [
    signingCheck(call, rules.permission, target, request, deps),
  ],
  audit: {
    request: recordedSigning,
    resources: ({ key }) => [keyResource(key)],
  },
  async handle(_call, request, { key }, { state, hsm }) {
    const { Message, MessageType = 'RAW' } = request
    const algorithm = requireUse(key, 'Sign', 'SIGN_VERIFY', request.SigningAlgorithm)
    requireMessage(Message, MessageType, algorithm)
    const material = currentMaterial(state, key)
    if (request.DryRun === true) throw dryRunSucceeded()
    const signature = await hsm.sign(material, algorithm, MessageType, Message)
    return {
      output: { KeyId: arnOf(key), Signature: signature, SigningAlgorithm: algorithm },
    }
  },
})
