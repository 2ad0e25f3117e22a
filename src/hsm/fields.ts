import { internalError } from '../base/errors.ts'
import { parseRegion, type Region } from '../base/ids.ts'
import { encryptionAlgorithms, type RsaEncryptionAlgorithm } from './key-specs.ts'
import { parseForm, parseName, type WrappedForm } from './material-text.ts'
import type { KeyName, Material, NewMaterial } from './port.ts'
import type { Field } from './protocol.ts'

/** What the fields of commands say, and those of answers. What does not parse is 'internal': the client made it. */
const scopeBytesMax = 256

export function ascii(field: Buffer): string {
  return field.toString('latin1')
}

/** Numbers travel as decimal digits. */
export function numberOf(field: Buffer): number {
  const digits = ascii(field)
  if (!/^\d{1,10}$/.test(digits)) throw internalError('not a number')
  return Number(digits)
}

/** Ms since the epoch. */
export function momentOf(field: Buffer): number {
  const digits = ascii(field)
  if (!/^\d{1,15}$/.test(digits)) throw internalError('not a moment')
  return Number(digits)
}

export function fieldsOf({ materialId, wrapped, generation }: Material): readonly Field[] {
  return [materialId, wrapped, String(generation)]
}

export function newFieldsOf({ material, publicKey }: NewMaterial): readonly Field[] {
  return publicKey === undefined ? fieldsOf(material) : [...fieldsOf(material), publicKey]
}

export function oneField(field: Buffer): readonly Field[] {
  return [field]
}

export function truthField(truth: boolean): readonly Field[] {
  return [truth ? '1' : '0']
}

/** Throws 'internal' for a name that is none of them. */
export function oneOf<T extends string>(names: readonly T[], field: Buffer): T {
  const text = ascii(field)
  const name = names.find((each) => each === text)
  if (name === undefined) throw internalError('a name that the key core does not know')
  return name
}

export function encryptionOf(field: Buffer) {
  return oneOf(encryptionAlgorithms, field)
}

export function rsaEncryptionOf(field: Buffer): RsaEncryptionAlgorithm {
  const algorithm = encryptionOf(field)
  if (algorithm === 'SYMMETRIC_DEFAULT') throw internalError('not an algorithm of RSA')
  return algorithm
}

export function regionOf(field: Buffer): Region {
  const region = parseRegion(ascii(field))
  if (region === undefined) throw internalError('not the name of a region')
  return region
}

export function nameOf(field: Buffer): KeyName {
  const name = parseName(ascii(field))
  if (name === undefined) throw internalError('not the name of a key')
  return name
}

export function wrappedFormOf(field: Buffer): WrappedForm {
  const form = parseForm(ascii(field))
  if (form === undefined) throw internalError('not a form of a key material')
  return form
}

export function scopeText(field: Buffer): string {
  if (field.length > scopeBytesMax) throw internalError('a scope that is too long')
  return field.toString('utf8')
}
