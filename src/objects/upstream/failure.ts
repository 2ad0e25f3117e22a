/** Why one request did not do what it should. For the operator; a caller learns nothing of it. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure'
  /** Of S3's errors: `NoSuchKey`, `AccessDenied`. */
  readonly code: string | undefined
  /** Of HTTP; undefined when there was no answer. */
  readonly status: number | undefined
  /** The same request may succeed a moment later. */
  readonly passing: boolean

  constructor(
    message: string,
    options: { status?: number; code?: string | undefined; passing: boolean; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = options.status
    this.code = options.code
    this.passing = options.passing
  }

  /** What is asked for is not there: the engine works. */
  get isAbsence(): boolean {
    return this.status === 404 && this.code !== 'NoSuchBucket'
  }
}

/** Statuses after which S3's own clients try again; some engines say RequestTimeout with 400. */
const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504])
const passingCodes = new Set(['RequestTimeout', 'InternalError', 'SlowDown', 'ServiceUnavailable'])

export function refusal(status: number, code: string | undefined, message: string | undefined) {
  const given = [code, message].filter((each) => each !== undefined).join(', ')
  // They reach terminals and logs, which the engine must not draw on.
  const words = given.slice(0, 300).replace(/[^\p{L}\x20-\x7e]/gu, '?')
  return new UpstreamFailure(`it answered ${status}${words === '' ? '' : ` (${words})`}`, {
    ...{ status, code },
    passing: passingStatuses.has(status) || (code !== undefined && passingCodes.has(code)),
  })
}

export function noAnswer(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error
  const text = error instanceof Error ? error.message || error.name : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new UpstreamFailure(text.includes(code) ? text : `${text} (${code})`, {
    ...{ passing: true, cause: error },
  })
}
