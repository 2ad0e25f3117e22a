import { type Checkpoint, parseCheckpoint } from '../journal/checkpoint.ts'
import type { Hash } from '../journal/merkle.ts'

/** What is posted to a witness at `add-checkpoint` (C2SP tlog-witness). */
export type AddCheckpoint = {
  /** The size that the witness is believed to have cosigned last; 0 for none. */
  readonly old: number
  /** From the old size to the checkpoint's. */
  readonly proof: readonly Hash[]
  readonly note: string
  readonly checkpoint: Checkpoint
}

export const proofHashesMax = 63
/** A note may carry this many signatures; the protocol asks for 16 at the least. */
export const signaturesMax = 32

export function addCheckpointBody(old: number, proof: readonly Hash[], note: string): string {
  const hashes = proof.map((hash) => `${Buffer.from(hash, 'latin1').toString('base64')}\n`)
  return `old ${old}\n${hashes.join('')}\n${note}`
}

/** Answers what is wrong with a body that is none. */
export function parseAddCheckpoint(body: Buffer): AddCheckpoint | string {
  const text = body.toString()
  if (!Buffer.from(text).equals(body)) return 'the body is not UTF-8'
  const gap = text.indexOf('\n\n')
  if (gap < 0) return 'the body has no empty line'
  const [first = '', ...hashes] = text.slice(0, gap).split('\n')
  const old = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1]
  if (old === undefined || !Number.isSafeInteger(Number(old))) {
    return 'the first line is not the old size'
  }
  if (hashes.length > proofHashesMax) return 'the proof is too long'
  const proof: Hash[] = []
  for (const line of hashes) {
    const bytes = Buffer.from(line, 'base64')
    if (bytes.length !== 32 || bytes.toString('base64') !== line) return 'a line is no hash'
    proof.push(bytes.toString('latin1'))
  }
  const note = text.slice(gap + 2)
  const checkpoint = parseCheckpoint(note)
  if (typeof checkpoint === 'string') return `the checkpoint has ${checkpoint}`
  if (checkpoint.signatures.length > signaturesMax) return 'the checkpoint has too many signatures'
  return { old: Number(old), proof, note, checkpoint }
}
