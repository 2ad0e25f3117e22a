import { isSymmetric } from '../../../hsm/key-specs.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { unknownMaterial } from '../errors.ts'
import { requireImportable } from '../import-rules.ts'
import { deleteFrom } from '../imported.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { entryOf } from '../materials.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:DeleteImportedKeyMaterial')

/** Without an id it is the current material that goes. To delete what is not there any more succeeds. */
export const deleteImportedKeyMaterial = operation({
  name: 'DeleteImportedKeyMaterial',
  input: structure({ KeyId: required(shapes.keyId), KeyMaterialId: shapes.keyMaterialId }),
  output: structure({ KeyId: shapes.keyId, KeyMaterialId: shapes.keyMaterialId }),
  effects: 'write',
  errors: ['invalid-arn', 'invalid-state', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId, keyMaterialId: request.KeyMaterialId }),
    response: (output) => ({ keyId: output.KeyId, keyMaterialId: output.KeyMaterialId }),
    resources: (key) => [keyResource(key)],
  },
  handle(call, request, key, deps) {
    requireImportable(key)
    requireState(key, 'DeleteImportedKeyMaterial')
    const materialId = request.KeyMaterialId ?? key.currentMaterialId
    const KeyId = arnOf(key)
    if (materialId === undefined) return { output: { KeyId } }
    if (entryOf(key, materialId) === undefined) throw unknownMaterial(KeyId, materialId)
    return {
      output: isSymmetric(key.keySpec) ? { KeyId, KeyMaterialId: materialId } : { KeyId },
      changes: deleteFrom(key, materialId, call.now, deps),
    }
  },
})
