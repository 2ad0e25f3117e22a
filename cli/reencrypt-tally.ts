import type { Outcome } from './reencrypt-object.ts'
import type { S3Failure } from './s3-client.ts'

/** Objects that stay as they are. */
export type Left = {
  count: number
  /** The first of them. */
  readonly keys: string[]
}

/** What became of the objects that were looked at. It is kept from one run to the next. */
export type Tally = {
  lookedAt: number
  right: number
  reencrypted: number
  toReencrypt: number
  /** Of the last two. */
  bytes: number
  gone: number
  versioned: boolean
  readonly customerKeys: Left
  readonly wouldBeWeaker: Left
}

const keysMax = 1000

export function newTally(): Tally {
  const none = () => ({ count: 0, keys: [] })
  return {
    ...{ lookedAt: 0, right: 0, reencrypted: 0, toReencrypt: 0, bytes: 0, gone: 0 },
    ...{ versioned: false, customerKeys: none(), wouldBeWeaker: none() },
  }
}

export function addOutcome(tally: Tally, key: string, { kind, bytes, versioned }: Outcome): void {
  tally.versioned ||= versioned
  tally.bytes += bytes
  if (kind === 'right') tally.right += 1
  else if (kind === 'copied') tally.reencrypted += 1
  else if (kind === 'todo') tally.toReencrypt += 1
  else if (kind === 'gone') tally.gone += 1
  else leave(kind === 'customer' ? tally.customerKeys : tally.wouldBeWeaker, key)
}

function leave(left: Left, key: string): void {
  left.count += 1
  if (left.keys.length < keysMax) left.keys.push(key)
}

export type FailureGroup = {
  readonly code: string
  /** ARN of the KMS key that the failure names. */
  readonly key: string | undefined
  /** Of the first of them. */
  readonly message: string
  count: number
  readonly objects: string[]
}

const groupsMax = 50
const objectsMax = 3
const kmsKey = /arn:aws:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]+/

/** Failures by their kind and the key that they name. */
export class Failures {
  readonly #groups = new Map<string, FailureGroup>()
  count = 0

  add(object: string, { code, message }: Pick<S3Failure, 'code' | 'message'>): void {
    this.count += 1
    const key = kmsKey.exec(message)?.[0]
    const group = this.#group(code, key, message)
    group.count += 1
    if (group.objects.length < objectsMax) group.objects.push(object)
  }

  /** The most frequent first. */
  groups(): readonly FailureGroup[] {
    return [...this.#groups.values()].sort((one, other) => other.count - one.count)
  }

  #group(code: string, key: string | undefined, message: string): FailureGroup {
    const isFull = this.#groups.size >= groupsMax
    const name = `${code} ${key ?? ''}`
    const known = this.#groups.get(name) ?? (isFull ? this.#groups.get('others') : undefined)
    if (known !== undefined) return known
    const made = isFull
      ? { code: 'Others', key: undefined, message: '', count: 0, objects: [] }
      : { code, key, message, count: 0, objects: [] }
    this.#groups.set(isFull ? 'others' : name, made)
    return made
  }
}
