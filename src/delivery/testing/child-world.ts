import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DigestPublicKey } from '../../services/cloudtrail/delivery.ts'
import { openSqliteStore } from '../../storage/sqlite/store.ts'
import { FolderBuckets } from './buckets.ts'
import { TestSigner } from './signer.ts'
import { World } from './world.ts'

/** Five minutes take so many milliseconds. */
const fiveMinutesMs = 150

/** A world whose state is all in a folder, with time that runs fast and goes on when it is opened again. */
export async function openChildWorld(folder: string) {
  const begun = Number(readOnce(join(folder, 'begun'), () => String(Date.now())))
  const factor = 300_000 / fiveMinutesMs
  const now = () => Date.UTC(2026, 0, 2) + Math.floor((Date.now() - begun) * factor)
  const clock = { time: 0, now }
  const buckets = new FolderBuckets(join(folder, 'buckets'))
  const signer = new FileSigner(join(folder, 'key.pem'))
  const store = await openSqliteStore({ file: join(folder, 'store.db') })
  const world = await World.open({ folder, store, buckets, signer, clock })
  return { world, buckets, signer }
}

class FileSigner extends TestSigner {
  readonly #pem: string

  constructor(file: string) {
    super()
    this.#pem = readOnce(file, () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    })
  }

  override async publicKeys(): Promise<readonly DigestPublicKey[]> {
    const value = createPublicKey(this.#pem).export({ format: 'der', type: 'pkcs1' })
    const times = { validFrom: 0, validTo: Number.MAX_SAFE_INTEGER }
    return [{ value, fingerprint: hash('md5', value, 'hex'), ...times }]
  }

  override async sign(_region: string, text: Buffer) {
    const [key] = await this.publicKeys()
    const signature = sign('sha256', text, createPrivateKey(this.#pem))
    return { signature, fingerprint: key?.fingerprint ?? '' }
  }
}

function readOnce(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, make())
  return readFileSync(file, 'utf8')
}
