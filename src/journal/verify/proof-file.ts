import { isUtf8 } from 'node:buffer'
import type { EntryKind } from '../../base/entry-kind.ts'
import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { frameTypeOf, kindOfFrame } from '../entry.ts'
import { maxBodyBytes } from '../frame.ts'
import { entryLeafHash, type Hash, hashBytes } from '../merkle.ts'
import {
  isBy,
  parseVkey,
  signatureTypes,
  type VerifierKey,
  verifyLine,
  vkeyText,
} from '../note-keys.ts'
import { maxProofHashes, rootFromInclusion } from '../proofs.ts'
import { eventIdOf } from './entry-check.ts'

/**
 * A record with the proof that it is in the log, as a text of its own (`docs/formats/proof.md`): three lines and more
 * of ours, an empty line, then a C2SP tlog-proof. Each has one form, so that no character of it can be another.
 */
export type RecordProof = {
  readonly kind: ProvableKind
  /** The exact bytes that were recorded. */
  readonly record: Buffer
  readonly index: number
  readonly hashes: readonly Hash[]
  /** A signed checkpoint, with one signature by each of the keys, in their order, and no others. */
  readonly note: string
  readonly keys: readonly VerifierKey[]
}

export type ProvableKind = Exclude<EntryKind, 'checkpoint'>

export const proofHeading = 'kagiban/proof@v1'
const tlogHeading = 'c2sp.org/tlog-proof@v1'
const kinds: readonly ProvableKind[] = ['event', 'digest', 'item']
const maxKeys = 8

/** A record, the keys and the hashes; keys and signatures with ML-DSA-44 are the largest part of the rest. */
export const maxProofBytes = maxBodyBytes + 64 * 1024

/** Why a file proves nothing. The message is a sentence without its end. */
export class NoProof extends Error {
  override readonly name = 'NoProof'
}

export function proofText(proof: RecordProof): Buffer {
  const { kind, record, index, hashes, note, keys } = proof
  const keyLines = keys.map((key) => `key ${vkeyText(key)}\n`).join('')
  const hashLines = hashes
    .map((hash) => `${Buffer.from(hash, 'latin1').toString('base64')}\n`)
    .join('')
  return Buffer.concat([
    Buffer.from(`${proofHeading}\n${keyLines}${kind} `),
    record,
    Buffer.from(`\n\n${tlogHeading}\nindex ${index}\n${hashLines}\n${note}`),
  ])
}

/**
 * Reads a proof and checks all of it: that the record is the leaf `index` of the tree that the checkpoint is of, and
 * that the keys in the file signed the checkpoint. Whose keys they are, the file cannot prove. Throws NoProof.
 */
export function checkProof(file: Buffer): { proof: RecordProof; checkpoint: Checkpoint } {
  const proof = parse(file)
  const checkpoint = parseCheckpoint(proof.note)
  if (typeof checkpoint === 'string') throw new NoProof(`its checkpoint has ${checkpoint}`)
  // Whatever was read in more than one way would be a character that can be changed.
  if (!proofText(proof).equals(file)) throw new NoProof('it is not written as proofs are written')
  const { leaf } = kindOfFrame(frameTypeOf(proof.kind))
  const leafHash = entryLeafHash(leaf, proof.record)
  const root = rootFromInclusion(leafHash, proof.index, checkpoint.size, proof.hashes)
  if (root !== checkpoint.root) {
    throw new NoProof(
      `the record is not number ${proof.index} of the ${checkpoint.size} that the checkpoint is of`,
    )
  }
  checkSignatures(checkpoint, proof.keys)
  return { proof, checkpoint }
}

function parse(file: Buffer): RecordProof {
  if (file.length > maxProofBytes) throw new NoProof('it is too long')
  if (!isUtf8(file)) throw new NoProof('it is not UTF-8')
  const [ours = '', ...more] = file.toString().split(`\n\n${tlogHeading}\n`)
  const [body = ''] = more
  if (more.length !== 1)
    throw new NoProof(`it does not have one part that begins with ${tlogHeading}`)
  const [heading, ...lines] = ours.split('\n')
  if (heading !== proofHeading) throw new NoProof(`it does not begin with ${proofHeading}`)
  const recordLine = lines.pop() ?? ''
  const kind = kinds.find((candidate) => recordLine.startsWith(`${candidate} {`))
  if (kind === undefined) throw new NoProof('it has no line with a record')
  if (lines.length < 1 || lines.length > maxKeys) throw new NoProof(`it has ${lines.length} keys`)
  const text = recordLine.slice(kind.length + 1)
  if (eventIdOf(text) === undefined)
    throw new NoProof('its record is no JSON object with an eventID')
  const record = Buffer.from(text)
  return { kind, record, keys: lines.map(parseKeyLine), ...parseTlogProof(body) }
}

function parseKeyLine(line: string): VerifierKey {
  const key = line.startsWith('key ') ? parseVkey(line.slice(4)) : 'it is no line with a key'
  if (typeof key === 'string') throw new NoProof(`of a key, ${key}`)
  return key
}

function parseTlogProof(body: string): Pick<RecordProof, 'index' | 'hashes' | 'note'> {
  const gap = body.indexOf('\n\n')
  const [first = '', ...hashLines] = body.slice(0, Math.max(0, gap)).split('\n')
  const index = /^index (0|[1-9]\d{0,15})$/.exec(first)?.[1]
  if (index === undefined || !Number.isSafeInteger(Number(index)))
    throw new NoProof('it has no index')
  if (hashLines.length > maxProofHashes) throw new NoProof(`it has ${hashLines.length} hashes`)
  const hashes = hashLines.map((line) => {
    const hash = Buffer.from(line, 'base64')
    if (hash.length !== hashBytes) throw new NoProof('one of its hashes is none')
    return hash.toString('latin1')
  })
  return { index: Number(index), hashes, note: body.slice(gap + 2) }
}

/** One signature by each key, in their order, and each of a key of the log itself. */
function checkSignatures(checkpoint: Checkpoint, keys: readonly VerifierKey[]): void {
  const { signatures, origin } = checkpoint
  if (signatures.length !== keys.length) {
    throw new NoProof(`it has ${keys.length} keys and ${signatures.length} signatures`)
  }
  keys.forEach((key, at) => {
    const line = signatures[at]
    if (line === undefined || !isBy(line, key))
      throw new NoProof(`signature ${at + 1} is by another key`)
    if (!verifyLine(checkpoint, line, key))
      throw new NoProof(`the signature by ${key.name} is wrong`)
  })
  const [own] = keys
  if (own?.name !== origin || own.type !== signatureTypes.ed25519) {
    throw new NoProof('its first key is not an Ed25519 key of the log')
  }
}
