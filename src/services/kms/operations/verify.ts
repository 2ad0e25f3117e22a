import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded, invalidSignature } from '../errors.ts'
import { arnOf } from '../key.ts'
import { resolveKey, used } from '../key-identifier.ts'
import { currentMaterial } from '../material.ts'
import { errorsOfUse, requireGrantTokens, requireMessage, requireUse } from '../refusals.ts'
import * as shapes from '../shapes.ts'
import { recordedSigning, signingCheck } from '../signing.ts'

const rules = used('kms:Verify')

/** Answers that a signature is valid, and never that it is not: that is a failure. */
export const verify = operation({
  name: 'Verify',
  input: structure({
    KeyId: required(shapes.keyId),
    Message: required(shapes.message),
    MessageType: shapes.messageType,
    Signature: required(shapes.proof),
    SigningAlgorithm: required(shapes.signingAlgorithm),
    GrantTokens: shapes.grantTokens,
    DryRun: boolean(),
  }),
  output: structure({
    KeyId: shapes.keyId,
    SignatureValid: boolean(),
    SigningAlgorithm: shapes.signingAlgorithm,
  }),
  effects: 'use',
  errors: [...errorsOfUse, 'invalid-kms-signature'],
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
    const { Message, MessageType = 'RAW', Signature } = request
    const algorithm = requireUse(key, 'Verify', 'SIGN_VERIFY', request.SigningAlgorithm)
    requireMessage(Message, MessageType, algorithm)
    const material = currentMaterial(state, key)
    if (!(await hsm.verify(material, algorithm, MessageType, Message, Signature))) {
      throw invalidSignature()
    }
    if (request.DryRun === true) throw dryRunSucceeded()
    return {
      output: { KeyId: arnOf(key), SignatureValid: true, SigningAlgorithm: algorithm },
    }
  },
})
