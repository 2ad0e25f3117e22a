import { connect, type Socket } from 'node:net'
import { statOf } from '../tests/support/processes.ts'
import type { FromGenerator, Latency, SliceResult, Subject, ToGenerator } from './protocol.ts'

/**
 * The load generator: keep-alive connections that each send their next request once the answer to the last has come.
 * It does as little as it can, so that what is measured is the server: bytes made beforehand, and of an answer only
 * the status and the Content-Length are looked at.
 */
type Connection = {
  readonly socket: Socket
  /** What came of an answer whose header is not yet whole (Latin-1); almost always empty. */
  head: string
  /** Bytes of the present answer that are still to come, once its header was read. */
  missing: number
  status: number
  sentAt: number
}

type Slice = {
  readonly subject: Subject
  readonly startedAt: number
  readonly endsAt: number
  answers: number
  errors: number
  firstError: string | undefined
  inFlight: number
  readonly latencies: number[]
  readonly done: (result: Omit<SliceResult, 'type' | 'ticks'>) => void
}

let requests: Buffer[] = []
let nextRequest = 0
let pools: Partial<Record<Subject, Connection[]>> = {}
let slice: Slice | undefined

async function load(message: Extract<ToGenerator, { type: 'load' }>): Promise<void> {
  for (const connection of Object.values(pools).flat()) connection.socket.destroy()
  requests = message.requests.map((text) => Buffer.from(text, 'base64'))
  nextRequest = 0
  const open = (endpoint: string) =>
    Promise.all(Array.from({ length: message.connections }, () => openConnection(endpoint)))
  pools = {
    echo: await open(message.endpoints.echo),
    service: await open(message.endpoints.service),
  }
}

function openConnection(endpoint: string): Promise<Connection> {
  const { hostname, port } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const callback = (count: number) => {
      received(connection, count)
      return true
    }
    const onread = { buffer: receiveBuffer, callback }
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    const connection: Connection = { socket, head: '', missing: 0, status: 0, sentAt: 0 }
    socket.once('error', reject)
    socket.once('connect', () => resolve(connection))
    socket.on('close', () => {
      if (connection.sentAt > 0) failed(connection, 'connection lost')
    })
  })
}

function send(connection: Connection, now: number): void {
  const request = requests[nextRequest]
  nextRequest = (nextRequest + 1) % requests.length
  connection.sentAt = now
  if (request !== undefined) connection.socket.write(request)
}

/** One for all connections: what comes is looked at before the next read. */
const receiveBuffer = Buffer.alloc(64 * 1024)
const headerEnd = '\r\n\r\n'
const lengthHeader = /\r\ncontent-length: *(\d+)/i

function received(connection: Connection, count: number): void {
  let rest = count
  if (connection.missing === 0) {
    const text = connection.head + receiveBuffer.toString('latin1', 0, count)
    const end = text.indexOf(headerEnd)
    if (end < 0) {
      connection.head = text
      return
    }
    connection.head = ''
    connection.status = Number(text.slice(9, 12))
    connection.missing = Number(lengthHeader.exec(text)?.[1])
    rest = text.length - end - headerEnd.length
    if (connection.status !== 200 && slice !== undefined) slice.firstError ??= text.slice(0, 600)
  }
  connection.missing -= rest
  if (connection.missing === 0) answered(connection)
  else if (!(connection.missing > 0)) failed(connection, 'not as many bytes as the answer has')
}

function answered(connection: Connection): void {
  if (slice === undefined) return
  const now = performance.now()
  slice.latencies.push(now - connection.sentAt)
  connection.sentAt = 0
  if (connection.status === 200) slice.answers++
  else slice.errors++
  if (now < slice.endsAt) send(connection, now)
  else finish(slice, now)
}

function failed(connection: Connection, what: string): void {
  connection.sentAt = 0
  connection.socket.destroy()
  if (slice === undefined) return
  slice.errors++
  slice.firstError ??= what
  finish(slice, performance.now())
}

function finish(ended: Slice, now: number): void {
  ended.inFlight--
  if (ended.inFlight > 0) return
  slice = undefined
  const { subject, answers, errors, firstError } = ended
  const seconds = (now - ended.startedAt) / 1000
  ended.done({ subject, answers, errors, firstError, seconds, latency: latencyOf(ended.latencies) })
}

function latencyOf(latencies: number[]): Latency {
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { p50: at(0.5) ?? 0, p90: at(0.9) ?? 0, p99: at(0.99) ?? 0, max: at(1) ?? 0 }
}

function runSlice(message: Extract<ToGenerator, { type: 'slice' }>): Promise<SliceResult> {
  const connections = (pools[message.subject] ?? []).filter(({ socket }) => !socket.destroyed)
  const before = ticksOf(message.pids)
  return new Promise((resolve, reject) => {
    if (connections.length === 0) return reject(new Error('no connection is left'))
    const startedAt = performance.now()
    slice = {
      subject: message.subject,
      startedAt,
      endsAt: startedAt + message.milliseconds,
      answers: 0,
      errors: 0,
      firstError: undefined,
      inFlight: connections.length,
      latencies: [],
      done: (result) => {
        const after = ticksOf(message.pids)
        const ticks = Object.fromEntries(
          message.pids.map((pid) => [pid, (after.get(pid) ?? 0) - (before.get(pid) ?? 0)]),
        )
        resolve({ type: 'slice', ticks, ...result })
      },
    }
    for (const connection of connections) send(connection, startedAt)
  })
}

function ticksOf(pids: readonly number[]): Map<number, number> {
  return new Map(pids.map((pid) => [pid, statOf(pid)?.ticks ?? 0]))
}

const tell = (message: FromGenerator) => process.send?.(message)

async function obey(message: ToGenerator): Promise<void> {
  if (message.type === 'slice') tell(await runSlice(message))
  else {
    await load(message)
    tell({ type: 'loaded' })
  }
}

process.on('message', (message: ToGenerator) => {
  obey(message).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
