import { incompleteSignature, invalidSignature } from './refusals.ts'

/** The time of a request, in the two forms that signing needs. */
export type RequestTime = {
  /** `YYYYMMDDTHHMMSSZ`, as it stands in the string to sign. */
  readonly text: string
  /** ms since the epoch */
  readonly at: number
}

const echoCharsMax = 64
const httpDatePattern =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * X-Amz-Date or, where there is none, Date, which may also be in the form of RFC 9110 §5.6.7.
 * Throws 'incomplete-signature'.
 */
export function requestTime(amzDate: string | undefined, date: string | undefined): RequestTime {
  const text = amzDate ?? date ?? ''
  const at = parseAmzDate(text)
  if (at !== undefined) return { text, at }
  if (amzDate === undefined && httpDatePattern.test(text)) {
    const parsed = Date.parse(text)
    if (new Date(parsed).toUTCString() === text) return { text: formatAmzDate(parsed), at: parsed }
  }
  throw incompleteSignature(
    `Date must be in ISO-8601 'basic format'. Got '${text.slice(0, echoCharsMax)}'. ` +
      'See http://en.wikipedia.org/wiki/ISO_8601',
  )
}

/** `YYYYMMDDTHHMMSSZ`, the only form; undefined for everything else, days that do not exist included. */
export function parseAmzDate(text: string): number | undefined {
  if (text.length !== 16 || text[8] !== 'T' || text[15] !== 'Z') return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 4, 6)
  const day = digits(text, 6, 8)
  const hour = digits(text, 9, 11)
  const minute = digits(text, 11, 13)
  const second = digits(text, 13, 15)
  // Date.UTC would carry too great a value over, and take years before 100 for years of the 20th century.
  const exists =
    year >= 1000 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59
  return exists ? Date.UTC(year, month - 1, day, hour, minute, second) : undefined
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

export function formatAmzDate(at: number): string {
  const iso = new Date(at).toISOString()
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/**
 * Throws 'invalid-signature' when the request was signed more than `windowMs` before or after `now`. Whole seconds,
 * as in the text; the bounds themselves are inside.
 */
export function checkWindow(time: RequestTime, now: number, windowMs: number): void {
  const second = now - (now % 1000)
  if (time.at < second - windowMs) {
    const limit = formatAmzDate(second - windowMs)
    throw invalidSignature(
      `Signature expired: ${time.text} is now earlier than ${limit} ` +
        `(${formatAmzDate(second)} - ${windowMs / 60_000} min.)`,
    )
  }
  if (time.at > second + windowMs) {
    const limit = formatAmzDate(second + windowMs)
    throw invalidSignature(
      `Signature not yet current: ${time.text} is still later than ${limit} ` +
        `(${formatAmzDate(second)} + ${windowMs / 60_000} min.)`,
    )
  }
}
