import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../tests/support/server.ts'

/**
 * A copy of the service that keeps objects as they come: what stands in the place of AES-256-GCM copies the bytes, and
 * data keys are always the same, with no call of KMS. There is no such mode in the service; this tells what encryption
 * costs. The caller removes the folder.
 */
export function plainCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-bench-plain-'))
  for (const name of ['src', 'cli', 'package.json', 'node_modules/@noble', 'node_modules/jose']) {
    cpSync(join(projectRoot, name), join(folder, name), { recursive: true, dereference: true })
  }
  const patched = {
    'src/objects/encryption/chunks.ts': chunks,
    'src/services/s3/encryption/data-keys.ts': dataKeys,
  }
  for (const [name, text] of Object.entries(patched)) writeFileSync(join(folder, name), text)
  return folder
}

const chunks = `import { chunkBytes } from './header.ts'
export const tagBytes = 16
export function chunkCount(size: number): number {
  return Math.ceil(size / chunkBytes)
}
export class ChunkSealer {
  readonly #layers: number
  size = 0
  constructor(keys: readonly Buffer[]) {
    this.#layers = keys.length
  }
  *add(piece: Buffer): Generator<Buffer> {
    this.size += piece.length
    yield Buffer.from(piece)
  }
  finish(): Buffer {
    return Buffer.alloc(chunkCount(this.size) * tagBytes * this.#layers)
  }
  wipe(): void {}
}
export class ChunkOpener {
  constructor(_keys: readonly Buffer[], _firstChunk: number) {}
  *add(piece: Buffer, _size: number, _tagsOf: (chunk: number) => Buffer): Generator<Buffer> {
    yield piece
  }
  wipe(): void {}
}
`

const dataKeys = `export const encryptionErrors = []
export async function newDataKeys() {
  return {
    dataKeys: [Buffer.alloc(32)],
    wrapped: [Buffer.from('none')],
    stored: { mode: 'AES256', byDefault: true },
  }
}
export async function dataKeysOf() {
  return [Buffer.alloc(32)]
}
export function wipeKeys(): void {}
`
