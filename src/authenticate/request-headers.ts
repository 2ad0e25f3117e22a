import { nonconforming } from './refusals.ts'

/** The headers of one request, names in lower case, with those that signing looks at picked out. */
export type RequestHeaders = {
  /** Lower case, in order of arrival; `values[i]` belongs to `names[i]`. */
  readonly names: readonly string[]
  readonly values: readonly string[]
  readonly authorization: string | undefined
  readonly amzDate: string | undefined
  readonly date: string | undefined
  readonly contentSha256: string | undefined
  readonly securityToken: string | undefined
}

const headersMax = 256

/** Headers that may stand once only: two of them would leave open which one was meant. */
const single = [
  'authorization',
  'x-amz-date',
  'date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'host',
  'x-amz-target',
  'content-type',
] as const
const slots: ReadonlyMap<string, number> = new Map(single.map((name, index) => [name, index]))

/** Throws 'incomplete-signature' for a header that stands twice and must not. */
export function readHeaders(rawHeaders: readonly string[]): RequestHeaders {
  if (rawHeaders.length > headersMax * 2) throw nonconforming('too many headers')
  const names: string[] = []
  const values: string[] = []
  const found: (string | undefined)[] = new Array(single.length)
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    names.push(name)
    values.push(value)
    const slot = slots.get(name)
    if (slot === undefined) continue
    if (found[slot] !== undefined) throw nonconforming(`header ${name} stands twice`)
    found[slot] = value
  }
  const [authorization, amzDate, date, contentSha256, securityToken] = found
  return { names, values, authorization, amzDate, date, contentSha256, securityToken }
}
