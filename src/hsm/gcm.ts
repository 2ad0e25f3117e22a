import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

/** AES-256-GCM (NIST SP 800-38D) with an IV of 12 bytes and a tag of 16. */
export const tagBytes = 16
export const ivBytes = 12

export function sealGcm(
  key: Buffer | KeyObject,
  iv: Buffer,
  plaintext: Buffer,
  additional: Buffer,
): { readonly ciphertext: Buffer; readonly tag: Buffer } {
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(additional)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

/** The plaintext, to be wiped; undefined when the tag, of 16 bytes, does not verify. */
export function openGcm(
  key: Buffer | KeyObject,
  iv: Buffer,
  sealed: { readonly ciphertext: Buffer; readonly tag: Buffer },
  additional: Buffer,
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  decipher.setAAD(additional)
  decipher.setAuthTag(sealed.tag)
  const plaintext = decipher.update(sealed.ciphertext)
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}
