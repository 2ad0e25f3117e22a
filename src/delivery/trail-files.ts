import { gunzipSync } from 'node:zlib'
import { type DigestEntry, sha256 } from './digest.ts'

/** The files of a trail's bucket as somebody has downloaded them. */
export type TrailFiles = {
  /** Keys, with slashes. */
  readonly keys: Iterable<string>
  /** As it stands in the bucket. Undefined: there is none. */
  read(key: string): Uint8Array | undefined
}

export type TrailFault = {
  readonly kind:
    | 'missing-digest'
    | 'altered-digest'
    | 'foreign-digest'
    | 'missing-log'
    | 'altered-log'
    | 'unlisted-log'
    | 'foreign-event'
    | 'repeated-event'
    | 'gap'
  readonly key: string
  /** One sentence. */
  readonly message: string
}

export type TrailFilesReport = {
  readonly faults: readonly TrailFault[]
  readonly digests: number
  readonly logs: number
  /** Log files that no digest lists yet: newer than the newest digest. Their events were looked up in the journal. */
  readonly pending: number
}

export type TrailFilesOptions = {
  readonly files: TrailFiles
  /** The bucket that the files are of; without it, the one of most digests that are there. */
  readonly bucket?: string | undefined
  /** Digests that end earlier (ms) are not demanded: the bucket may have let them go. */
  readonly since?: number | undefined
  /** The texts of entries of the journals, read anew at each call. */
  readonly entries: (kind: 'digest' | 'event') => Iterable<string>
}

/** Of a text; a file that is larger is none of ours. */
const textBytesMax = 2 * 1024 * 1024 * 1024

/**
 * Compares the files of a trail's bucket with what the journals say of them. The journals' tree is verified by
 * itself; with it, this closes what `aws cloudtrail validate-logs` leaves open: a digest that the holder of the signing
 * key rewrote and signed again, the newest digests being deleted, and log files that no digest lists.
 */
export function verifyTrailFiles(options: TrailFilesOptions): TrailFilesReport {
  return new TrailFilesCheck(options).report()
}

type DigestFile = {
  readonly logFiles: readonly {
    readonly s3Bucket: string
    readonly s3Object: string
    readonly hashValue: string
    readonly tlog?: readonly {
      readonly origin: string
      readonly firstIndex: number
      readonly endIndex: number
    }[]
  }[]
}

class TrailFilesCheck {
  readonly #options: TrailFilesOptions
  readonly #faults: TrailFault[] = []
  readonly #digestKeys: string[] = []
  readonly #logKeys = new Set<string>()
  readonly #listed = new Set<string>()
  /** By the folder of log files: the end of the newest digest of each trail that delivers there. */
  readonly #ends = new Map<string, Map<string, string>>()
  #digests = 0

  constructor(options: TrailFilesOptions) {
    this.#options = options
    for (const key of options.files.keys) {
      if (!key.endsWith('.json.gz')) continue
      if (key.includes('/CloudTrail-Digest/')) this.#digestKeys.push(key)
      else if (key.includes('/CloudTrail/')) this.#logKeys.add(key)
    }
  }

  report(): TrailFilesReport {
    const entries = this.#entries()
    const known = new Set(entries.map(({ s3Object }) => s3Object))
    for (const key of this.#digestKeys) {
      if (!known.has(key)) this.#fault('foreign-digest', key, 'the journal knows of no such digest')
    }
    const since = this.#options.since ?? Number.NEGATIVE_INFINITY
    const ranges = new Map<string, number>()
    for (const entry of entries) this.#checkDigest(entry, since, ranges)
    const pending = this.#checkUnlisted()
    return { faults: this.#faults, digests: this.#digests, logs: this.#listed.size, pending }
  }

  /** What the journals say of the digests of this bucket, in the order in which they were made. */
  #entries(): readonly DigestEntry[] {
    const all = [...this.#options.entries('digest')].map((text) => JSON.parse(text) as DigestEntry)
    const bucket = this.#options.bucket ?? this.#mostNamed(all)
    return all
      .filter(({ s3Bucket }) => s3Bucket === bucket)
      .sort((one, other) => (one.digestEndTime < other.digestEndTime ? -1 : 1))
  }

  #mostNamed(entries: readonly DigestEntry[]): string | undefined {
    const present = new Set(this.#digestKeys)
    const counts = new Map<string, number>()
    for (const { s3Bucket, s3Object } of entries) {
      const count = present.has(s3Object) ? 1 : 0
      counts.set(s3Bucket, (counts.get(s3Bucket) ?? 0) + count)
    }
    return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0]
  }

