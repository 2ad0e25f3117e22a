import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { FromSigner, ToSigner } from './protocol.ts'

/**
 * The reference for Sign: `crypto.sign` and nothing else, on libuv's pool, with enough in flight to keep every core
 * busy, as the service has the same cores.
 */
const keys: Readonly<Record<ToSigner['spec'], KeyObject>> = {
  RSA_2048: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ECC_NIST_P256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
}
const message = Buffer.alloc(256, 'm')
const inFlight = 4 * availableParallelism()

async function signFor({ spec, milliseconds }: ToSigner): Promise<FromSigner> {
  const begun = performance.now()
  let signatures = 0
  const one = async () => {
    while (performance.now() - begun < milliseconds) {
      await signed(keys[spec])
      signatures++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return { signatures, seconds: (performance.now() - begun) / 1000 }
}

function signed(key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
}

process.on('message', (question: ToSigner) => {
  signFor(question).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))
