import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What the tests and the bench ask of `/proc`. Everything here needs Linux. */
export type ProcessStat = {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly state: string
  /** User and system time so far, in clock ticks. */
  readonly ticks: number
}

/** USER_HZ, which Linux fixes at 100 on every architecture that Node supports. */
export const ticksPerSecond = 100

export const hasProc = process.platform === 'linux'

export function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name stands in parentheses and may hold anything, parentheses too: fields are counted from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state = '', parent, group] = fields
    const ticks = Number(fields[11]) + Number(fields[12])
    return { pid, parent: Number(parent), group: Number(group), state, ticks }
  } catch {
    return undefined
  }
}

/** The living processes of a group. */
export function groupMembers(group: number): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined)
    .filter((stat) => stat.group === group && stat.state !== 'Z' && stat.state !== 'X')
}

export function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
}

/** Bytes of memory that a process has in RAM. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (match === null) throw new Error(`process ${pid} states no VmRSS`)
  return Number(match[1]) * 1024
}

/** Which of the processes holds the listening socket of a local TCP port. */
export function listenerOf(port: number, pids: readonly number[]): number | undefined {
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readTable(table)) {
      const fields = line.trim().split(/\s+/)
      const [, local = '', , state] = fields
      const isListening = state === '0A'
      if (isListening && Number.parseInt(local.split(':')[1] ?? '', 16) === port) {
        inodes.add(`socket:[${fields[9]}]`)
      }
    }
  }
  return pids.find((pid) => openFiles(pid).some((file) => inodes.has(file)))
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1)
  } catch {
    return []
  }
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      // The file was closed meanwhile.
      return []
    }
  })
}
