import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FromEcho, ToEcho } from './protocol.ts'

/**
 * The reference: node:http as one writes it without a thought, reading the whole request and answering as many bytes
 * as the service does.
 */
let answer = Buffer.from('{}')

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    // The answer depends on the request, so that reading it cannot be left out.
    const status = body.length > 0 ? 200 : 400
    response.writeHead(status, {
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': answer.length,
    })
    response.end(answer)
  })
})

const tell = (message: FromEcho) => process.send?.(message)

process.on('message', (message: ToEcho) => {
  answer = Buffer.alloc(message.bytes, 'e')
  tell({ type: 'answer' })
})
process.on('disconnect', () => process.exit(0))

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  tell({ type: 'ready', endpoint: `http://127.0.0.1:${port}` })
})
