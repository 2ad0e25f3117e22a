import { s3Error } from '../../base/errors.ts'
import { headerValue } from './headers.ts'

/** What a request to S3 names: nothing, a bucket, or an object in it, and the parameters of its query. */
export type S3Resource = {
  readonly bucket: string | undefined
  readonly key: string | undefined
  /** Names and values as they mean; undefined as a value where there is no equals sign. */
  readonly query: ReadonlyMap<string, string>
  /** The path as it was sent, for errors. */
  readonly path: string
}

const keyBytesMax = 1024
const parametersMax = 64
/** `bucket.s3.us-east-1.…`, `s3-us-east-1.…` and the like, of any domain. */
const regionalHost = /^(?:(.+)\.)?s3(?:\.dualstack)?[.-][a-z]{2}(?:-[a-z]+)+-\d{1,2}\./

/**
 * The bucket that the Host names, in virtual-hosted style; undefined in path style. `bases` are the names of this
 * endpoint, in lower case. The Host is signed, so what it says is what the client meant.
 */
export function hostedBucket(host: string, bases: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  if (bases.includes(name)) return undefined
  const base = bases
    .filter((each) => name.endsWith(`.${each}`))
    .reduce((longest, each) => (each.length > longest.length ? each : longest), '')
  if (base !== '') return name.slice(0, -base.length - 1)
  return regionalHost.exec(name)?.[1]
}

/** Reads target and Host. Throws 'InvalidURI' and 'KeyTooLongError'. Every byte is percent-decoded exactly once. */
export function resourceOf(
  target: string,
  rawHeaders: readonly string[],
  bases: readonly string[],
): S3Resource {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = parametersOf(mark < 0 ? '' : target.slice(mark + 1))
  const hosted = hostedBucket(headerValue(rawHeaders, 'host') ?? '', bases)
  if (hosted !== undefined) return { bucket: hosted, key: keyOf(path.slice(1)), query, path }
  const slash = path.indexOf('/', 1)
  const bucket = decodedOnce(slash < 0 ? path.slice(1) : path.slice(1, slash))
  const key = slash < 0 ? undefined : keyOf(path.slice(slash + 1))
  if (bucket === '' && key !== undefined) throw s3Error('InvalidURI')
  return { bucket: bucket === '' ? undefined : bucket, key, query, path }
}

function keyOf(encoded: string): string | undefined {
  const key = decodedOnce(encoded)
  if (Buffer.byteLength(key) > keyBytesMax) {
    throw s3Error('KeyTooLongError', {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: String(keyBytesMax),
    })
  }
  return key === '' ? undefined : key
}

/** UTF-8, strictly: what is not would have two spellings. */
function decodedOnce(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw s3Error('InvalidURI')
  }
}

/** A name that comes twice would leave open which one is meant. */
function parametersOf(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  // Empty ones are not signed: whoever adds some to a presigned URL must not push out what is.
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodedOnce(equals < 0 ? pair : pair.slice(0, equals))
    if (parameters.has(name) || parameters.size === parametersMax) {
      throw s3Error('InvalidArgument', { ArgumentName: name.slice(0, 64) })
    }
    parameters.set(name, equals < 0 ? '' : decodedOnce(pair.slice(equals + 1)))
  }
  return parameters
}
