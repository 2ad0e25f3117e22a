import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { FromEcho } from './protocol.ts'

/**
 * The reference for objects: files in a folder behind node:http, streamed, put under a name of their own and renamed.
 * With FSYNC=1 a file is on the disk before it is answered, as an object is.
 */
const folder = mkdtempSync(join(tmpdir(), 'kagiban-bench-files-'))
const durable = process.env['FSYNC'] === '1'

async function put(request: IncomingMessage, response: ServerResponse, file: string) {
  const temporary = join(folder, randomUUID())
  await pipeline(request, createWriteStream(temporary))
  if (durable) {
    const handle = await open(temporary)
    await handle.sync()
    await handle.close()
  }
  await rename(temporary, file)
  response.writeHead(200, { 'Content-Length': 0 }).end()
}

async function get(response: ServerResponse, file: string) {
  const { size } = await stat(file)
  response.writeHead(200, { 'Content-Length': size })
  await pipeline(createReadStream(file), response)
}

const server = createServer((request, response) => {
  const file = join(folder, basename(new URL(request.url ?? '', 'http://x').pathname))
  const served = request.method === 'PUT' ? put(request, response, file) : get(response, file)
  served.catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})

process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  const message: FromEcho = { type: 'ready', endpoint: `http://127.0.0.1:${port}` }
  process.send?.(message)
})
