import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { sharedCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { type IdentifierRules, resolveKey } from '../key-identifier.ts'
import { keyMetadata } from '../key-metadata.ts'
import { requireState } from '../key-state.ts'
import { refuseGrantTokens } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules: IdentifierRules = {
  permission: 'kms:DescribeKey',
  aliases: true,
  crossAccount: true,
  badArn: 'invalid-arn',
}

export const describeKey = operation({
  name: 'DescribeKey',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantTokens: shapes.grantTokens,
  }),
  output: structure({ KeyMetadata: shapes.keyMetadata }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-grant-token'],
  resolve(call, request, deps: KmsDeps) {
    refuseGrantTokens(request.GrantTokens)
    return resolveKey(call, request.KeyId, rules, deps.state)
  },
  checks: (call, _request, target) => [sharedCheck(call, rules.permission, target)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    resources: (target) => [keyResource(target.key)],
  },
  handle(_call, _request, { key }) {
    requireState(key, 'DescribeKey')
    return { output: { KeyMetadata: keyMetadata(key) } }
  },
})
