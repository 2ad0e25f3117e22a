import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkpointText, parseCheckpoint, signedNote } from '../../src/journal/checkpoint.ts'
import { isEntryFrame, kindOfFrame } from '../../src/journal/entry.ts'
import {
  checkpointFrame,
  type FrameHeader,
  frameHeaderBytes,
  frameOverhead,
  readFrame,
  sealFrame,
} from '../../src/journal/frame.ts'
import {
  appendLeaf,
  emptyTree,
  entryLeafHash,
  rootHash,
  type Tree,
} from '../../src/journal/merkle.ts'
import { encodeSegmentHeader, segmentHeaderBytes, segmentName } from '../../src/journal/segment.ts'

/** A frame as it stands in a journal: where, and what in it. */
export type Frame = {
  readonly file: string
  readonly at: number
  readonly bytes: number
  readonly type: number
  readonly batch: number
  body: Buffer
}

export function segmentsIn(journal: string): string[] {
  return readdirSync(journal)
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => join(journal, name))
}

/** All frames, of entries and of checkpoints, in their order. */
export function framesIn(journal: string): Frame[] {
  const frames: Frame[] = []
  for (const file of segmentsIn(journal)) {
    const content = readFileSync(file)
    const header: FrameHeader = { length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 }
    let at = segmentHeaderBytes
    while (readFrame(content, at, content.length, header) === undefined) {
      const bytes = frameOverhead + header.length
      const body = content.subarray(at + frameHeaderBytes, at + bytes - 1)
      frames.push({ file, at, bytes, type: header.type, batch: header.batch, body })
      at += bytes
    }
  }
  return frames
}

export type Batch = { readonly entries: readonly { type: number; body: Buffer }[] }

/** The frames by their batches. */
export function batchesIn(journal: string): Batch[] {
  const batches = new Map<number, { type: number; body: Buffer }[]>()
  for (const { batch, type, body } of framesIn(journal)) {
    batches.set(batch, [...(batches.get(batch) ?? []), { type, body }])
  }
  return [...batches.values()].map((entries) => ({ entries }))
}

/**
 * Writes the batches as a journal's writer would, with every checksum, number, header and frontier new. `sign` signs
 * the checkpoints anew, too; without it they stay as they are.
 */
export function writeForged(
  journal: string,
  batches: readonly Batch[],
  sign?: { (text: Buffer): Buffer; readonly publicKey: Buffer },
): void {
  const segmentBytes = readFileSync(segmentsIn(journal)[0] ?? '').length
  const origin = readFileSync(join(journal, 'origin'), 'utf8').trimEnd()
  for (const file of segmentsIn(journal)) rmSync(file)
  let [tree, number, batch]: [Tree, number, number] = [emptyTree, 0, 1]
  let [segment, at] = [Buffer.alloc(0), 0]
  let lastNote: Buffer | undefined
  const roll = () => {
    if (number > 0) writeFileSync(join(journal, segmentName(number)), segment)
    number += 1
    segment = Buffer.alloc(segmentBytes)
    encodeSegmentHeader({ number, bytes: segmentBytes, batch, origin }, tree).copy(segment)
    at = segmentHeaderBytes
  }
  roll()
  for (const { entries } of batches) {
    const bodies = entries.map(({ type, body }) => {
      if (type !== checkpointFrame) return body
      lastNote = sign === undefined ? body : signed(body, origin, tree, sign)
      return lastNote
    })
    const bytes = bodies.reduce((sum, body) => sum + body.length + frameOverhead, 0)
    if (segmentBytes - at < bytes) roll()
    const first = tree.size
    const batchEnd = first + entries.filter(({ type }) => isEntryFrame(type)).length
    entries.forEach(({ type }, index) => {
      const body = bodies[index] ?? Buffer.alloc(0)
      body.copy(segment, at + frameHeaderBytes)
      sealFrame(segment, at, { length: body.length, sequence: tree.size, batch, batchEnd, type })
      if (isEntryFrame(type)) tree = appendLeaf(tree, entryLeafHash(kindOfFrame(type).leaf, body))
      at += frameOverhead + body.length
    })
    batch += 1
  }
  writeFileSync(join(journal, segmentName(number)), segment)
  if (sign !== undefined && lastNote !== undefined)
    writeFileSync(join(journal, 'checkpoint'), lastNote)
}

/** The checkpoint over the tree as it is now, as the holder of the key makes it. */
function signed(
  body: Buffer,
  origin: string,
  tree: Tree,
  sign: { (text: Buffer): Buffer; readonly publicKey: Buffer },
): Buffer {
  const before = parseCheckpoint(body.toString())
  if (typeof before === 'string') throw new Error(before)
  const text = checkpointText(origin, tree.size, rootHash(tree))
  return Buffer.from(signedNote(text, origin, sign.publicKey, sign(Buffer.from(text))))
}
