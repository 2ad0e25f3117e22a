import { join } from 'node:path'
import { checkpointText, signedNote, verifyText } from './checkpoint.ts'
import { maxCheckpointLag } from './checkpoint-replay.ts'
import { checkpointName, maxVkeyBytes, originName, vkeyName } from './directory.ts'
import { kindOfFrame } from './entry.ts'
import {
  type FileIdentity,
  type Files,
  readSmallFile,
  replaceFile,
  sameFile,
  writeAll,
} from './files.ts'
import {
  checkpointFrame,
  frameHeaderBytes,
  frameOverhead,
  frameTypeOffset,
  maxBatchBytes,
  sealFrame,
} from './frame.ts'
import { appendLeaf, entryLeafHash, rootHash, type Tree } from './merkle.ts'
import { signatureTypes, verifierKey, vkeyText } from './note-keys.ts'
import { isLackOfSpace, Preparation } from './prepare.ts'
import { recoverJournal, type UsedSegment } from './recover.ts'
import { encodeSegmentHeader, segmentName } from './segment.ts'

export type EngineOptions = {
  readonly directory: string
  /** Checkpoint origin of a journal that is made now; one that exists has its own. */
  readonly newOrigin: string
  /** Raw Ed25519 key (32 bytes) of the checkpoints. */
  readonly publicKey: Buffer
  readonly segmentBytes: number
}

type Unsettled = { readonly buffer: Buffer; readonly start: number; readonly end: number }

/**
 * The writer of one journal: frames, segments, tree, checkpoints. It blocks and knows no threads. Once a call has
 * thrown, every later one throws: after a failed write nobody knows what the disk holds, and only recovery finds out.
 */
export class JournalEngine {
  readonly origin: string
  /** Bytes that recovery cut: a batch that was being written when the last writer died. */
  readonly cut: number
  readonly #files: Files
  readonly #options: EngineOptions
  readonly #segments: UsedSegment[]
  #file = -1
  #offset: number
  #sequence: number
  #batch: number
  #tree: Tree
  #unsettled: Unsettled[] = []
  #preparation: Preparation | undefined
  #prepared: UsedSegment | undefined
  #checkpointSize: number
  #hasCheckpointFile: boolean
  #asked: { size: number; text: string; batch: number } | undefined
  #failure: Error | undefined

  /** Throws JournalDamage if the directory holds anything but a journal, whole but for a torn last batch. */
  constructor(files: Files, options: EngineOptions) {
    const { directory } = options
    files.makeDirectory(directory)
    const recovered = recoverJournal(files, options)
    this.#files = files
    this.#options = options
    this.#segments = [...recovered.segments]
    this.#offset = recovered.offset
    this.#sequence = recovered.tree.size
    this.#batch = recovered.batch
    this.#tree = recovered.tree
    this.#prepared = recovered.prepared
    this.#checkpointSize = recovered.checkpointSize
    this.#hasCheckpointFile = recovered.hasCheckpointFile
    this.cut = recovered.cut
    this.origin = recovered.origin ?? options.newOrigin
    if (recovered.origin === undefined) {
      replaceFile(files, join(directory, originName), Buffer.from(`${this.origin}\n`))
      files.flushDirectory(directory)
    }
    if (recovered.missingCheckpointFile !== undefined) {
      this.#writeCheckpointFile(Buffer.from(recovered.missingCheckpointFile))
    }
    this.#writeVkey()
    const last = this.#segments.at(-1)
    if (last === undefined) this.#roll()
    else this.#file = files.open(last.path, 'write')
  }

  /** Records on the disk. */
  get size(): number {
    return this.#sequence
  }

  /** Number of the segment that is written to. */
  get segment(): number {
    return this.#current.number
  }

  get checkpointSize(): number {
    return this.#checkpointSize
  }

