import { hash } from 'node:crypto'
import { parseAccountId, parseKeyId, parseRegion } from '../base/ids.ts'
import { isSymmetric, keySpecs } from './key-specs.ts'
import type { KeyName, Material, WrappedMaterial } from './port.ts'

/**
 * Key names and material as one field of a command: their parts, a line each. No part can hold a line break. The last,
 * the spec, is missing for SYMMETRIC_DEFAULT.
 */
export function nameText({ region, account, keyId }: KeyName): string {
  return `${region}\n${account}\n${keyId}`
}

export function materialText(material: Material): string {
  const { materialId, generation, wrapped, keySpec } = material
  const text = `${nameText(material)}\n${materialId}\n${generation}\n${wrapped}`
  return keySpec === undefined ? text : `${text}\n${keySpec}`
}

/** One wrapped form of a material, the same material in another Region or by another domain key being another. */
export type WrappedForm = {
  readonly materialId: string
  /** SHA-256, hexadecimal. There is one text of a form: base64 that is not canonical does not unwrap. */
  readonly digest: string
}

export function formOf({ materialId, wrapped }: WrappedMaterial): WrappedForm {
  return { materialId, digest: hash('sha256', wrapped) }
}

export function formText({ materialId, digest }: WrappedForm): string {
  return `${materialId}\n${digest}`
}

export function parseForm(text: string): WrappedForm | undefined {
  const [, materialId, digest] = /^([0-9a-f]{64})\n([0-9a-f]{64})$/.exec(text) ?? []
  return materialId === undefined || digest === undefined ? undefined : { materialId, digest }
}

export function parseName(text: string): KeyName | undefined {
  const [region, account, keyId, ...rest] = text.split('\n')
  return rest.length === 0 ? nameOf(region, account, keyId) : undefined
}

export function parseMaterial(text: string): Material | undefined {
  const [region, account, keyId, materialId, generation, wrapped, spec, ...rest] = text.split('\n')
  const name = nameOf(region, account, keyId)
  if (name === undefined || rest.length > 0 || wrapped === undefined) return undefined
  if (!/^[0-9a-f]{64}$/.test(materialId ?? '') || !/^[1-9]\d{0,9}$/.test(generation ?? '')) {
    return undefined
  }
  const material = {
    ...name,
    materialId: materialId ?? '',
    generation: Number(generation),
    wrapped,
  }
  if (spec === undefined) return material
  const keySpec = keySpecs.find((each) => each === spec && !isSymmetric(each))
  return keySpec === undefined ? undefined : { ...material, keySpec }
}

function nameOf(region = '', account = '', keyId = ''): KeyName | undefined {
  const parsedRegion = parseRegion(region)
  const parsedAccount = parseAccountId(account)
  const parsedKeyId = parseKeyId(keyId)
  if (parsedRegion === undefined || parsedAccount === undefined) return undefined
  if (parsedKeyId === undefined) return undefined
  return { region: parsedRegion, account: parsedAccount, keyId: parsedKeyId }
}
