import { internalError, ServiceError } from '../../../../base/errors.ts'
import { parseSidecar } from '../../../../objects/encryption/header.ts'
import type { DataKeys } from '../../../../objects/encryption/object-keys.ts'
import { UploadSealer } from '../../../../objects/encryption/seal.ts'
import type { S3Deps } from '../../deps.ts'

type Upload = { readonly bucket: string; readonly key: string }

/**
 * What an upload under a customer's key is completed with, since S3's clients bring that key for the parts alone: it
 * makes labels and opens no byte. Sealed by the key core for this upload, in Base64.
 */
export async function sealedLabelsKey(
  sidecar: Buffer,
  dataKeys: DataKeys,
  identity: Upload,
  { hsm }: Pick<S3Deps, 'hsm'>,
): Promise<string> {
  const sealer = new UploadSealer(sidecar, dataKeys, identity)
  const key = sealer.labelsKey()
  try {
    const sealed = await hsm.seal('object-key', ownerOf(sidecar), key)
    return sealed.toString('base64')
  } finally {
    key.fill(0)
    sealer.wipe()
  }
}

/** To be wiped. */
export async function openLabelsKey(
  sidecar: Buffer,
  sealed: string,
  { hsm }: Pick<S3Deps, 'hsm'>,
): Promise<Buffer> {
  try {
    return await hsm.open('object-key', ownerOf(sidecar), Buffer.from(sealed, 'base64'))
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'invalid-ciphertext') {
      throw internalError('the sealed labels key of an upload does not open', error)
    }
    throw error
  }
}

/** Not the owner of any data key: none can take the place of another. */
function ownerOf(sidecar: Buffer): string {
  return `labels of ${parseSidecar(sidecar).objectId.toString('hex')}`
}
