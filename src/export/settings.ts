import { readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import type { EntryKind } from '../base/entry-kind.ts'

/** What an export hands on. A checkpoint is a signed note for those who verify; it is no line for a SIEM. */
export type ExportedKind = Exclude<EntryKind, 'checkpoint'>

type Common = {
  /** Names it in the status, in the log and in the name of its cursor. */
  readonly name: string
  readonly kinds: readonly ExportedKind[]
  /** Where the first start begins; every later one goes on where it was. */
  readonly from: 'beginning' | 'now'
}

export type FileSettings = Common & {
  readonly type: 'file'
  readonly directory: string
  readonly maxFileBytes: number
}

export type WebhookSettings = Common & {
  readonly type: 'webhook'
  readonly url: string
  /** The key of the signature. */
  readonly secretFile: string
  /** PEM; the authorities that Node knows without it. */
  readonly caFile: string | undefined
}

export type SyslogSettings = Common & {
  readonly type: 'syslog'
  readonly host: string
  readonly port: number
  readonly transport: 'tls' | 'tcp'
  readonly caFile: string | undefined
  readonly maxMessageBytes: number
  /** The HOSTNAME of each message; `-` without it. */
  readonly hostname: string | undefined
}

export type ExportSettings = FileSettings | WebhookSettings | SyslogSettings

/** What is wrong in the file, and where: `exports[1].url: …`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

const exportsMax = 16
const fileBytesMax = 64 * 1024
const secretBytesMin = 16
export const secretBytesMax = 4096

/**
 * Reads the file that KAGIBAN_EXPORTS names, and makes sure that the files which it names can be read. What it may say
 * is in docs/operate/export.md. Throws SettingsError.
 */
export function readExportSettings(path: string, dataDir: string): readonly ExportSettings[] {
  const settings = parseExportSettings(textOf(path, fileBytesMax), dataDir)
  for (const [at, each] of settings.entries()) {
    const place = `exports[${at}]`
    if (each.type === 'webhook') {
      const secret = bytesOf(each.secretFile, secretBytesMax, `${place}.secretFile`)
      const { length } = withoutNewline(secret)
      secret.fill(0)
      if (length < secretBytesMin) {
        throw new SettingsError(
          `${place}.secretFile: the secret has ${length} bytes; it has to have ${secretBytesMin} at the least`,
        )
      }
    }
    if (each.type !== 'file' && each.caFile !== undefined) {
      bytesOf(each.caFile, 1024 * 1024, `${place}.caFile`)
    }
  }
  return settings
}

/** One newline at the end is not part of a secret: editors write it. */
export function withoutNewline(secret: Buffer): Buffer {
  return secret.at(-1) === 0x0a ? secret.subarray(0, -1) : secret
}

export function parseExportSettings(text: string, dataDir: string): readonly ExportSettings[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new SettingsError(`it is no JSON: ${error instanceof Error ? error.message : error}`)
  }
  const root = new Members(value, 'the file')
  const list = root.take('exports')
  root.end()
  if (!Array.isArray(list)) throw new SettingsError('exports: has to be a list')
  if (list.length > exportsMax) {
    throw new SettingsError(`exports: has ${list.length} members; ${exportsMax} are the most`)
  }
  const settings = list.map((each, at) => oneOf(new Members(each, `exports[${at}]`), dataDir))
  for (const [at, { name }] of settings.entries()) {
    if (settings.findIndex((other) => other.name === name) === at) continue
    throw new SettingsError(`exports[${at}].name: '${name}' is the name of another export`)
  }
  return settings
}

function oneOf(members: Members, dataDir: string): ExportSettings {
  const common: Common = {
    name: members.text('name', /^[a-z0-9][a-z0-9-]{0,31}$/, '1 to 32 of a-z, 0-9 and dashes'),
    kinds: kindsOf(members),
    from: members.choice('from', ['beginning', 'now'], 'beginning'),
  }
  const type = members.choice('type', ['file', 'webhook', 'syslog'])
  const settings =
    type === 'file'
      ? { ...common, ...fileOf(members, dataDir), type }
      : type === 'webhook'
        ? { ...common, ...webhookOf(members), type }
        : { ...common, ...syslogOf(members), type }
  members.end()
  return settings
}

