import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { targetOf } from './objects/upstream/options.ts'

/** Where the bodies of objects are, if not in the data folder: in a bucket of another S3 engine. */
export type UpstreamSettings = {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly prefix: string
  readonly accessKeyId: string
  /** Holds the secret access key. */
  readonly secretFile: string
  /** Authorities, PEM. */
  readonly caFile?: string
}

/** A setting that cannot be; the message names it. */
export class ObjectsSettingsError extends Error {
  override readonly name = 'ObjectsSettingsError'
}

const upstreamRegion = 'us-east-1'
const secretBytesMax = 4096

const name = (suffix: string) => `KAGIBAN_OBJECTS_${suffix}`
const needed = ['ENDPOINT', 'BUCKET', 'ACCESS_KEY_ID', 'SECRET_FILE'] as const
const others = ['PREFIX', 'REGION', 'CA_FILE'] as const

/** Undefined: files in the data folder. `env` has no variables that are empty. Throws ObjectsSettingsError. */
export function readUpstream(
  env: Readonly<Record<string, string | undefined>>,
): UpstreamSettings | undefined {
  const kind = env['KAGIBAN_OBJECTS'] ?? 'files'
  if (kind === 'files') {
    const given = [...needed, ...others].map(name).find((each) => env[each] !== undefined)
    if (given === undefined) return undefined
    throw new ObjectsSettingsError(`${given} is given, but KAGIBAN_OBJECTS is not 's3'.`)
  }
  if (kind !== 's3') {
    throw new ObjectsSettingsError(`KAGIBAN_OBJECTS is '${kind}'; it can be 'files' or 's3'.`)
  }
  const [endpoint = '', bucket = '', accessKeyId = '', secretFile = ''] = needed.map((suffix) => {
    const value = env[name(suffix)]
    if (value !== undefined) return value
    throw new ObjectsSettingsError(`KAGIBAN_OBJECTS is 's3', and ${name(suffix)} is not given.`)
  })
  const caFile = env[name('CA_FILE')]
  const settings = {
    endpoint,
    region: env[name('REGION')] ?? upstreamRegion,
    bucket,
    prefix: env[name('PREFIX')] ?? '',
    accessKeyId,
    secretFile: resolve(secretFile),
    ...(caFile !== undefined && { caFile: resolve(caFile) }),
  }
  requireSound(settings)
  return settings
}

/** The secret access key, which is the caller's to wipe. Throws ObjectsSettingsError. */
export function upstreamSecret({ secretFile }: UpstreamSettings): Buffer {
  const fail = (reason: string) => new ObjectsSettingsError(`${name('SECRET_FILE')}: ${reason}.`)
  let bytes: Buffer
  try {
    if (statSync(secretFile).size > secretBytesMax) throw fail('the file is no secret access key')
    bytes = readFileSync(secretFile)
  } catch (error) {
    if (error instanceof ObjectsSettingsError) throw error
    throw fail(`the file cannot be read: ${(error as Error).message}`)
  }
  const end = bytes.at(-1) === 0x0a ? bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1) : bytes.length
  if (end > 0) return bytes.subarray(0, end)
  throw fail('the file is empty')
}

/** Everything but whether the engine lets these credentials in. */
function requireSound(settings: UpstreamSettings): void {
  const secretAccessKey = upstreamSecret(settings)
  try {
    targetOf({ ...settings, secretAccessKey })
  } catch (error) {
    throw new ObjectsSettingsError(`KAGIBAN_OBJECTS: ${(error as Error).message}.`)
  } finally {
    secretAccessKey.fill(0)
  }
}
