import type { KnownPlace } from '../rows/place.ts'
import { sentOf, type UpstreamEngine } from './engine.ts'
import { UpstreamFailure } from './failure.ts'

/** Below the prefix, beside the bodies. */
export const markerName = 'kagiban-objects'

/** Whoever starts the service waits. */
const attempts = 2

/**
 * Makes sure that the place is this store's: a small object there has its id. A store that has no body yet makes it;
 * any other one has to find it, so that a wrong bucket or prefix, or one of another store, is noticed before anything
 * is read or removed. It moves along when the bodies are copied to another bucket. Throws an Error.
 */
export async function claim(engine: UpstreamEngine, place: KnownPlace): Promise<void> {
  const found = await read(engine)
  if (found === undefined) {
    if (place.used) throw new Error(`'${engine.prefix}${markerName}' is not there, and no body`)
    await write(engine, place.id)
  } else if (found !== place.id) {
    throw new Error(`'${engine.prefix}${markerName}' says that it belongs to another store`)
  }
}

async function read(engine: UpstreamEngine): Promise<string | undefined> {
  try {
    const { text } = await engine.call({ method: 'GET', name: markerName }, attempts)
    return text.trim()
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    if (error.isAbsence) return undefined
    throw explained(error)
  }
}

async function write(engine: UpstreamEngine, id: string): Promise<void> {
  const sent = sentOf(Buffer.from(`${id}\n`))
  try {
    await engine.call({ method: 'PUT', name: markerName, sent }, attempts)
  } catch (error) {
    throw error instanceof UpstreamFailure ? explained(error) : error
  }
}

const explanations: Readonly<Record<string, string>> = {
  NoSuchBucket: 'the bucket does not exist',
  InvalidAccessKeyId: 'the access key is not known there',
  SignatureDoesNotMatch: 'the secret access key is not that of the access key',
  AccessDenied: 'the credentials are not allowed to read and write there',
  RequestTimeTooSkewed: 'its clock and the one here differ by more than 15 minutes',
  AuthorizationHeaderMalformed: 'the region is another one',
}

function explained(error: UpstreamFailure): Error {
  if (error.status === undefined) return new Error(`it does not answer: ${error.message}`)
  const explanation = explanations[error.code ?? '']
  return new Error(explanation === undefined ? error.message : `${explanation} (${error.message})`)
}
