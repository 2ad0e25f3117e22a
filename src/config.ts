import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type AccountId, parseAccountId, parseRegion, type Region } from './base/ids.ts'
import { ObjectsSettingsError, readUpstream, type UpstreamSettings } from './config-objects.ts'
import { defaults, startOptions } from './config-options.ts'
import { type ExportSettings, readExportSettings, SettingsError } from './export/settings.ts'
import { parseWitnessList } from './log/witness-list.ts'

export { defaults, startHelp, startOptions } from './config-options.ts'

/** What an operator can set. Read once, here; nothing else looks at the environment. */
export type Config = {
  readonly dataDir: string
  /** Undefined: no listener, only the operator's socket (what commands use while the service is stopped). */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly insecurePlaintext: boolean
  /** Names of this endpoint: `bucket.NAME` as the host of a request names a bucket. In lower case. */
  readonly s3Hosts?: readonly string[] | undefined
  /** The name of this process among those that share a data folder: it names its journal. */
  readonly node: string
  readonly segmentBytes: number
  /** Domain keys older than this are replaced. */
  readonly domainKeyHours: number
  /** How often log files, and digests of them, are delivered to trails. */
  readonly trailDeliverySeconds: number
  readonly trailDigestSeconds: number
  readonly passphrase: { readonly file: string } | { readonly fd: number } | undefined
  /** Where the log is served to everybody; undefined: nowhere. */
  readonly logListen?: { readonly host: string; readonly port: number } | undefined
  /** The text of the file that names the root log's witnesses. */
  readonly witnesses?: string | undefined
  /** Where the audit record is handed on to while the service runs. */
  readonly exports?: readonly ExportSettings[]
  /** Where the bodies of objects are; undefined: in the data folder. */
  readonly upstream?: UpstreamSettings
}

/** What a start is told: the settings of every start, and those that count at the first one. */
export type StartConfig = Config & { readonly firstStart: FirstStart }

/** Settings that a data folder takes at its first start and keeps. Undefined: not given. */
export type FirstStart = {
  readonly account: AccountId | undefined
  readonly regions: readonly Region[] | undefined
  readonly rootAccessKeyId: string | undefined
  readonly rootSecretAccessKey: string | undefined
}

const blockBytes = 4096
/** In its origin, and where it is served. */
const rootLogNames = ['root', 'root-log']
const segmentBytesMin = 16 * 1024
const segmentBytesMax = 1024 * 1024 * 1024

/** A setting that cannot be. The message says which and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export type Environment = Readonly<Record<string, string | undefined>>

/** `argv` without the program and the script. Undefined when help was asked for. Throws ConfigError. */
export function readConfig(
  argv: readonly string[],
  environment: Environment,
): StartConfig | undefined {
  const options = parseOptions(argv)
  if (options.help === true) return undefined
  const env = givenIn(environment)
  const dataDir = resolve(options.data ?? env['KAGIBAN_DATA'] ?? defaults.dataDir)
  const tls = readTls(
    options['tls-cert'] ?? env['KAGIBAN_TLS_CERT'],
    options['tls-key'] ?? env['KAGIBAN_TLS_KEY'],
  )
  return {
    dataDir,
    listen: parseListen(options.listen ?? env['KAGIBAN_LISTEN'] ?? defaults.listen),
    tls,
    insecurePlaintext: options['insecure-plaintext'] ?? false,
    s3Hosts: readS3Hosts(env),
    node: parseNode(options.node ?? defaults.node),
    segmentBytes: readSegmentBytes(env),
    domainKeyHours: readDomainKeyHours(options['domain-key-hours']),
    ...readTrailIntervals(env),
    passphrase: readPassphrase(options['root-passphrase-file'], options['root-passphrase-fd']),
    ...readLogListen(options['log-listen'] ?? env['KAGIBAN_LOG_LISTEN']),
    ...readWitnesses(env['KAGIBAN_WITNESSES']),
    ...readExports(env['KAGIBAN_EXPORTS'], dataDir),
    ...readObjects(env),
    firstStart: readFirstStart(env),
  }
}

