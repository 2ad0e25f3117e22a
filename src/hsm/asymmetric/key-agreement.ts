import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'
import { curveOf, isNamedSpki } from './curve.ts'

/**
 * The public half of somebody else's key. Throws 'validation' for anything but a point of the curve of `own`, named
 * and not written out: parameters that come with a key could be of a curve on which the secret can be found.
 */
export function readPeer(own: KeyObject, spki: Buffer): KeyObject {
  const curve = curveOf(own)
  if (!isNamedSpki(curve, spki)) throw notOfTheCurve(curve.name)
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    throw notOfTheCurve(curve.name)
  }
}

/** The x coordinate of the shared point, as long as the field; to be wiped. */
export function agree(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  return diffieHellman({ privateKey, publicKey })
}

/** On libuv's pool. */
export function agreeLater(privateKey: KeyObject, publicKey: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    diffieHellman({ privateKey, publicKey }, (error, secret) =>
      error === null ? resolve(secret) : reject(error),
    )
  })
}

function notOfTheCurve(name: string): ServiceError {
  return new ServiceError('validation', `The public key is no point of the curve ${name}.`)
}
