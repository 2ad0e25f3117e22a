import { s3Error } from '../../base/errors.ts'
import type { ByteRange } from '../../objects/port.ts'
import { bounds } from '../../objects/ranges.ts'

export type Bounds = {
  readonly start: number
  /** Excluded. */
  readonly end: number
}

const pattern = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * The one range of a `Range` header. Undefined for several ranges and for what is none: these are ignored, as AWS and
 * RFC 9110 §14.2 have it.
 */
export function rangeOf(text: string | undefined): ByteRange | undefined {
  if (text === undefined) return undefined
  const [, first = '', last = ''] = pattern.exec(text.replaceAll(' ', '')) ?? []
  if (first === '') return last === '' ? undefined : { suffix: Number(last) }
  if (last === '') return { first: Number(first) }
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) }
}

/** The bytes that it means. Throws 'InvalidRange' where there are none. `text` is the header as it was sent. */
export function requireBounds(range: ByteRange, size: number, text: string): Bounds {
  const [start, end] = bounds(range, size)
  if (start < end) return { start, end }
  throw s3Error(
    'InvalidRange',
    { ActualObjectSize: String(size), RangeRequested: text.slice(0, 64) },
    { headers: { 'Content-Range': `bytes */${size}` } },
  )
}

/** The header `Content-Range`. */
export function contentRange({ start, end }: Bounds, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}
