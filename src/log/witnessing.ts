import { type Checkpoint, parseCheckpoint, parseSignatureLines } from '../journal/checkpoint.ts'
import { isBy, signatureLine, verifyLine } from '../journal/note-keys.ts'
import { consistencyProof, type Subtrees } from '../journal/proofs.ts'
import { addCheckpointBody } from '../witness/request.ts'
import type { WitnessStatus } from './messages.ts'
import type { WitnessEntry, WitnessList } from './witness-list.ts'

/** A checkpoint to be cosigned: what the log signed, and the tree that proofs are made of. */
export type Head = {
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly subtrees: Subtrees
}

export type Post = (
  url: URL,
  body: string,
) => Promise<{ status: number; type: string; body: string }>

type Asked = {
  readonly entry: WitnessEntry
  /** What it is believed to have cosigned last. */
  old: number
  status: WitnessStatus
  failures: number
  /** Not asked before (`performance.now()`). */
  notBefore: number
}

const timeoutMs = 5000
const answerBytesMax = 64 * 1024
const restMsMax = 300_000

/** Collects the cosignatures of a log's witnesses. One that fails is left alone for longer and longer. */
export class Witnessing {
  readonly #asked: readonly Asked[]
  readonly #quorum: number
  readonly #intervalMs: number
  readonly #post: Post
  readonly #now: () => number
  readonly #log: (line: string) => void
  /** Of the tree that is being cosigned, by the witness. */
  #lines = new Map<string, string>()
  #text = ''

  constructor(
    list: WitnessList,
    options: {
      readonly intervalMs: number
      readonly now: () => number
      readonly log: (line: string) => void
      readonly post?: Post
    },
  ) {
    this.#quorum = list.quorum
    this.#intervalMs = options.intervalMs
    this.#post = options.post ?? postTo
    this.#now = options.now
    this.#log = options.log
    this.#asked = list.witnesses.map((entry) => ({
      entry,
      old: 0,
      status: { name: entry.key.name, size: 0, at: undefined, failure: undefined },
      failures: 0,
      notBefore: 0,
    }))
  }

  status(): readonly WitnessStatus[] {
    return this.#asked.map(({ status }) => status)
  }

  /**
   * Has the head cosigned by those that have not done so, all at the same time. Answers the note with all cosignatures
   * that there are, if they are as many as needed. Takes as long as the slowest, at most ten seconds.
   */
  async cosigned(head: Head): Promise<string | undefined> {
    if (head.checkpoint.text !== this.#text) {
      this.#text = head.checkpoint.text
      this.#lines = new Map()
    }
    const due = this.#asked.filter(
      ({ entry, notBefore }) => !this.#lines.has(entry.key.name) && performance.now() >= notBefore,
    )
    await Promise.all(due.map((asked) => this.#ask(asked, head)))
    if (this.#lines.size < this.#quorum) return undefined
    return head.note + [...this.#lines.values()].join('')
  }

  async #ask(asked: Asked, head: Head): Promise<void> {
    const { name } = asked.entry.key
    const { size } = head.checkpoint
    try {
      const line = (await this.#submit(asked, head)) ?? (await this.#submit(asked, head))
      if (line === undefined) throw new Error('it changes its mind about what it has cosigned')
      this.#lines.set(name, line)
      asked.old = size
      asked.failures = 0
      if (asked.status.failure !== undefined) this.#log(`witness ${name}: it cosigns again`)
      asked.status = { name, size, at: this.#now(), failure: undefined }
    } catch (error) {
      const failure = reasonOf(error)
      if (asked.status.failure !== failure) this.#log(`witness ${name}: ${failure}`)
      asked.status = { ...asked.status, failure }
      asked.failures += 1
      const rest = Math.min(restMsMax, this.#intervalMs * 2 ** Math.min(asked.failures, 16))
      asked.notBefore = performance.now() + rest
    }
  }

  /** The line of the cosignature; undefined if the witness said where the proof has to begin. */
  async #submit(asked: Asked, head: Head): Promise<string | undefined> {
    const { note, checkpoint, subtrees } = head
    const proof = consistencyProof(subtrees, asked.old, checkpoint.size)
    const url = new URL('add-checkpoint', asked.entry.url)
    const { status, type, body } = await this.#post(url, addCheckpointBody(asked.old, proof, note))
    if (status === 200) return cosignatureIn(body, checkpoint, asked.entry)
    if (status === 409 && type === 'text/x.tlog.size') {
      const size = /^(0|[1-9]\d{0,15})\n$/.exec(body)?.[1]
      if (size === undefined) throw new Error('it answers 409 without a size')
      if (Number(size) > checkpoint.size) {
        throw new Error(
          `it has cosigned ${size} entries of this root log, which now has ${checkpoint.size}: the log went back`,
        )
      }
      if (Number(size) === asked.old) {
        throw new Error(`it has cosigned another tree of ${size} entries: the log was forked`)
      }
      asked.old = Number(size)
      return undefined
    }
    if (status === 422) throw new Error('it refuses the proof: what it has cosigned was rewritten')
    if (status === 404) throw new Error('it does not know this log')
    if (status === 403) throw new Error('it does not know the key of this log')
    throw new Error(`it answers ${status}`)
  }
}

function cosignatureIn(body: string, checkpoint: Checkpoint, { key }: WitnessEntry): string {
  const lines = parseSignatureLines(body) ?? []
  const line = lines.slice(0, 16).find((each) => isBy(each, key))
  if (line === undefined || !verifyLine(checkpoint, line, key)) {
    throw new Error('it answers with no cosignature of its key')
  }
  return signatureLine(key, line.signature)
}

/** No text of whoever answers reaches the operator's terminal. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached'
  if (error.name === 'TimeoutError') return `it did not answer within ${timeoutMs} ms`
  if (error.name === 'TypeError') {
    const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : ''
    return `it cannot be reached ${/^[A-Z_]{1,40}$/.test(String(code)) ? `(${code})` : ''}`.trim()
  }
  return error.message
}

async function postTo(url: URL, body: string): ReturnType<Post> {
  const signal = AbortSignal.timeout(timeoutMs)
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error('it answers without end')
    chunks.push(chunk)
  }
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, body: Buffer.concat(chunks).toString() }
}

/** The checkpoint of a note, which this process has made itself. */
export function checkpointOf(note: string): Checkpoint {
  const checkpoint = parseCheckpoint(note)
  if (typeof checkpoint === 'string') throw new Error(`a note with ${checkpoint}`)
  return checkpoint
}
