import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { kindOfFrame } from '../entry.ts'
import type { Files } from '../files.ts'
import { JournalReader, type Position } from '../journal-reader.ts'
import { entryLeafHash, type Hash, nodeHash, type Tree, treeOf } from '../merkle.ts'
import { isBy, type VerifierKey } from '../note-keys.ts'
import { inclusionProof, type Subtrees } from '../proofs.ts'
import { segmentHolding } from '../reader.ts'
import { eventIdOf } from './entry-check.ts'
import type { ProvableKind, RecordProof } from './proof-file.ts'
import { readHeaders } from './segment-headers.ts'

export type FoundRecord = {
  readonly kind: ProvableKind
  readonly record: Buffer
  readonly index: number
}

/** The entry with that id, or undefined. Throws JournalDamage. */
export function findRecord(
  files: Files,
  directory: string,
  eventId: string,
): FoundRecord | undefined {
  const reader = new JournalReader(directory, undefined, files)
  const sought = Buffer.from(`"${eventId}"`)
  try {
    while (reader.next(true)) {
      if (reader.frames.isCheckpoint) continue
      const found = inBatch(reader, sought, eventId)
      if (found !== undefined) return found
    }
    return undefined
  } finally {
    reader.close()
  }
}

function inBatch(reader: JournalReader, sought: Buffer, eventId: string): FoundRecord | undefined {
  const { window, starts, ends, types } = reader.frames
  const batch = window.buffer.subarray(0, ends.at(-1))
  let at = batch.indexOf(sought, starts[0])
  for (let count = 0; count < starts.length && at >= 0; count += 1) {
    const [start = 0, end = 0] = [starts[count], ends[count]]
    if (end <= at) continue
    const { kind } = kindOfFrame(types[count] ?? 0)
    const text = batch.subarray(start, end)
    // Records name other records, too.
    if (kind !== 'checkpoint' && eventIdOf(text.toString()) === eventId) {
      return {
        kind,
        record: Buffer.from(text),
        index: reader.position.sequence - starts.length + count,
      }
    }
    at = batch.indexOf(sought, end)
  }
  return undefined
}

/**
 * The proof of a record against the first signed checkpoint that covers it, or undefined as long as there is none.
 * What lies before the record's segment is taken from the header of that segment; a proof that does not hold because
 * the header is not true is found when it is checked. Throws JournalDamage, NotWhole.
 */
export function proveRecord(
  files: Files,
  directory: string,
  found: FoundRecord,
  log: {
    readonly origin: string
    readonly segments: number
    readonly keys: readonly VerifierKey[]
  },
): RecordProof | undefined {
  const start = segmentHolding(files, directory, found.index)
  const headers = readHeaders(files, directory, log.origin, log.segments)
  const header = headers[(start?.segment ?? 1) - 1]?.header
  if (header === undefined) return undefined
  const before = treeOf(header.sequence, header.frontier)
  const covered = leavesUpToCheckpoint(files, directory, start, found.index)
  if (covered === undefined) return undefined
  const hashes = inclusionProof(
    subtreesOf(before, covered.leaves),
    found.index,
    covered.checkpoint.size,
  )
  const { note, keys } = signedBy(covered.checkpoint, log.keys)
  return { ...found, hashes, note, keys }
}

/** The leaves from the start of the segment on, and the first checkpoint of a tree that has the record. */
function leavesUpToCheckpoint(
  files: Files,
  directory: string,
  start: Position | undefined,
  index: number,
): { leaves: Hash[]; checkpoint: Checkpoint } | undefined {
  const reader = new JournalReader(directory, start, files)
  const leaves: Hash[] = []
  try {
    while (reader.next(true)) {
      const note = reader.checkpoint()
      const checkpoint = note === undefined ? undefined : parseCheckpoint(note)
      if (typeof checkpoint === 'object' && checkpoint.size > index) return { leaves, checkpoint }
      if (note !== undefined) continue
      const { window, starts, ends, types } = reader.frames
      starts.forEach((from, count) => {
        const { leaf } = kindOfFrame(types[count] ?? 0)
        leaves.push(entryLeafHash(leaf, window.buffer.subarray(from, ends[count])))
      })
    }
    return undefined
  } finally {
    reader.close()
  }
}

/** Of the tree that begins with `before` and goes on with `leaves`. */
function subtreesOf(before: Tree, leaves: readonly Hash[]): Subtrees {
  const complete = new Map<number, Hash>()
  let end = before.size
  for (let part = before.frontier; part !== undefined; part = part.left) {
    end -= part.leaves
    complete.set(end, part.hash)
  }
  const rootOf: Subtrees = (level, index) => {
    const from = index * 2 ** level
    if (from < before.size && from + 2 ** level <= before.size) return complete.get(from) ?? ''
    if (level === 0) return leaves[from - before.size] ?? ''
    return nodeHash(rootOf(level - 1, 2 * index), rootOf(level - 1, 2 * index + 1))
  }
  return rootOf
}

/** The note with the signatures that those of the keys made that are known, and no others: each can be checked. */
function signedBy(
  checkpoint: Checkpoint,
  known: readonly VerifierKey[],
): { note: string; keys: VerifierKey[] } {
  const keys: VerifierKey[] = []
  let note = `${checkpoint.text}\n`
  for (const { name, keyId, signature } of checkpoint.signatures) {
    const key = known.find((candidate) => isBy({ name, keyId, signature }, candidate))
    if (key === undefined) continue
    keys.push(key)
    note += `\u2014 ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`
  }
  return { note, keys }
}
