import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import type { Hash } from './merkle.ts'

/**
 * Signed checkpoints: a C2SP tlog-checkpoint (origin, tree size, root) inside a C2SP signed-note with one Ed25519
 * signature (type 0x01), whose key name is the origin.
 */
export type Checkpoint = {
  readonly origin: string
  readonly size: number
  readonly root: Hash
  /** What is signed: the note up to and with the last line feed before the blank line. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export type NoteSignature = {
  readonly name: string
  readonly keyId: Buffer
  readonly signature: Buffer
}

/** A checkpoint with a few cosignatures stays far below. */
export const maxCheckpointBytes = 16 * 1024

const ed25519 = 0x01
/** SubjectPublicKeyInfo of an Ed25519 key up to the 32 key bytes (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

export function checkpointText(origin: string, size: number, root: Hash): string {
  return `${origin}\n${size}\n${Buffer.from(root, 'latin1').toString('base64')}\n`
}

/** First 4 bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key). */
export function checkpointKeyId(name: string, publicKey: Buffer): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), publicKey])
  return hash('sha256', input, 'buffer').subarray(0, 4)
}

export function signedNote(
  text: string,
  name: string,
  publicKey: Buffer,
  signature: Buffer,
): string {
  const blob = Buffer.concat([checkpointKeyId(name, publicKey), signature])
  return `${text}\n\u2014 ${name} ${blob.toString('base64')}\n`
}

/** Answers the checkpoint, unverified, or what is wrong with it. */
export function parseCheckpoint(note: string): Checkpoint | string {
  const gap = note.indexOf('\n\n')
  if (gap < 0) return 'no blank line'
  const text = note.slice(0, gap + 1)
  const [origin = '', size = '', root = ''] = text.split('\n')
  if (origin === '') return 'no origin'
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    return 'no tree size'
  const rootBytes = strictBase64(root)
  if (rootBytes?.length !== 32) return 'no root hash'
  const signatures = parseSignatureLines(note.slice(gap + 2))
  if (signatures === undefined) return 'a malformed signature line'
  return { origin, size: Number(size), root: rootBytes.toString('latin1'), text, signatures }
}

/** Whether one of the signatures is by `publicKey` (32 bytes, raw) under the name of the origin. */
export function verifyCheckpoint(checkpoint: Checkpoint, publicKey: Buffer): boolean {
  const keyId = checkpointKeyId(checkpoint.origin, publicKey)
  return checkpoint.signatures.some(
    (line) =>
      line.name === checkpoint.origin &&
      line.keyId.equals(keyId) &&
      verifyText(checkpoint.text, publicKey, line.signature),
  )
}

export function verifyText(text: string, publicKey: Buffer, signature: Buffer): boolean {
  return verify(null, Buffer.from(text), ed25519PublicKey(publicKey), signature)
}

function ed25519PublicKey(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
}

/** Signature lines of a note, each with its line feed; undefined if one of them is malformed. */
export function parseSignatureLines(lines: string): NoteSignature[] | undefined {
  if (!lines.endsWith('\n')) return undefined
  const signatures: NoteSignature[] = []
  for (const line of lines.slice(0, -1).split('\n')) {
    const [dash, name, encoded, rest] = line.split(' ')
    const blob = encoded === undefined ? undefined : strictBase64(encoded)
    if (dash !== '\u2014' || name === undefined || name === '' || rest !== undefined)
      return undefined
    if (blob === undefined || blob.length < 5) return undefined
    signatures.push({ name, keyId: blob.subarray(0, 4), signature: blob.subarray(4) })
  }
  return signatures
}

function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
