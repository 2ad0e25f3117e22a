import { signatureTypes, verifierKey, vkeyText } from '../journal/note-keys.ts'
import { type FollowedLogs, rootLogName } from '../journal/tiles/followed-logs.ts'
import { parseTilePath } from '../journal/tiles/tile-path.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'

export type PagesOptions = {
  readonly logs: FollowedLogs
  readonly publicKey: Buffer
  readonly mlDsaPublicKey: Buffer
  /** The newest checkpoint of the root log with all its signatures, if one was kept. */
  readonly witnessed: () => string | undefined
}

const text = 'text/plain; charset=utf-8'
const bytesType = 'application/octet-stream'
/** A checkpoint is replaced every second; a tile never. */
const brief = 'public, max-age=1'
const forEver = 'public, max-age=31536000, immutable'
const never = 'no-store'

/** The logs for anybody to read (C2SP tlog-tiles): checkpoints, tiles, entry bundles, and the keys that verify them. */
export function logPage(options: PagesOptions, { method, target }: HttpRequest): Reply {
  const [, name, path] = /^\/([a-z0-9-]{1,32})\/(.+)$/.exec(target) ?? []
  const found =
    name === undefined || path === undefined ? listing(options, target) : page(options, name, path)
  if (found === undefined) return reply(404, text, never, 'there is nothing here\n')
  if (method === 'GET') return found
  const refused = reply(405, text, never, 'GET alone\n')
  return { ...refused, headers: [...refused.headers, 'Allow', 'GET'] }
}

function page(options: PagesOptions, name: string, path: string): Reply | undefined {
  const log = options.logs.get(name)
  const published = log?.published
  if (log === undefined || published === undefined) return undefined
  if (path === 'checkpoint') {
    const note = name === rootLogName ? options.witnessed() : undefined
    return reply(200, text, brief, note ?? published.note)
  }
  const tile = parseTilePath(path)
  const bytes = tile && log.tree.read(tile, published.checkpoint.size)
  return bytes && reply(200, bytesType, forEver, bytes)
}

function listing(options: PagesOptions, target: string): Reply | undefined {
  const { logs } = options
  const shown = logs.names().filter((name) => logs.get(name)?.published !== undefined)
  if (target === '/') {
    const lines = shown.map((name) => `/${name}/checkpoint\n`)
    return reply(200, text, brief, `${lines.join('')}/keys\n`)
  }
  if (target !== '/keys') return undefined
  return reply(200, text, brief, shown.map((name) => keysOf(options, name)).join(''))
}

/** The verifier keys of a log, a line each. The Ed25519 key is the one that counts. */
function keysOf({ logs, publicKey, mlDsaPublicKey }: PagesOptions, name: string): string {
  const origin = logs.get(name)?.origin ?? ''
  const keys = [verifierKey(origin, signatureTypes.ed25519, publicKey)]
  if (name === rootLogName) keys.push(verifierKey(origin, signatureTypes.mlDsa44, mlDsaPublicKey))
  return keys.map((key) => `${vkeyText(key)}\n`).join('')
}

function reply(status: number, type: string, cache: string, body: string | Buffer): Reply {
  // A note is UTF-8. Bytes are overwritten once they are sent: they are never those of a cache.
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const headers = [
    ...['Content-Type', type],
    ...['Content-Length', String(bytes.length)],
    ...['Cache-Control', cache],
    ...['X-Content-Type-Options', 'nosniff'],
  ]
  return { status, headers, body: bytes }
}