function fileOf(members: Members, dataDir: string) {
  const directory = members.path('directory')
  const inside = relative(dataDir, directory)
  if (!inside.startsWith('..') && !isAbsolute(inside)) {
    throw members.wrong('directory', 'must not be in the data folder')
  }
  return {
    directory,
    maxFileBytes: members.number('maxFileBytes', 1024 * 1024, 1e12, 100 * 1024 * 1024),
  }
}

function webhookOf(members: Members) {
  const url = members.text('url', /^.{1,2048}$/, 'up to 2048 characters')
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw members.wrong('url', 'has to be a URL')
  }
  if (parsed.protocol !== 'https:') throw members.wrong('url', 'has to begin with https://')
  if (parsed.username !== '' || parsed.password !== '') {
    throw members.wrong('url', 'must not hold a user or a password')
  }
  return { url, secretFile: members.path('secretFile'), caFile: members.optionalPath('caFile') }
}

function syslogOf(members: Members) {
  const transport = members.choice('transport', ['tls', 'tcp'], 'tls')
  const caFile = members.optionalPath('caFile')
  if (transport === 'tcp' && caFile !== undefined) {
    throw members.wrong('caFile', 'is for the transport tls')
  }
  return {
    ...{ transport, caFile },
    host: members.text('host', /^[\w.:-]{1,255}$/, 'a name or an address'),
    port: members.number('port', 1, 65_535, transport === 'tls' ? 6514 : 601),
    // RFC 5425 §4.3.1: what every receiver has to take.
    maxMessageBytes: members.number('maxMessageBytes', 2048, 1024 * 1024, 64 * 1024),
    hostname: members.optionalText('hostname', /^[!-~]{1,255}$/, 'printable, without spaces'),
  }
}

function kindsOf(members: Members): readonly ExportedKind[] {
  const value = members.take('kinds') ?? ['event']
  const known: readonly unknown[] = ['event', 'item', 'digest']
  if (Array.isArray(value) && value.length > 0 && value.every((kind) => known.includes(kind))) {
    return [...new Set(value as readonly ExportedKind[])]
  }
  throw members.wrong('kinds', "has to be a list of 'event', 'item' and 'digest'")
}

/** The members of one object, each of which has to be asked for. */
class Members {
  readonly #place: string
  readonly #left: Map<string, unknown>

  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SettingsError(`${place}: has to be an object`)
    }
    this.#place = place
    this.#left = new Map(Object.entries(value))
  }

  wrong(name: string, what: string): SettingsError {
    return new SettingsError(`${this.#place}.${name}: ${what}`)
  }

  take(name: string): unknown {
    const value = this.#left.get(name)
    this.#left.delete(name)
    return value
  }

  text(name: string, pattern: RegExp, what: string): string {
    const value = this.optionalText(name, pattern, what)
    if (value === undefined) throw this.wrong(name, 'is missing')
    return value
  }

  optionalText(name: string, pattern: RegExp, what: string): string | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    if (typeof value === 'string' && pattern.test(value)) return value
    throw this.wrong(name, `has to be a text: ${what}`)
  }

  path(name: string): string {
    // Node's permissions take an asterisk for any file.
    const path = this.text(name, /^[^*\0]{1,4096}$/, 'a path without asterisks')
    if (!isAbsolute(path)) throw this.wrong(name, 'has to be an absolute path')
    return path
  }

  optionalPath(name: string): string | undefined {
    return this.#left.get(name) === undefined ? undefined : this.path(name)
  }

  choice<const C extends string>(name: string, choices: readonly C[], otherwise?: C): C {
    const value = this.take(name) ?? otherwise
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw this.wrong(name, `has to be one of: ${choices.join(', ')}`)
    return found
  }

  number(name: string, min: number, max: number, otherwise: number): number {
    const value = this.take(name) ?? otherwise
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value
    }
    throw this.wrong(name, `has to be a whole number from ${min} to ${max}`)
  }

  /** A member that nobody asked for is a mistake, not to be passed over. */
  end(): void {
    const [name] = this.#left.keys()
    if (name !== undefined) throw this.wrong(name, 'there is no such setting')
  }
}

function textOf(path: string, bytesMax: number): string {
  return bytesOf(path, bytesMax, 'the file').toString('utf8')
}

function bytesOf(path: string, bytesMax: number, place: string): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new SettingsError(`${place}: ${path} cannot be read: ${code}`)
  }
  if (bytes.length <= bytesMax) return bytes
  bytes.fill(0)
  throw new SettingsError(`${place}: ${path} has more than ${bytesMax} bytes`)
}
