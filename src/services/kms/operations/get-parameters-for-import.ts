import { mayWrap, wrappingAlgorithms, wrappingKeySpecs } from '../../../hsm/key-specs.ts'
import { blob, required, structure, timestamp, type Value } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { unsupported, wrappingNotOfSpec } from '../errors.ts'
import { requireImportable } from '../import-rules.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:GetParametersForImport')
const validMs = 24 * 3_600_000

const input = structure({
  KeyId: required(shapes.keyId),
  WrappingAlgorithm: required(shapes.wrappingAlgorithm),
  WrappingKeySpec: required(shapes.wrappingKeySpec),
})

export const getParametersForImport = operation({
  name: 'GetParametersForImport',
  input,
  output: structure({
    KeyId: shapes.keyId,
    ImportToken: shapes.importToken,
    PublicKey: blob({ min: 1, max: 4096 }),
    ParametersValidTo: timestamp(),
  }),
  effects: 'use',
  errors: ['invalid-arn', 'invalid-state', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, request, key, deps) => [
    managementCheck(call, rules.permission, key, deps, {
      'kms:WrappingAlgorithm': request.WrappingAlgorithm,
      'kms:WrappingKeySpec': request.WrappingKeySpec,
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      wrappingAlgorithm: request.WrappingAlgorithm,
      wrappingKeySpec: request.WrappingKeySpec,
    }),
    resources: (key) => [keyResource(key)],
  },
  async handle(call, request, key, { hsm }) {
    requireImportable(key)
    requireState(key, 'GetParametersForImport')
    const wrapping = requireWrapping(key, request)
    const validTo = call.now + validMs
    const { region, account, keyId } = key
    const { publicKey, token } = await hsm.importParameters(
      { region, account, keyId },
      { ...wrapping, validTo },
    )
    return {
      output: {
        KeyId: arnOf(key),
        ImportToken: token,
        PublicKey: publicKey,
        ParametersValidTo: validTo,
      },
    }
  },
})

/** Throws 'unsupported' for what AWS has in China only or no more, and for what does not hold material of that spec. */
function requireWrapping(key: KeyRecord, request: Value<typeof input>) {
  const { WrappingAlgorithm, WrappingKeySpec } = request
  const algorithm = wrappingAlgorithms.find((known) => known === WrappingAlgorithm)
  if (algorithm === undefined) throw unsupported(`WrappingAlgorithm ${WrappingAlgorithm} is`)
  const spec = wrappingKeySpecs.find((known) => known === WrappingKeySpec)
  if (spec === undefined) throw unsupported(`WrappingKeySpec ${WrappingKeySpec} is`)
  if (!mayWrap(key.keySpec, algorithm, spec)) throw wrappingNotOfSpec(algorithm, spec, key.keySpec)
  return { algorithm, spec }
}
