import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto'
import { join } from 'node:path'
import { type Checkpoint, maxCheckpointBytes, parseCheckpoint } from '../journal/checkpoint.ts'
import { type Files, readSmallFile, replaceFile } from '../journal/files.ts'
import { type JournalLock, lockJournal } from '../journal/lock.ts'
import { nodeFiles } from '../journal/node-files.ts'
import { signatureTypes, type VerifierKey, verifierKey } from '../journal/note-keys.ts'

/** PKCS #8 of an Ed25519 private key up to its 32 bytes (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const seedBytes = 32
const nameBytesMax = 255

/** A checkpoint with the signatures of its log and the witness's own. */
export type Cosigned = { readonly note: string; readonly checkpoint: Checkpoint }

/**
 * What a witness keeps, in a folder that it has to itself: `name`, `key` (the 32 bytes of its Ed25519 private key),
 * and in `logs` the last checkpoint that it cosigned of each log. What `put` has answered is on the disk.
 */
export class WitnessState {
  readonly key: VerifierKey
  readonly #files: Files
  readonly #logs: string
  readonly #private: KeyObject
  readonly #lock: JournalLock

  /** Makes key and name at the first start. Throws JournalInUse while another process has the folder. */
  constructor(directory: string, newName: string | undefined, files: Files = nodeFiles) {
    this.#files = files
    this.#logs = join(directory, 'logs')
    files.makeDirectory(this.#logs)
    this.#lock = lockJournal(files, directory)
    try {
      const name = nameIn(files, directory, newName)
      this.#private = keyIn(files, directory)
      const spki = createPublicKey(this.#private).export({ format: 'der', type: 'spki' })
      const raw = Buffer.from(spki.subarray(spki.length - seedBytes))
      this.key = verifierKey(name, signatureTypes.cosignature, raw)
    } catch (error) {
      this.#lock.release()
      throw error
    }
  }

  sign(message: Buffer): Buffer {
    return sign(null, message, this.#private)
  }

  /** The last checkpoint that was cosigned of a log. Throws if it is damaged: to begin anew would be to forget it. */
  get(origin: string): Cosigned | undefined {
    const path = this.#path(origin)
    const note = readSmallFile(this.#files, path, 4 * maxCheckpointBytes)?.toString()
    if (note === undefined) return undefined
    const checkpoint = parseCheckpoint(note)
    if (typeof checkpoint === 'string' || checkpoint.origin !== origin) {
      throw new Error(`${path} is not what this witness has written`)
    }
    return { note, checkpoint }
  }

  put(origin: string, note: string): void {
    this.#lock.check()
    replaceFile(this.#files, this.#path(origin), Buffer.from(note))
    this.#files.flushDirectory(this.#logs)
  }

  close(): void {
    this.#lock.release()
  }

  #path(origin: string): string {
    return join(this.#logs, originDigest(origin))
  }
}

/** By which a witness names a log where a path has to. */
export function originDigest(origin: string): string {
  return hash('sha256', origin, 'hex')
}

function nameIn(files: Files, directory: string, newName: string | undefined): string {
  const path = join(directory, 'name')
  const known = readSmallFile(files, path, nameBytesMax + 1)
    ?.toString()
    .trim()
  if (known !== undefined) {
    if (newName === undefined || newName === known) return known
    throw new Error(`This witness is called ${known}; another name needs another folder.`)
  }
  const name = newName ?? `kagiban/witness/${randomUUID()}`
  if (!/^[^\s+]+$/.test(name) || Buffer.byteLength(name) > nameBytesMax) {
    throw new Error('A witness has a name of 1 to 255 bytes without spaces and plus signs.')
  }
  replaceFile(files, path, Buffer.from(`${name}\n`))
  files.flushDirectory(directory)
  return name
}

function keyIn(files: Files, directory: string): KeyObject {
  const path = join(directory, 'key')
  let seed = readSmallFile(files, path, seedBytes)
  if (seed === undefined) {
    seed = randomBytes(seedBytes)
    replaceFile(files, path, seed)
    files.flushDirectory(directory)
  }
  if (seed.length !== seedBytes) throw new Error(`${path} is no key of a witness.`)
  const der = Buffer.concat([pkcs8Prefix, seed])
  seed.fill(0)
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}
