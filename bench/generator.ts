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
  /** What came of an answer whose header is not yet whole; almost always empty. */
  head: Buffer | undefined
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
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const connection: Connection = { socket, head: undefined, missing: 0, status: 0, sentAt: 0 }
    socket.once('error', reject)
    socket.once('connect', () => resolve(connection))
    socket.on('data', (chunk: Buffer) => received(connection, chunk))
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

const headerEnd = Buffer.from('\r\n\r\n')
const lengthName = 'content-length:'

function received(connection: Connection, chunk: Buffer): void {
  let rest = chunk.length
  if (connection.missing === 0) {
    const bytes = connection.head === undefined ? chunk : Buffer.concat([connection.head, chunk])
    const end = bytes.indexOf(headerEnd)
    if (end < 0) {
      connection.head = bytes
      return
    }
    connection.head = undefined
    const head = bytes.toString('latin1', 0, end).toLowerCase()
    connection.status = Number(head.slice(9, 12))
    connection.missing = Number.parseInt(
      head.slice(head.indexOf(lengthName) + lengthName.length),
      10,
    )
    rest = bytes.length - end - headerEnd.length
    if (connection.status !== 200 && slice !== undefined) {
      slice.firstError ??= bytes.toString('latin1', 0, 600)
    }
  }
  connection.missing -= rest
  if (connection.missing === 0) answered(connection)
  else if (connection.missing < 0) failed(connection, 'more bytes than the answer has')
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
