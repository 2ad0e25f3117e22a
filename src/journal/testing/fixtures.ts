import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EntryKind } from '../../base/entry-kind.ts'
import { JournalEngine } from '../engine.ts'
import { frameTypeOf } from '../entry.ts'
import type { Files } from '../files.ts'
import { frameHeaderBytes, frameOverhead, frameTypeOffset } from '../frame.ts'
import { readRecords } from '../reader.ts'

/** A fixed key, so that runs repeat. */
export const privateKey: KeyObject = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${'07'.repeat(32)}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
})

export const publicKey: Buffer = createPublicKey(privateKey)
  .export({ format: 'der', type: 'spki' })
  .subarray(12)

export const signWithKey = (message: Buffer): Promise<Buffer> =>
  Promise.resolve(sign(null, message, privateKey))

export const directory = '/journal'
export const segmentBytes = 16 * 1024

export function openEngine(files: Files, bytes: number = segmentBytes): JournalEngine {
  const newOrigin = 'kagiban/test/00000000-0000-4000-8000-000000000000'
  return new JournalEngine(files, { directory, newOrigin, publicKey, segmentBytes: bytes })
}

/** Entries laid out as the journal's thread gets them. */
export function layOut(records: readonly string[], kind: EntryKind = 'event'): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const frame = Buffer.alloc(frameOverhead + Buffer.byteLength(record))
      frame.writeUInt32BE(frame.length - frameOverhead)
      frame[frameTypeOffset] = frameTypeOf(kind)
      frame.write(record, frameHeaderBytes)
      return frame
    }),
  )
}

export function appendBatch(engine: JournalEngine, records: readonly string[]): number {
  const buffer = layOut(records)
  return engine.append(buffer, buffer.length)
}

export function writeCheckpoint(engine: JournalEngine): string | undefined {
  const text = engine.checkpointText()
  if (text === undefined) return undefined
  return engine.writeCheckpoint(sign(null, Buffer.from(text), privateKey))
}

export function recordsIn(files: Files, path: string = directory): string[] {
  return [...readRecords(path, { files })].map(({ record }) => record)
}

/** A directory that is gone after the test. */
export function temporaryDirectory(context: { after(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'journal-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
