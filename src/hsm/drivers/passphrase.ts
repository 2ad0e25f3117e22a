import { randomBytes, scryptSync } from 'node:crypto'
import { join } from 'node:path'
import { readPlainFile, writeDurably } from '../durable.ts'
import { StartRefused } from '../refusal.ts'
import type { RootDriver } from './root.ts'
import { softwareRoot } from './software-root.ts'

/**
 * The root key is derived from a passphrase by scrypt (RFC 7914); salt and cost stand in a file, so that a later
 * version may raise the cost for new roots. The passphrase itself is nowhere.
 */
export const rootParametersFile = 'root.json'

export type ScryptCost = { readonly N: number; readonly r: number; readonly p: number }
/** 128 MiB of memory. */
export const defaultCost: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

type Parameters = ScryptCost & { readonly salt: Buffer }

const saltBytes = 32
const memoryMax = 1024 * 1024 * 1024

export function createPassphraseRoot(
  directory: string,
  passphrase: Buffer,
  cost: ScryptCost = defaultCost,
): RootDriver {
  const parameters = { ...cost, salt: randomBytes(saltBytes) }
  writeDurably(directory, rootParametersFile, Buffer.from(format(parameters)))
  return rootOf(passphrase, parameters)
}

/** Undefined when there is no such file. Whether the passphrase is right shows when something is unwrapped. */
export function openPassphraseRoot(
  directory: string,
  passphrase: Buffer | undefined,
): RootDriver | undefined {
  const file = readPlainFile(join(directory, rootParametersFile), 4096)
  if (file === undefined) return undefined
  if (passphrase === undefined) {
    throw new StartRefused(
      'This key hierarchy needs the passphrase it was made with, and none was given.',
    )
  }
  return rootOf(passphrase, parse(file.bytes.toString('utf8')))
}

function rootOf(passphrase: Buffer, { salt, N, r, p }: Parameters): RootDriver {
  const maxmem = 256 * N * r + 256 * r * p
  return softwareRoot('passphrase', scryptSync(passphrase, salt, 32, { N, r, p, maxmem }))
}

function format({ salt, N, r, p }: Parameters): string {
  const parameters = { version: 1, kdf: 'scrypt', N, r, p, salt: salt.toString('base64') }
  return `${JSON.stringify(parameters, null, 2)}\n`
}

function parse(text: string): Parameters {
  try {
    const { version, kdf, N, r, p, salt } = JSON.parse(text) as Record<string, unknown>
    if (version !== 1 || kdf !== 'scrypt' || typeof salt !== 'string') throw new Error('header')
    if (!isCount(N) || !isCount(r) || !isCount(p)) throw new Error('cost')
    if (N < 2 || (N & (N - 1)) !== 0 || 128 * N * r * p > memoryMax) throw new Error('cost')
    return { N, r, p, salt: Buffer.from(salt, 'base64') }
  } catch {
    throw new StartRefused(`${rootParametersFile} does not hold the parameters of a root.`)
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= 2 ** 24
}
