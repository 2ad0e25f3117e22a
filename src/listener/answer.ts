import { STATUS_CODES } from 'node:http'
import type { Reply } from '../wire/protocol.ts'

/** What no field value may hold (RFC 9110 §5.5): with a line break in it, it would be two fields, or an answer. */
const unsafe = /[^\t\x20-\x7e\x80-\xff]/

const statusLines = new Map<number, string>()

function statusLine(status: number): string {
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
    statusLines.set(status, line)
  }
  return line
}

/**
 * The head of an answer, as Latin-1 text, with the empty line that ends it. Throws when a header cannot be sent as it
 * is.
 */
export function headOf({ status, headers }: Reply, date: string, last: boolean): string {
  let head = statusLine(status)
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    if (unsafe.test(name) || unsafe.test(value)) {
      throw new Error(`the header ${JSON.stringify(name)} of an answer holds what it must not`)
    }
    head += `${name}: ${value}\r\n`
  }
  return `${head}Date: ${date}\r\n${last ? 'Connection: close\r\n\r\n' : '\r\n'}`
}

/** Head and body in one piece, so that they are one write. The body is moved: where it was is overwritten. */
export function inOnePiece(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafeSlow(head.length + body.length)
  bytes.write(head, 'latin1')
  body.copy(bytes, head.length)
  body.fill(0)
  return bytes
}
