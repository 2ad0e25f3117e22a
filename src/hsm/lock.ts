import { randomBytes } from 'node:crypto'
import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { internalError } from '../base/errors.ts'
import { removeIfThere } from './durable.ts'

const staleMs = 30_000
const retryMs = 10
const defaultWaitMs = 5_000

/**
 * Runs `work` while this process holds the folder's lock, a file that exists only as long. Waits up to `waitMs`, five
 * seconds unless told, blocking the process; then throws 'internal'.
 * A lock whose process is dead, or that is older than 30 seconds, is broken.
 *
 * `assertHeld` throws when somebody broke this lock: to be called right before a change becomes visible.
 */
export function withLock<T>(
  directory: string,
  clock: Clock,
  work: (assertHeld: () => void) => T,
  waitMs = defaultWaitMs,
): T {
  const path = join(directory, 'lock')
  const mark = `${process.pid} ${hostname()} ${randomBytes(16).toString('hex')}\n`
  acquire(path, mark, clock, waitMs)
  const held = () => readIfThere(path) === mark
  try {
    return work(() => {
      if (!held())
        throw internalError('the lock of the key hierarchy was broken by another process')
    })
  } finally {
    if (held()) removeIfThere(path)
  }
}

function acquire(path: string, mark: string, clock: Clock, waitMs: number): void {
  for (let waited = 0; ; waited += retryMs) {
    if (create(path, mark)) return
    if (breakStale(path, clock)) continue
    if (waited >= waitMs) throw internalError('the lock of the key hierarchy is held for too long')
    sleep(retryMs)
  }
}

function create(path: string, mark: string): boolean {
  let fd: number
  try {
    fd = openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    writeSync(fd, mark)
  } finally {
    closeSync(fd)
  }
  return true
}

/** True when there is no longer the lock that was found. */
function breakStale(path: string, clock: Clock): boolean {
  const mark = readIfThere(path)
  if (mark === undefined) return true
  if (!isStale(path, mark, clock)) return false
  // Renaming, unlike removing, tells which file was taken: two breakers may have seen the same stale lock, and the
  // slower one would remove the lock that the faster one has made since.
  const taken = `${path}.${randomBytes(8).toString('hex')}.tmp`
  try {
    renameSync(path, taken)
  } catch {
    return true
  }
  if (readIfThere(taken) !== mark) giveBack(taken, path)
  removeIfThere(taken)
  return true
}

function giveBack(taken: string, path: string): void {
  try {
    linkSync(taken, path)
  } catch {
    // Somebody holds a newer lock; the process whose lock was taken finds out by `assertHeld` and changes nothing.
  }
}

function isStale(path: string, mark: string, clock: Clock): boolean {
  const [pid, host] = mark.trimEnd().split(' ')
  if (host === hostname() && isDead(Number(pid))) return true
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  return changed !== undefined && clock.now() - changed > staleMs
}

/**
 * A lock of this very process id is a former process's, which had the same number: the lock is held within one
 * synchronous call only, so this process cannot be waiting for itself.
 */
function isDead(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