  #checkDigest(entry: DigestEntry, since: number, ranges: Map<string, number>): void {
    const { s3Object: key, hashValue, trailARN, awsRegion, digestEndTime } = entry
    const chain = `${trailARN} ${awsRegion}`
    const folder = logFolderOf(key.replace('/CloudTrail-Digest/', '/CloudTrail/'))
    const ends = this.#ends.get(folder) ?? new Map<string, string>()
    this.#ends.set(folder, ends.set(trailARN, digestEndTime))
    const text = this.#text(key)
    if (text === undefined) {
      if (Date.parse(digestEndTime) < since) return
      this.#fault(
        'missing-digest',
        key,
        'the journal says that it was delivered, and it is not there',
      )
      return
    }
    if (sha256(text) !== hashValue) {
      this.#fault(
        'altered-digest',
        key,
        `the journal says that its SHA-256 was ${hashValue}; it is ${sha256(text)}`,
      )
      return
    }
    this.#digests++
    const digest = JSON.parse(text.toString()) as DigestFile
    if (entry.previousDigestHashValue === null) forgetChain(ranges, chain)
    for (const file of digest.logFiles) this.#checkLog(file, entry, ranges, chain)
  }

  #checkLog(
    { s3Bucket, s3Object: key, hashValue, tlog = [] }: DigestFile['logFiles'][number],
    entry: DigestEntry,
    ranges: Map<string, number>,
    chain: string,
  ): void {
    for (const { origin, firstIndex, endIndex } of tlog) {
      const id = `${chain} ${origin}`
      const end = ranges.get(id)
      if (end !== undefined && firstIndex < end) {
        this.#fault(
          'gap',
          key,
          `it begins at record ${firstIndex}, and the file before ends at ${end}`,
        )
      }
      ranges.set(id, endIndex)
    }
    // After a trail was given another bucket, its first digest there lists files of the bucket before.
    if (s3Bucket !== entry.s3Bucket) return
    this.#listed.add(key)
    const text = this.#text(key)
    if (text === undefined) {
      this.#fault('missing-log', key, `the digest ${entry.s3Object} lists it, and it is not there`)
    } else if (sha256(text) !== hashValue) {
      this.#fault('altered-log', key, `it has not the SHA-256 that ${entry.s3Object} says`)
    }
  }

  /** Files that are newer than the newest digest may wait for theirs; then their events are in the journal. */
  #checkUnlisted(): number {
    const waiting: string[] = []
    for (const key of this.#logKeys) {
      if (this.#listed.has(key)) continue
      const delivered = /_(\d{8}T\d{4})Z_[A-Za-z0-9]{16}\.json\.gz$/.exec(key)?.[1]
      // A name does not say which of several trails of one folder the file is of.
      const [end = ''] = [...(this.#ends.get(logFolderOf(key))?.values() ?? [])]
        .map((time) => time.replaceAll(/[-:]/g, '').slice(0, 13))
        .sort()
      if (delivered !== undefined && delivered >= end) waiting.push(key)
      else this.#fault('unlisted-log', key, 'no digest lists it, and later digests are there')
    }
    this.#checkEvents(waiting)
    return waiting.length
  }

  /** Each event stands in the journal as it stands in the file, and in one file alone. */
  #checkEvents(keys: readonly string[]): void {
    const sought = new Map<string, { key: string; hash: string }>()
    for (const key of keys) {
      for (const record of this.#records(key)) {
        const id = eventIdOf(record)
        const known = sought.get(id)
        if (known === undefined) sought.set(id, { key, hash: sha256(JSON.stringify(record)) })
        else if ((this.#ends.get(logFolderOf(key))?.size ?? 0) < 2)
          this.#fault('repeated-event', key, `the event ${id} stands in ${known.key}, too`)
      }
    }
    if (sought.size === 0) return
    for (const text of this.#options.entries('event')) {
      const id = /"eventID":"([^"]*)"/.exec(text)?.[1] ?? ''
      const event = sought.get(id)
      if (event !== undefined && sha256(JSON.stringify(JSON.parse(text))) === event.hash) {
        sought.delete(id)
      }
    }
    for (const [id, { key }] of sought) {
      this.#fault('foreign-event', key, `its event ${id} does not stand so in the journal`)
    }
  }

  #records(key: string): readonly unknown[] {
    try {
      const parsed = JSON.parse(this.#text(key)?.toString() ?? '') as { Records?: unknown }
      if (Array.isArray(parsed.Records)) return parsed.Records
    } catch {
      // Told below: whatever it is, it is no log file.
    }
    this.#fault('altered-log', key, 'it is no log file')
    return []
  }

  #text(key: string): Buffer | undefined {
    const body = this.#options.files.read(key)
    if (body === undefined) return undefined
    try {
      return gunzipSync(body, { maxOutputLength: textBytesMax })
    } catch {
      return Buffer.alloc(0)
    }
  }

  #fault(kind: TrailFault['kind'], key: string, message: string): void {
    this.#faults.push({ kind, key, message: `${key}: ${message}.` })
  }
}

/** As far as the Region: `prefix/AWSLogs/111122223333/CloudTrail/us-east-1` */
function logFolderOf(key: string): string {
  const at = key.indexOf('/CloudTrail/') + '/CloudTrail/'.length
  return key.slice(0, key.indexOf('/', at))
}

function forgetChain(ranges: Map<string, number>, chain: string): void {
  for (const id of [...ranges.keys()]) if (id.startsWith(`${chain} `)) ranges.delete(id)
}

function eventIdOf(record: unknown): string {
  const id = record !== null && typeof record === 'object' && 'eventID' in record && record.eventID
  return typeof id === 'string' ? id : ''
}
