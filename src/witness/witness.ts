import type { Clock } from '../base/clock.ts'
import type { Checkpoint } from '../journal/checkpoint.ts'
import { emptyTree, rootHash } from '../journal/merkle.ts'
import {
  cosignatureText,
  isBy,
  signatureLine,
  signatureTypes,
  timestamped,
  type VerifierKey,
  verifyLine,
} from '../journal/note-keys.ts'
import { verifyConsistency } from '../journal/proofs.ts'
import { type AddCheckpoint, parseAddCheckpoint } from './request.ts'
import { originDigest, type WitnessState } from './state.ts'

export type WitnessAnswer = {
  readonly status: number
  readonly type: string
  readonly body: string
}

const plain = 'text/plain; charset=utf-8'
const sizeType = 'text/x.tlog.size'

/**
 * A witness of logs (C2SP tlog-witness): it cosigns a checkpoint if the log signed it and if its tree begins with the
 * one that it cosigned last. A log that was forked or rolled back gets no cosignature, ever. All of it is synchronous,
 * so that nothing comes between the look at the last checkpoint and the moment when the new one is on the disk.
 */
export class Witness {
  readonly #state: WitnessState
  readonly #clock: Clock
  readonly #log: (line: string) => void
  /** The keys of each log, by its origin. */
  readonly #keys = new Map<string, VerifierKey[]>()

  constructor(
    state: WitnessState,
    logs: readonly VerifierKey[],
    deps: { readonly clock: Clock; readonly log: (line: string) => void },
  ) {
    this.#state = state
    this.#clock = deps.clock
    this.#log = deps.log
    for (const key of logs) this.#keys.set(key.name, [...(this.#keys.get(key.name) ?? []), key])
    for (const origin of this.#keys.keys()) state.get(origin)
  }

  /** The answer to `POST /add-checkpoint`. */
  add(body: Buffer): WitnessAnswer {
    const request = parseAddCheckpoint(body)
    if (typeof request === 'string') return refusal(400, request)
    const { checkpoint, old, proof } = request
    const { origin, size, root } = checkpoint
    const keys = this.#keys.get(origin)
    if (keys === undefined) return refusal(404, 'this witness does not know the log')
    if (!isSigned(checkpoint, keys)) return refusal(403, 'no signature of a known key is valid')
    if (old > size) return refusal(400, 'the old size is beyond the checkpoint')
    const last = this.#state.get(origin)?.checkpoint
    const lastSize = last?.size ?? 0
    if (old !== lastSize) return conflict(lastSize)
    if (last !== undefined && size === lastSize && root !== last.root) {
      this.#report(request, `another root than the one cosigned at size ${size}`)
      return conflict(lastSize)
    }
    const emptyRootIsWrong = size === 0 && root !== rootHash(emptyTree)
    if (emptyRootIsWrong || !verifyConsistency(old, last?.root ?? '', size, root, proof)) {
      this.#report(request, `no proof that it goes on from size ${old}`)
      return refusal(422, 'the consistency proof does not verify')
    }
    return { status: 200, type: plain, body: this.#cosign(request) }
  }

  /** The answer to `GET /<hex of SHA-256(origin)>/checkpoint`: the last checkpoint, with the cosignature. */
  latest(digest: string): WitnessAnswer {
    const origin = [...this.#keys.keys()].find((known) => originDigest(known) === digest)
    const cosigned = origin === undefined ? undefined : this.#state.get(origin)
    if (cosigned === undefined) return refusal(404, 'there is none')
    return { status: 200, type: plain, body: cosigned.note }
  }

  #cosign({ checkpoint }: AddCheckpoint): string {
    const { key } = this.#state
    const { origin, text } = checkpoint
    const time = Math.floor(this.#clock.now() / 1000)
    const signature = this.#state.sign(cosignatureText(time, text))
    const line = signatureLine(key, timestamped(time, signature))
    const known = checkpoint.signatures.filter((each) =>
      this.#keys.get(origin)?.some((log) => isBy(each, log)),
    )
    const lines = known.map((each) =>
      signatureLine({ ...key, name: each.name, keyId: each.keyId }, each.signature),
    )
    this.#state.put(origin, `${text}\n${lines.join('')}${line}`)
    return line
  }

  #report({ checkpoint, note }: AddCheckpoint, what: string): void {
    const shown = JSON.stringify(note).slice(0, 1000)
    this.#log(
      `${checkpoint.origin}: a signed checkpoint of size ${checkpoint.size} has ${what}: ${shown}`,
    )
  }
}

/** One valid signature of a key that is known, with Ed25519, and no wrong one of any. */
function isSigned(checkpoint: Checkpoint, keys: readonly VerifierKey[]): boolean {
  let signed = false
  for (const line of checkpoint.signatures) {
    const key = keys.find((each) => isBy(line, each))
    if (key === undefined) continue
    if (!verifyLine(checkpoint, line, key)) return false
    signed ||= key.type === signatureTypes.ed25519
  }
  return signed
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, type: sizeType, body: `${size}\n` }
}

function refusal(status: number, reason: string): WitnessAnswer {
  return { status, type: plain, body: `${reason}\n` }
}
