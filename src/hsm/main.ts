/**
 * The key core as a process of its own: `main.ts DIRECTORY`.
 *
 * The directory (mode 0700) holds root and hierarchy and is all that the process reads or writes. Descriptor 0 gives
 * the root's passphrase up to its end (nothing: the root is a key file), descriptor 3 is the socket pair on which
 * commands come. The process ends when that closes. Exit code 3: it refuses to start, and said why.
 */
import { readSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { systemClock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import { Core } from './core.ts'
import { StartRefused } from './refusal.ts'
import { type Log, Session } from './session.ts'

const refusedExit = 3
const failedExit = 1
const passphraseBytesMax = 4096
const receiveBytes = 256 * 1024
const linesPerMinuteMax = 60

const log = boundedLog()
// Whoever reads the log may go away; the core stays.
process.stderr.on('error', () => {})

process.on('uncaughtException', (error) => {
  // Of a failure that nobody foresaw only the place is told: a message might hold anything.
  const place = (error.stack ?? '').split('\n').slice(1, 6).join('')
  log(`The key core failed: ${error instanceof ServiceError ? error.detail : ''}${place}`)
  process.exit(failedExit)
})
// The supervisor's affair: whoever signals the whole group must not end the core before the service has drained.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

const core = start()
core.startThreads()
// A thread can be started without any permission model: from here on none is. Undefined where there is no model.
process.permission?.drop('worker')
serve(core)

function start(): Core {
  const [, , directory] = process.argv
  try {
    if (directory === undefined) throw new StartRefused('The key core needs its directory.')
    assertPrivate(directory)
    const passphrase = readPassphrase()
    try {
      return new Core({ directory, passphrase, clock: systemClock })
    } finally {
      passphrase?.fill(0)
    }
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error
    log(error.message)
    process.exit(refusedExit)
  }
}

function serve(core: Core): void {
  const receiveBuffer = Buffer.allocUnsafeSlow(receiveBytes)
  const options = {
    fd: 3,
    readable: true,
    writable: true,
    // One buffer of our own for all that comes: those that Node makes for each read cannot be wiped before they move.
    onread: {
      buffer: receiveBuffer,
      callback: (count: number) => {
        session.receive(receiveBuffer.subarray(0, count))
        return true
      },
    },
  }
  const socket = new Socket(options)
  const session = new Session(core, socket, log)
  socket.on('error', () => {})
  socket.on('close', () => process.exit(0))
  socket.resume()
}

function assertPrivate(directory: string): void {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory()) {
    throw new StartRefused(`${directory} is not a directory.`)
  }
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8)
    throw new StartRefused(`${directory} lets others than its owner in (mode ${mode}).`)
  }
}

/** Undefined when descriptor 0 gives nothing. One newline at the end is not part of it. */
function readPassphrase(): Buffer | undefined {
  const buffer = Buffer.alloc(passphraseBytesMax + 1)
  let length = 0
  for (;;) {
    const count = readSync(0, buffer, length, buffer.length - length, null)
    if (count === 0) break
    length += count
    if (length > passphraseBytesMax) {
      throw new StartRefused(`The passphrase is longer than ${passphraseBytesMax} bytes.`)
    }
  }
  if (length > 0 && buffer[length - 1] === 0x0a) length -= 1
  return length === 0 ? undefined : buffer.subarray(0, length)
}

/** No fault that comes with every request can fill the disk with lines. */
function boundedLog(): Log {
  let minute = 0
  let lines = 0
  return (line) => {
    const now = Math.floor(systemClock.now() / 60_000)
    if (now !== minute) {
      minute = now
      lines = 0
    }
    if (lines++ < linesPerMinuteMax) process.stderr.write(`key core: ${line}\n`)
  }
}
