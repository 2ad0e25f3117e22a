/**
 * What client and core say to each other over a socket pair, in both directions the same:
 *
 *   frame  length of the payload u32 ‖ payload: items one after the other
 *   item   code u8 ‖ id u32 ‖ number of fields u8 ‖ fields: length u32 ‖ bytes
 *
 * Integers are big-endian. The code of a command says what to do, that of an answer how it went; an answer has the id
 * of its command. Whatever does not parse ends the connection: both ends are of the same version, so that a malformed
 * frame is a fault and not a misunderstanding.
 */
export const frameBytesMax = 1024 * 1024
/** Of one item: the number is one byte. */
export const fieldsMax = 255

const lengthBytes = 4
const itemHeaderBytes = 6

export const commands = {
  ensureRegion: 1,
  status: 2,
  createMaterial: 3,
  encrypt: 4,
  decrypt: 5,
  reEncrypt: 6,
  generateDataKey: 7,
  generateDataKeyWithoutPlaintext: 8,
  random: 9,
  forget: 10,
  rotateDomainKey: 11,
  rewrap: 12,
  retireDomainKeys: 13,
  sealSecret: 14,
  signingKey: 15,
  signCheckpoint: 16,
  checkpointPublicKey: 17,
  cosignCheckpoint: 60,
  checkpointMlDsaPublicKey: 61,
  sign: 18,
  verify: 19,
  generateMac: 20,
  verifyMac: 21,
  deriveSharedSecret: 22,
  encapsulate: 23,
  decapsulate: 24,
  encryptRsa: 25,
  decryptRsa: 26,
  generateDataKeyPair: 27,
  generateDataKeyPairWithoutPlaintext: 28,
  importParameters: 40,
  importMaterial: 41,
  replicate: 42,
  seal: 50,
  open: 51,
} as const

/** The answer to a command that failed has one field, the `ErrorCode`. */
export const outcomes = { done: 0, failed: 1 } as const

/** The id of no command: an item with it says that the core is at work on what takes long. */
export const heartbeatId = 0

/** A string travels as UTF-8. */
export type Field = Buffer | string

export type Item = { readonly code: number; readonly id: number; readonly fields: readonly Field[] }
/** Fields are views into the frame: they are overwritten once its receiver has returned. */
export type ReceivedItem = Item & { readonly fields: readonly Buffer[] }

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

export function itemBytes({ fields }: Item): number {
  let size = itemHeaderBytes
  for (const field of fields) size += lengthBytes + byteLength(field)
  return size
}

/** As few frames as the limit allows. Throws ProtocolError for an item that does not fit into any. */
export function encodeFrames(items: readonly Item[]): Buffer[] {
  const frames: Buffer[] = []
  let first = 0
  let size = 0
  items.forEach((item, index) => {
    const more = itemBytes(item)
    if (more > frameBytesMax) throw new ProtocolError('an item is longer than a frame')
    if (size + more > frameBytesMax) {
      frames.push(encodeFrame(items, first, index, size))
      first = index
      size = 0
    }
    size += more
  })
  if (size > 0) frames.push(encodeFrame(items, first, items.length, size))
  return frames
}

function encodeFrame(items: readonly Item[], first: number, end: number, size: number): Buffer {
  // Not from the shared pool: frames carry plaintexts and are overwritten as a whole.
  const frame = Buffer.allocUnsafeSlow(lengthBytes + size)
  let at = frame.writeUInt32BE(size, 0)
  for (let index = first; index < end; index++) {
    const item = items[index]
    if (item === undefined) break
    frame[at] = item.code
    at = frame.writeUInt32BE(item.id, at + 1)
    frame[at++] = item.fields.length
    for (const field of item.fields) at = writeField(frame, field, at)
  }
  return frame
}

function writeField(frame: Buffer, field: Field, at: number): number {
  const start = at + lengthBytes
  const length = typeof field === 'string' ? frame.write(field, start) : field.copy(frame, start)
  frame.writeUInt32BE(length, at)
  return start + length
}

function byteLength(field: Field): number {
  return typeof field === 'string' ? Buffer.byteLength(field) : field.length
}

/** Throws ProtocolError. */
export function decodeFrame(payload: Buffer): ReceivedItem[] {
  const items: ReceivedItem[] = []
  let at = 0
  while (at < payload.length) {
    if (at + itemHeaderBytes > payload.length) throw new ProtocolError('an item is cut short')
    const code = payload.readUInt8(at)
    const id = payload.readUInt32BE(at + 1)
    const count = payload.readUInt8(at + 5)
    at += itemHeaderBytes
    const fields: Buffer[] = []
    for (let index = 0; index < count; index++) {
      if (at + lengthBytes > payload.length) throw new ProtocolError('a field is cut short')
      const start = at + lengthBytes
      at = start + payload.readUInt32BE(at)
      if (at > payload.length) throw new ProtocolError('a field is longer than its frame')
      fields.push(payload.subarray(start, at))
    }
    items.push({ code, id, fields })
  }
  return items
}

/** Cuts a byte stream into frames. Overwrites every byte that it was given once the frame is dealt with. */
export class FrameReader {
  readonly #receive: (items: ReceivedItem[]) => void
  /** A frame of which only the beginning has come, with its length prefix. */
  #partial = Buffer.alloc(0)
  #filled = 0
  readonly #prefix = Buffer.alloc(lengthBytes)
  #prefixFilled = 0

  constructor(receive: (items: ReceivedItem[]) => void) {
    this.#receive = receive
  }

  /** Throws ProtocolError, after which the reader is of no more use. */
  push(chunk: Buffer): void {
    try {
      let at = 0
      while (at < chunk.length) at = this.#advance(chunk, at)
    } finally {
      chunk.fill(0)
    }
  }

  #advance(chunk: Buffer, at: number): number {
    if (this.#prefixFilled < lengthBytes) {
      const taken = chunk.copy(this.#prefix, this.#prefixFilled, at)
      this.#prefixFilled += taken
      if (this.#prefixFilled === lengthBytes) this.#begin(chunk.length - at - taken)
      return at + taken
    }
    const size = this.#prefix.readUInt32BE(0)
    if (this.#filled === 0 && chunk.length - at >= size) {
      this.#prefixFilled = 0
      this.#receive(decodeFrame(chunk.subarray(at, at + size)))
      return at + size
    }
    const taken = chunk.copy(this.#partial, this.#filled, at, at + size - this.#filled)
    this.#filled += taken
    if (this.#filled === size) this.#finish()
    return at + taken
  }

  #begin(available: number): void {
    const size = this.#prefix.readUInt32BE(0)
    if (size === 0 || size > frameBytesMax) throw new ProtocolError(`a frame of ${size} bytes`)
    if (available < size) this.#partial = Buffer.allocUnsafeSlow(size)
  }

  #finish(): void {
    const payload = this.#partial
    this.#partial = Buffer.alloc(0)
    this.#filled = 0
    this.#prefixFilled = 0
    try {
      this.#receive(decodeFrame(payload))
    } finally {
      payload.fill(0)
    }
  }
}
