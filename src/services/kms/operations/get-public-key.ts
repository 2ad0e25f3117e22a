import { isAsymmetric } from '../../../hsm/key-specs.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { grantableCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { noPublicKeyYet, unsupportedKind } from '../errors.ts'
import { arnOf } from '../key.ts'
import { type IdentifierRules, resolveKey } from '../key-identifier.ts'
import { algorithmMembers, customerMasterKeySpecOf } from '../key-metadata.ts'
import { requireState } from '../key-state.ts'
import { requireGrantTokens } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules: IdentifierRules = {
  permission: 'kms:GetPublicKey',
  aliases: true,
  crossAccount: true,
  badArn: 'invalid-arn',
}

export const getPublicKey = operation({
  name: 'GetPublicKey',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantTokens: shapes.grantTokens,
  }),
  output: structure({
    KeyId: shapes.keyId,
    PublicKey: shapes.publicKey,
    CustomerMasterKeySpec: shapes.customerMasterKeySpec,
    KeySpec: shapes.keySpec,
    KeyUsage: shapes.keyUsage,
    EncryptionAlgorithms: shapes.keyMetadata.members.EncryptionAlgorithms,
    SigningAlgorithms: shapes.keyMetadata.members.SigningAlgorithms,
    KeyAgreementAlgorithms: shapes.keyMetadata.members.KeyAgreementAlgorithms,
    EncapsulationAlgorithms: shapes.keyMetadata.members.EncapsulationAlgorithms,
  }),
  effects: 'read',
  errors: ['invalid-arn', 'invalid-grant-token', 'invalid-state', 'not-found', 'unsupported'],
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, _request, target, deps) => [grantableCheck(call, rules.permission, target, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(_call, _request, { key }) {
    requireState(key, 'GetPublicKey')
    if (!isAsymmetric(key.keySpec)) throw unsupportedKind()
    if (key.publicKey === undefined) throw noPublicKeyYet(arnOf(key))
    return {
      output: {
        KeyId: arnOf(key),
        PublicKey: Buffer.from(key.publicKey, 'base64'),
        KeySpec: key.keySpec,
        KeyUsage: key.keyUsage,
        ...customerMasterKeySpecOf(key.keySpec),
        ...algorithmMembers(key),
      },
    }
  },
})