  /**
   * Writes the entries in `buffer` up to `end`, each laid out as 4 bytes of length, 36 bytes of which one is the type
   * (`frameTypeOffset`) and the others are free, the body and one free byte. On return they are on the disk; answers
   * the index of the first. The buffer must stay as it is until the next `settle`.
   */
  append(buffer: Buffer, end: number): number {
    return this.#guard(() => {
      this.settle()
      const first = this.#sequence
      for (let at = 0; at < end; ) at = this.#writeBatch(buffer, at, end)
      return first
    })
  }

  /** Takes what was written into the tree. Apart from `append`, because no caller waits for it. */
  settle(): void {
    for (const { buffer, start, end } of this.#unsettled) {
      for (let at = start; at < end; ) {
        const body = at + frameHeaderBytes
        const next = at + frameOverhead + buffer.readUInt32BE(at)
        const { leaf } = kindOfFrame(buffer.readUInt8(at + frameTypeOffset))
        this.#tree = appendLeaf(this.#tree, entryLeafHash(leaf, buffer.subarray(body, next - 1)))
        at = next
      }
    }
    this.#unsettled = []
  }

  /** The text to sign if the tree grew since the last checkpoint. */
  checkpointText(): string | undefined {
    this.settle()
    const { size } = this.#tree
    if (size === this.#checkpointSize) return undefined
    const text = checkpointText(this.origin, size, rootHash(this.#tree))
    this.#asked = { size, text, batch: this.#batch }
    return text
  }

  /**
   * Writes the checkpoint whose text was asked for last. Answers why it could not be used, which is the signer's
   * failure and not the journal's, or undefined.
   */
  writeCheckpoint(signature: Buffer): string | undefined {
    const asked = this.#asked
    this.#asked = undefined
    if (asked === undefined) return 'no checkpoint was asked for'
    if (this.#batch - asked.batch > maxCheckpointLag - 2) return 'the signature came too late'
    const { publicKey } = this.#options
    // A bad signature on the disk would keep the journal from starting again.
    if (!verifyText(asked.text, publicKey, signature)) return 'the signature does not verify'
    const note = Buffer.from(signedNote(asked.text, this.origin, publicKey, signature))
    this.#guard(() => {
      this.#writeCheckpointFrame(note)
      this.#writeCheckpointFile(note)
      this.#checkpointSize = asked.size
    })
    return undefined
  }

  /** Whether the next segment is still to be prepared, and whether it is getting late for that. */
  get preparation(): 'done' | 'due' | 'urgent' {
    if (this.#prepared !== undefined) return 'done'
    const used = this.#offset / this.#current.identity.bytes
    const done = (this.#preparation?.done ?? 0) / this.#options.segmentBytes
    return done < 2 * used - 0.5 ? 'urgent' : 'due'
  }

  /** Does a part of it. Answers why it has to wait: no space now, which is no failure until the segment is needed. */
  prepare(): string | undefined {
    return this.#guard(() => {
      if (this.#prepared !== undefined) return undefined
      const preparation = this.#nextPreparation()
      try {
        if (preparation.step()) this.#finishPreparation(preparation)
        return undefined
      } catch (error) {
        if (!isLackOfSpace(error)) throw error
        preparation.abandon()
        return error instanceof Error ? error.message : String(error)
      }
    })
  }

  /** Throws if the segment that is written to, or the prepared one, is no longer the file of its name. */
  checkFiles(): void {
    this.#guard(() => {
      this.#checkFile(this.#current)
      if (this.#prepared !== undefined) this.#checkFile(this.#prepared)
    })
  }

  close(): void {
    const file = this.#file
    this.#file = -1
    this.#failure ??= new Error('the journal is closed')
    if (file >= 0) this.#files.close(file)
  }

  get #current(): UsedSegment {
    const current = this.#segments.at(-1)
    if (current === undefined) throw new Error('the journal has no segment')
    return current
  }

  #writeBatch(buffer: Buffer, start: number, limit: number): number {
    let room = this.#room()
    if (room < frameOverhead + buffer.readUInt32BE(start)) {
      this.#roll()
      room = this.#room()
    }
    let end = start
    let count = 0
    while (end < limit) {
      const next = end + frameOverhead + buffer.readUInt32BE(end)
      if (next - start > room) break
      end = next
      count += 1
    }
    const batchEnd = this.#sequence + count
    let sequence = this.#sequence
    for (let at = start; at < end; sequence += 1) {
      const length = buffer.readUInt32BE(at)
      const type = buffer.readUInt8(at + frameTypeOffset)
      sealFrame(buffer, at, { length, sequence, batch: this.#batch, batchEnd, type })
      at += frameOverhead + length
    }
    if (count === 0) throw new Error('a record is larger than a segment can hold')
    this.#write(buffer, start, end)
    this.#sequence = batchEnd
    this.#unsettled.push({ buffer, start, end })
    return end
  }

  #writeCheckpointFrame(note: Buffer): void {
    const frame = Buffer.alloc(frameOverhead + note.length)
    note.copy(frame, frameHeaderBytes)
    if (this.#room() < frame.length) this.#roll()
    const [sequence, batchEnd] = [this.#sequence, this.#sequence]
    const header = { length: note.length, sequence, batch: this.#batch, batchEnd }
    sealFrame(frame, 0, { ...header, type: checkpointFrame })
    this.#write(frame, 0, frame.length)
  }

  #writeCheckpointFile(note: Buffer): void {
    const { directory } = this.#options
    replaceFile(this.#files, join(directory, checkpointName), note)
    // Once there is a file, an older one may come back after a power cut: the checkpoint is in the stream, too.
    if (!this.#hasCheckpointFile) this.#files.flushDirectory(directory)
    this.#hasCheckpointFile = true
  }

  /** Lets the journal be verified while nothing runs; the next start mends it if somebody has put in another. */
  #writeVkey(): void {
    const path = join(this.#options.directory, vkeyName)
    const key = verifierKey(this.origin, signatureTypes.ed25519, this.#options.publicKey)
    const content = Buffer.from(`${vkeyText(key)}\n`)
    if (readSmallFile(this.#files, path, maxVkeyBytes)?.equals(content) === true) return
    replaceFile(this.#files, path, content)
  }

  #write(buffer: Buffer, start: number, end: number): void {
    writeAll(this.#files, this.#file, buffer, start, end - start, this.#offset)
    this.#offset += end - start
    this.#batch += 1
  }

  #room(): number {
    return Math.min(maxBatchBytes, this.#current.identity.bytes - this.#offset)
  }

  /** Goes on to the next segment, whose header is on the disk before its first batch is. */
  #roll(): void {
    this.settle()
    for (const segment of this.#segments) this.#checkFile(segment)
    while (this.#prepared === undefined) {
      const preparation = this.#nextPreparation()
      if (preparation.step()) this.#finishPreparation(preparation)
    }
    const next = this.#prepared
    this.#prepared = undefined
    this.#checkFile(next)
    const { number, identity } = next
    const file = this.#files.open(next.path, 'write')
    const header = { number, bytes: identity.bytes, batch: this.#batch, origin: this.origin }
    const encoded = encodeSegmentHeader(header, this.#tree)
    writeAll(this.#files, file, encoded, 0, encoded.length, 0)
    if (this.#file >= 0) this.#files.close(this.#file)
    this.#file = file
    this.#segments.push(next)
    this.#offset = encoded.length
  }

  #nextPreparation(): Preparation {
    const { directory, segmentBytes } = this.#options
    const number = this.#segments.length + 1
    this.#preparation ??= new Preparation(this.#files, directory, number, segmentBytes)
    return this.#preparation
  }

  #finishPreparation({ number }: Preparation): void {
    const path = join(this.#options.directory, segmentName(number))
    this.#prepared = { number, path, identity: this.#files.identify(path) }
    this.#preparation = undefined
  }

  #checkFile(segment: UsedSegment): void {
    let now: FileIdentity
    try {
      now = this.#files.identify(segment.path)
    } catch (error) {
      throw new Error(`segment ${segment.path} cannot be found`, { cause: error })
    }
    if (!sameFile(now, segment.identity)) throw new Error(`segment ${segment.path} was replaced`)
  }

  #guard<T>(work: () => T): T {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return work()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      throw this.#failure
    }
  }
}
