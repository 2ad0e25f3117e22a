import type { Region } from '../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../storage/mirror.ts'
import type { Put } from '../storage/port.ts'
import type { Positions } from './spans.ts'

/** How far the delivery of one trail's events of one Region has come. All times in ms since the epoch. */
export type DeliveryState = {
  readonly arn: string
  readonly region: Region
  /** The number of the span that it is in. */
  readonly span: number
  /** While the trail logs events of the Region: what was not looked at yet. */
  readonly cursors?: Positions
  /** When what has come meanwhile is delivered. */
  readonly dueAt: number
  /** While digests are delivered. */
  readonly chain?: Chain
  /** The end of the last digest of any chain: no two have one name. */
  readonly lastDigestEnd?: number
  /** What is being put, and stands here before it is: after a crash the same file is put again. */
  readonly intent?: Intent
  readonly latestDelivery?: number
  readonly latestDeliveryError?: string
  readonly latestDigestDelivery?: number
  readonly latestDigestDeliveryError?: string
}

/** The digests since the trail was started. */
export type Chain = {
  /** Where the next digest begins. */
  readonly start: number
  readonly previous?: DigestLink
  /** Delivered and in no digest yet. */
  readonly files: readonly DigestedFile[]
}

export type DigestLink = {
  readonly bucket: string
  readonly key: string
  /** SHA-256 of the digest's text, hexadecimal. */
  readonly hash: string
  /** Hexadecimal. */
  readonly signature: string
}

/** A log file as a digest lists it. */
export type DigestedFile = {
  readonly bucket: string
  readonly key: string
  /** SHA-256 of its text, hexadecimal. */
  readonly hash: string
  readonly oldest: string
  readonly newest: string
  readonly ranges: readonly FileRange[]
}

/** Of the records from index `from` to before `to` of a journal, the file has those that the trail selects. */
export type FileRange = {
  readonly origin: string
  readonly from: number
  readonly to: number
  readonly count: number
}

export type Destination = {
  readonly bucket: string
  readonly key: string
  readonly kmsKeyArn?: string
}

export type Intent = LogIntent | DigestIntent

export type LogIntent = Destination & {
  readonly kind: 'log'
  readonly at: number
  readonly unique: string
  /** Where the cursors are once it is done. */
  readonly to: Positions
  /** Whether nothing was left then. */
  readonly isLast: boolean
}

export type DigestIntent = Destination & {
  readonly kind: 'digest'
  readonly end: number
  /** The newest signed checkpoint of the process that made it. */
  readonly checkpoint?: string
  /** The last one of its chain. */
  readonly isFinal: boolean
}

export class DeliveryStates {
  readonly rows: Table<DeliveryState>

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.rows = mirror.table('trail-delivery', jsonCodec<DeliveryState>())
  }

  get(arn: string, region: Region): DeliveryState | undefined {
    return this.rows.get(`${arn} ${region}`)
  }

  put(state: DeliveryState): Put {
    return this.rows.put(`${state.arn} ${state.region}`, state)
  }

  remove(state: DeliveryState): Put {
    return this.rows.remove(`${state.arn} ${state.region}`)
  }
}
