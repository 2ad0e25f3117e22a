import { isSymmetric } from '../../../hsm/key-specs.ts'
import { required, structure, timestamp, type Value } from '../../../wire/schema.ts'
import { type ConditionValues, operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import {
  importTypeOf,
  requireExpected,
  requireExpiration,
  requireImportable,
} from '../import-rules.ts'
import { importInto } from '../imported.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { isoDate } from '../key-metadata.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:ImportKeyMaterial')

const input = structure({
  KeyId: required(shapes.keyId),
  ImportToken: required(shapes.importToken),
  EncryptedKeyMaterial: required(shapes.ciphertext),
  ValidTo: timestamp(),
  ExpirationModel: shapes.expirationModel,
  ImportType: shapes.importType,
  KeyMaterialDescription: shapes.keyMaterialDescription,
  KeyMaterialId: shapes.keyMaterialId,
})

export const importKeyMaterial = operation({
  name: 'ImportKeyMaterial',
  input,
  output: structure({ KeyId: shapes.keyId, KeyMaterialId: shapes.keyMaterialId }),
  effects: 'write',
  errors: [
    'expired-import-token',
    'incorrect-key-material',
    'invalid-arn',
    'invalid-ciphertext',
    'invalid-import-token',
    'invalid-state',
    'not-found',
    'unsupported',
  ],
  resolve(call, request, deps: KmsDeps) {
    requireExpiration(request, call.now)
    return resolveKey(call, request.KeyId, rules, deps.state).key
  },
  checks: (call, request, key, deps) => [
    managementCheck(call, rules.permission, key, deps, expirationConditions(request)),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      validTo: request.ValidTo === undefined ? undefined : isoDate(request.ValidTo),
      expirationModel: request.ExpirationModel ?? 'KEY_MATERIAL_EXPIRES',
      importType: request.ImportType,
      keyMaterialDescription: request.KeyMaterialDescription,
      keyMaterialId: request.KeyMaterialId,
    }),
    response: (output) => ({ keyId: output.KeyId, keyMaterialId: output.KeyMaterialId }),
    resources: (key) => [keyResource(key)],
  },
  async handle(call, request, key, deps) {
    requireImportable(key)
    requireState(key, 'ImportKeyMaterial')
    const type = importTypeOf(key, request)
    const { region, account, keyId, keySpec } = key
    const material = await deps.hsm.importMaterial({ region, account, keyId }, keySpec, {
      token: request.ImportToken,
      encrypted: request.EncryptedKeyMaterial,
    })
    const { materialId } = material.material
    requireExpected(key, materialId, type, request, call.now)
    const arrival = {
      material,
      validTo: request.ValidTo,
      description: request.KeyMaterialDescription,
    }
    return {
      // Keys that have one material for good show no id of it.
      output: isSymmetric(keySpec)
        ? { KeyId: arnOf(key), KeyMaterialId: materialId }
        : { KeyId: arnOf(key) },
      changes: importInto(key, arrival, call.now, deps),
    }
  },
})

/** Both are absent when the request leaves them out: policies tell the two apart. A date is in seconds. */
function expirationConditions({ ExpirationModel, ValidTo }: Value<typeof input>): ConditionValues {
  return {
    ...(ExpirationModel !== undefined && { 'kms:ExpirationModel': ExpirationModel }),
    ...(ValidTo !== undefined && { 'kms:ValidTo': String(ValidTo / 1000) }),
  }
}