/** The configuration of a service that an operator's command starts for itself: same folder, no listener. */
export function operatorConfig(
  dataDir: string,
  env: Environment,
  options: OperatorOptions,
): StartConfig {
  return {
    dataDir: resolve(dataDir),
    listen: undefined,
    tls: undefined,
    insecurePlaintext: false,
    s3Hosts: defaults.s3Hosts,
    node: parseNode(options.node ?? defaults.node),
    segmentBytes: readSegmentBytes(givenIn(env)),
    domainKeyHours: defaults.domainKeyHours,
    trailDeliverySeconds: defaults.trailDeliverySeconds,
    trailDigestSeconds: defaults.trailDigestSeconds,
    ...readObjects(givenIn(env)),
    passphrase: readPassphrase(options.passphraseFile, options.passphraseFd),
    firstStart: {
      account: undefined,
      regions: undefined,
      rootAccessKeyId: undefined,
      rootSecretAccessKey: undefined,
    },
  }
}

export type OperatorOptions = {
  readonly node?: string | undefined
  readonly passphraseFile?: string | undefined
  readonly passphraseFd?: string | undefined
}

/** A variable that is set to nothing is not set, as in `KAGIBAN_LISTEN= npm start`. */
export function givenIn(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

/** An option without a value is a mistake, as in `--data "$UNSET"`: it would mean the folder that one stands in. */
function parseOptions(argv: readonly string[]) {
  const values = parseArguments(argv)
  for (const [name, value] of Object.entries(values)) {
    if (value === '') throw new ConfigError(`--${name} is empty.\nSee --help.`)
  }
  return values
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: startOptions,
      strict: true,
      allowPositionals: false,
    }).values
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)}\nSee --help.`)
  }
}

function readTls(certFile: string | undefined, keyFile: string | undefined): Config['tls'] {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigError('TLS needs both --tls-cert and --tls-key.')
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) }
}

const hostPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

function readS3Hosts(env: Environment): readonly string[] {
  const names = (env['KAGIBAN_S3_HOST'] ?? '').split(',').map((each) => each.trim().toLowerCase())
  const given = names.filter((each) => each !== '')
  for (const name of given) {
    if (name.length > 190 || !hostPattern.test(name)) {
      throw new ConfigError(
        `KAGIBAN_S3_HOST: '${name}' is no host name: give names without scheme and port, as in s3.example.org.`,
      )
    }
  }
  return [...new Set([...defaults.s3Hosts, ...given])]
}

function readPassphrase(file: string | undefined, fd: string | undefined): Config['passphrase'] {
  if (file !== undefined && fd !== undefined) {
    throw new ConfigError('Give --root-passphrase-file or --root-passphrase-fd, not both.')
  }
  if (file !== undefined) return { file: resolve(file) }
  if (fd !== undefined) return { fd: parseCount('--root-passphrase-fd', fd, 0) }
  return undefined
}

/** `HOST:PORT`, with an IPv6 host in brackets. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/.exec(text)
  const [, host = '', digits = ''] = match ?? []
  const port = Number(digits)
  if (match === null || port > 65535) {
    throw new ConfigError(
      `'${text}' is no address to listen at: give HOST:PORT, as in ${defaults.listen}.`,
    )
  }
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port }
}

function parseNode(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) {
    throw new ConfigError(`--node '${text}': up to 32 lower-case letters, digits and dashes.`)
  }
  if (rootLogNames.includes(text)) {
    throw new ConfigError(
      `--node '${text}': the log over the logs of all processes is called that.`,
    )
  }
  return text
}

function parseCount(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,15}$/.test(text)) throw new ConfigError(`${name} '${text}' is no whole number.`)
  return Number(text)
}

/** At zero every upkeep would make another domain key. */
function readDomainKeyHours(text: string | undefined): number {
  const hours = parseCount('--domain-key-hours', text, defaults.domainKeyHours)
  if (hours === 0) throw new ConfigError('--domain-key-hours is 0; it has to be 1 at the least.')
  return hours
}

const trailSecondsMax = 86_400

function readTrailIntervals(
  env: Environment,
): Pick<Config, 'trailDeliverySeconds' | 'trailDigestSeconds'> {
  const seconds = (name: string, otherwise: number) => {
    const count = parseCount(name, env[name], otherwise)
    if (count >= 1 && count <= trailSecondsMax) return count
    throw new ConfigError(`${name} is ${count}; it can be 1 to ${trailSecondsMax}.`)
  }
  return {
    trailDeliverySeconds: seconds('KAGIBAN_TRAIL_DELIVERY_SECONDS', defaults.trailDeliverySeconds),
    trailDigestSeconds: seconds('KAGIBAN_TRAIL_DIGEST_SECONDS', defaults.trailDigestSeconds),
  }
}

/** In whole blocks of the disk, and large enough for any record but the largest. */
function readSegmentBytes(env: Environment): number {
  const name = 'KAGIBAN_AUDIT_SEGMENT_BYTES'
  const bytes = parseCount(name, env[name], defaults.segmentBytes)
  if (bytes > segmentBytesMax)
    throw new ConfigError(`${name} is ${bytes}; it can be ${segmentBytesMax} at the most.`)
  return Math.max(segmentBytesMin, Math.ceil(bytes / blockBytes) * blockBytes)
}

function readLogListen(text: string | undefined): Pick<Config, 'logListen'> {
  return text === undefined ? {} : { logListen: parseListen(text) }
}

function readWitnesses(file: string | undefined): Pick<Config, 'witnesses'> {
  if (file === undefined) return {}
  try {
    const witnesses = readFileSync(resolve(file), 'utf8')
    parseWitnessList(witnesses)
    return { witnesses }
  } catch (error) {
    throw new ConfigError(
      `KAGIBAN_WITNESSES ${file}: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
}

