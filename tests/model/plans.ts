import { createAlias, deleteAlias, updateAlias } from './aliases.ts'
import { decrypt, encrypt, getPublicKey, prove, reEncrypt, verifyProof } from './ciphertexts.ts'
import { createGrant, retireGrant, revokeGrant } from './grants.ts'
import { deleteImportedKeyMaterial, getParametersForImport, importKeyMaterial } from './imports.ts'
import {
  changeTags,
  createKey,
  scheduleKeyDeletion,
  switchKey,
  updateKeyDescription,
} from './keys.ts'
import type { Plan } from './plan.ts'
import { replicateKey, updatePrimaryRegion } from './replication.ts'
import { rotateKeyOnDemand, switchRotation } from './rotation.ts'
import type { Step, StepOf } from './step.ts'
import type { World } from './world.ts'

type Call = Exclude<Step, { do: 'Advance' }>
type Planning = { [D in Call['do']]: (world: World, step: StepOf<D>) => Plan | undefined }

const planning: Planning = {
  CreateKey: createKey,
  Encrypt: encrypt,
  GenerateDataKey: encrypt,
  Decrypt: decrypt,
  ReEncrypt: reEncrypt,
  Prove: prove,
  GetPublicKey: getPublicKey,
  VerifyProof: verifyProof,
  EnableKey: switchKey,
  DisableKey: switchKey,
  CancelKeyDeletion: switchKey,
  ScheduleKeyDeletion: scheduleKeyDeletion,
  UpdateKeyDescription: updateKeyDescription,
  CreateAlias: createAlias,
  UpdateAlias: updateAlias,
  DeleteAlias: deleteAlias,
  TagResource: changeTags,
  UntagResource: changeTags,
  CreateGrant: createGrant,
  RevokeGrant: revokeGrant,
  RetireGrant: retireGrant,
  EnableKeyRotation: switchRotation,
  DisableKeyRotation: switchRotation,
  RotateKeyOnDemand: rotateKeyOnDemand,
  ReplicateKey: replicateKey,
  UpdatePrimaryRegion: updatePrimaryRegion,
  GetParametersForImport: getParametersForImport,
  ImportKeyMaterial: importKeyMaterial,
  DeleteImportedKeyMaterial: deleteImportedKeyMaterial,
}

/** What the step is in this world; undefined where it means nothing, as opening a ciphertext where there is none. */
export function planOf(world: World, step: Call): Plan | undefined {
  // Every step needs a key, if only as something not to be found.
  if (world.families.length === 0 && step.do !== 'CreateKey') {
    return createKey(world, { do: 'CreateKey', kind: 'multi-Region', region: 0, tagged: false })
  }
  const plan = planning[step.do] as (world: World, step: Call) => Plan | undefined
  return plan(world, step)
}
