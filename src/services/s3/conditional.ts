import { type ServiceError, s3Error } from '../../base/errors.ts'
import type { Condition, Version } from '../../objects/port.ts'
import { header } from '../../wire/rest-xml/bindings.ts'
import { string, timestamp } from '../../wire/schema.ts'
import type { ConditionValues } from '../operation.ts'

/** Of requests that read. */
export const readConditionInput = {
  IfMatch: header('if-match', string()),
  IfNoneMatch: header('if-none-match', string()),
  IfModifiedSince: header('if-modified-since', timestamp()),
  IfUnmodifiedSince: header('if-unmodified-since', timestamp()),
} as const

/** Of requests that write. */
export const writeConditionInput = {
  IfMatch: header('if-match', string()),
  IfNoneMatch: header('if-none-match', string()),
} as const

type Asked = {
  readonly IfMatch?: string | undefined
  readonly IfNoneMatch?: string | undefined
}
export type ReadConditions = Asked & {
  /** ms since the epoch */
  readonly IfModifiedSince?: number | undefined
  readonly IfUnmodifiedSince?: number | undefined
}

type Fails = 'If-Match' | 'If-Unmodified-Since' | 'If-None-Match' | 'If-Modified-Since'

/**
 * The first precondition that does not hold, in the order of RFC 9110 §13.2.2, which is AWS's: a date counts only where
 * there is no tag of its side.
 */
export function failedPrecondition(
  { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince }: ReadConditions,
  { etag, modified }: Pick<Version, 'etag' | 'modified'>,
): Fails | undefined {
  const since = wholeSeconds(modified)
  if (IfMatch !== undefined) {
    if (!names(IfMatch, etag)) return 'If-Match'
  } else if (IfUnmodifiedSince !== undefined && since > IfUnmodifiedSince) {
    return 'If-Unmodified-Since'
  }
  if (IfNoneMatch !== undefined) return names(IfNoneMatch, etag) ? 'If-None-Match' : undefined
  return IfModifiedSince !== undefined && since <= IfModifiedSince ? 'If-Modified-Since' : undefined
}

/** Throws 'PreconditionFailed', and 'NotModified' with the headers that say of what. */
export function requireReadConditions(
  input: ReadConditions,
  version: Pick<Version, 'etag' | 'modified'>,
  headers: () => Readonly<Record<string, string>>,
): void {
  const failed = failedPrecondition(input, version)
  if (failed === undefined) return
  if (failed === 'If-Match' || failed === 'If-Unmodified-Since') throw preconditionFailed(failed)
  throw s3Error('NotModified', undefined, { headers: headers() })
}

export function preconditionFailed(condition: string): ServiceError {
  return s3Error('PreconditionFailed', { Condition: condition })
}

/** What the store is to require when it commits. Throws 'NotImplemented', as AWS does, for what it cannot. */
export function writeCondition({ IfMatch, IfNoneMatch }: Asked): Condition | undefined {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch.trim() !== '*' || IfMatch !== undefined) {
      throw s3Error('NotImplemented', { Header: 'If-None-Match' })
    }
    return { ifNoneMatch: '*' }
  }
  return IfMatch === undefined ? undefined : { ifMatch: unquoted(IfMatch) }
}

/** The header that `condition` came from, for a refusal. */
export function conditionName(condition: Condition): string {
  return 'ifMatch' in condition ? 'If-Match' : 'If-None-Match'
}

/** `s3:if-match` and `s3:if-none-match`. */
export function writeConditionValues({ IfMatch, IfNoneMatch }: Asked): ConditionValues {
  return {
    ...(IfMatch !== undefined && { 's3:if-match': IfMatch }),
    ...(IfNoneMatch !== undefined && { 's3:if-none-match': IfNoneMatch }),
  }
}

/** As answers have it. */
export function quoted(etag: string): string {
  return `"${etag}"`
}

/** Clients send tags with and without quotes, and AWS takes both. */
export function unquoted(etag: string): string {
  const text = etag.trim().replace(/^W\//, '')
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** Dates of HTTP have no fraction. */
export function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000
}

/** Whether a list of tags, or `*`, names that one. No tag here has a comma in it. */
function names(list: string, etag: string): boolean {
  return list.split(',').some((each) => each.trim() === '*' || unquoted(each) === etag)
}