function readExports(file: string | undefined, dataDir: string): Pick<Config, 'exports'> {
  if (file === undefined) return {}
  try {
    return { exports: readExportSettings(resolve(file), dataDir) }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw new ConfigError(`KAGIBAN_EXPORTS ${file}: ${error.message}.`)
  }
}

function readObjects(env: Environment): Pick<Config, 'upstream'> {
  try {
    const upstream = readUpstream(env)
    return upstream === undefined ? {} : { upstream }
  } catch (error) {
    if (!(error instanceof ObjectsSettingsError)) throw error
    throw new ConfigError(error.message)
  }
}

function readFirstStart(env: Environment): FirstStart {
  const accessKeyId = env['KAGIBAN_ROOT_ACCESS_KEY_ID']
  const secret = env['KAGIBAN_ROOT_SECRET_ACCESS_KEY']
  if ((accessKeyId === undefined) !== (secret === undefined)) {
    throw new ConfigError(
      'KAGIBAN_ROOT_ACCESS_KEY_ID and KAGIBAN_ROOT_SECRET_ACCESS_KEY go together: give both or neither.',
    )
  }
  if (accessKeyId !== undefined && !/^\w{16,128}$/.test(accessKeyId)) {
    throw new ConfigError('KAGIBAN_ROOT_ACCESS_KEY_ID: 16 to 128 letters, digits and underscores.')
  }
  if (accessKeyId?.startsWith('ASIA')) {
    throw new ConfigError(
      'KAGIBAN_ROOT_ACCESS_KEY_ID begins with ASIA, as temporary access keys do: without a session token it could not sign.',
    )
  }
  if (secret !== undefined && (secret.length < 16 || secret.length > 128)) {
    throw new ConfigError('KAGIBAN_ROOT_SECRET_ACCESS_KEY: 16 to 128 characters.')
  }
  return {
    account: readAccount(env['KAGIBAN_ACCOUNT']),
    regions: readRegions(env['KAGIBAN_REGIONS']),
    rootAccessKeyId: accessKeyId,
    rootSecretAccessKey: secret,
  }
}

function readAccount(text: string | undefined): AccountId | undefined {
  if (text === undefined) return undefined
  const account = parseAccountId(text)
  if (account === undefined)
    throw new ConfigError(`KAGIBAN_ACCOUNT '${text}' is not twelve digits.`)
  return account
}

/** Regions whose ARNs do not begin with `arn:aws:`. */
const otherPartitions = /^(?:cn|us-gov|us-iso[a-z]?|eu-iso[a-z]?|eusc)-/

function readRegions(text: string | undefined): readonly Region[] | undefined {
  if (text === undefined) return undefined
  const regions = text.split(',').map((name) => {
    const region = parseRegion(name.trim())
    if (region === undefined) throw new ConfigError(`KAGIBAN_REGIONS: '${name}' is no Region.`)
    if (otherPartitions.test(region)) {
      throw new ConfigError(
        `KAGIBAN_REGIONS: '${region}' is of another partition; every ARN here is of the partition 'aws'.`,
      )
    }
    return region
  })
  if (new Set(regions).size !== regions.length)
    throw new ConfigError('KAGIBAN_REGIONS names a Region twice.')
  return regions
}
