import { internalError } from '../base/errors.ts'
import { isAsymmetric, isSymmetric, type KeySpec } from './key-specs.ts'
import type { KeyName, Material, NewMaterial } from './port.ts'

/** What the client makes of an answer's fields, which are overwritten afterwards. */
export function readNewMaterial(
  name: KeyName,
  spec: KeySpec,
  fields: readonly Buffer[],
): NewMaterial {
  const publicKey = isAsymmetric(spec) ? lastingCopyOf(fields[3]) : undefined
  return { material: readMaterial(name, spec, fields), publicKey }
}

export function readMaterial(
  name: KeyName,
  keySpec: KeySpec,
  [materialId, wrapped, generation]: readonly Buffer[],
): Material {
  return {
    ...name,
    ...(isSymmetric(keySpec) ? undefined : { keySpec }),
    materialId: present(materialId).toString('latin1'),
    wrapped: present(wrapped).toString('latin1'),
    generation: Number(present(generation).toString('latin1')),
  }
}

export function truth([field]: readonly Buffer[]): boolean {
  return present(field).toString('latin1') === '1'
}

export function copyOfOne(fields: readonly Buffer[]): Buffer {
  return copyOf(fields[0])
}

export function copyOf(field: Buffer | undefined): Buffer {
  return Buffer.from(present(field))
}

/** For what is kept long: not a piece of the shared pool, which would hold on to the whole of it. */
export function lastingCopyOf(field: Buffer | undefined): Buffer {
  const source = present(field)
  const copy = Buffer.allocUnsafeSlow(source.length)
  source.copy(copy)
  return copy
}

export function present(field: Buffer | undefined): Buffer {
  if (field === undefined) throw internalError('an answer of the key core without its fields')
  return field
}

export function nothing(): void {}
