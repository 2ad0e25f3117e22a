import { RequestParser } from '../request-parser.ts'

export type Parsed = {
  readonly requests: readonly {
    readonly method: string
    readonly target: string
    readonly rawHeaders: readonly string[]
    readonly body: string
  }[]
  /** The status of a refusal, `closed` behind a request that closes, or what is still to come. */
  readonly end: number | 'closed' | 'idle' | 'within'
  /** Bytes of all pieces up to the one with which the last request was whole. */
  readonly consumed: number
}

export const parserLimits = { headerBytes: 16 * 1024, headers: 100 }

/** What the parser makes of the bytes in these pieces. */
export function parse(pieces: readonly Buffer[], limits = parserLimits): Parsed {
  const parser = new RequestParser(limits)
  const requests: Parsed['requests'][number][] = []
  let fed = 0
  let consumed = 0
  for (const piece of pieces) {
    // A copy: the parser wipes what it moves.
    parser.feed(Buffer.from(piece))
    fed += piece.length
    for (let step = parser.next(); step !== 'more'; step = parser.next()) {
      if (step === 'refused') return { requests, end: parser.refusal, consumed }
      if (step === 'head') continue
      const { method, target, rawHeaders, close } = parser.head
      const body = parser.takeBody().toString('latin1')
      requests.push({ method, target, rawHeaders, body })
      consumed = fed
      if (close) return { requests, end: 'closed', consumed }
    }
  }
  return { requests, end: parser.isWithin ? 'within' : 'idle', consumed }
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** Cuts the bytes at these places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ordered = [0, ...places.toSorted((a, b) => a - b), bytes.length]
  return ordered.slice(1).map((to, index) => bytes.subarray(ordered[index], to))
}
