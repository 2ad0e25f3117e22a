import { createHash } from 'node:crypto'
import { ServiceError } from '../../../base/errors.ts'
import { isAsymmetric, type KeySpec, specRow } from '../../../hsm/key-specs.ts'
import type { KeyName, NewMaterial } from '../../../hsm/port.ts'

const prefix = Buffer.from('wrapped ')

/** What the owner of material sends to a fake key core: anyone can read it. */
export function wrapForFake(material: Buffer): Buffer {
  return Buffer.concat([prefix, material])
}

export function fakeToken(key: KeyName): Buffer {
  return Buffer.from(`token of ${key.region}/${key.account}/${key.keyId}`)
}

/** As a key core does: 'invalid-import-token', 'invalid-ciphertext', 'incorrect-key-material'. */
export function fakeImport(
  key: KeyName,
  spec: KeySpec,
  { token, encrypted }: { token: Buffer; encrypted: Buffer },
  count: number,
): NewMaterial {
  if (!token.equals(fakeToken(key))) throw new ServiceError('invalid-import-token')
  if (!encrypted.subarray(0, prefix.length).equals(prefix)) {
    throw new ServiceError('invalid-ciphertext')
  }
  const bytes = encrypted.subarray(prefix.length)
  const kind = specRow(spec).material
  if (kind.type === 'secret' && bytes.length !== kind.bytes) {
    throw new ServiceError('incorrect-key-material')
  }
  const materialId = createHash('sha256').update(key.keyId).update(bytes).digest('hex')
  const material = {
    ...key,
    materialId,
    wrapped: `imported ${count} ${materialId}`,
    generation: 1,
    ...(spec !== 'SYMMETRIC_DEFAULT' && { keySpec: spec }),
  }
  const publicKey = isAsymmetric(spec) ? Buffer.from(`public ${materialId}`) : undefined
  return { material, publicKey }
}
