import type { FileIdentity, Files } from '../files.ts'

type Inode = { readonly number: number; content: Buffer }
type NameChange = { readonly set?: readonly [string, Inode]; readonly remove?: string }

/** What goes wrong, and at which call. `crash` is a power cut: that call and every later one fail. */
export type Fault = { readonly at: number; readonly code: 'EIO' | 'ENOSPC' | 'crash' }

const sector = 512

/**
 * Files in memory that remember what would survive a power cut: what `write` answered is there; a write that failed may
 * have left any of its sectors; names are there once their directory was flushed, and before that perhaps.
 */
export class SimulatedDisk implements Files {
  /** Every call of the port, in order. */
  readonly calls: string[] = []
  /** 0 to 1: decides what survives. */
  readonly #chance: () => number
  readonly #shortWrites: boolean
  readonly #handles = new Map<number, Inode>()
  #names = new Map<string, Inode>()
  #durable = new Map<string, Inode>()
  #pending: NameChange[] = []
  #nextNumber = 10
  fault: Fault | undefined

  constructor(chance: () => number = () => 0.5, shortWrites = false) {
    this.#chance = chance
    this.#shortWrites = shortWrites
  }

  /** The disk after a power cut, with no fault in it. */
  afterPowerCut(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#chance)
    const names = new Map(this.#durable)
    for (const change of this.#pending) if (this.#chance() < 0.5) apply(names, change)
    for (const [name, { content }] of names) disk.put(name, Buffer.from(content))
    return disk
  }

  copy(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#chance)
    for (const [name, { content }] of this.#names) disk.put(name, Buffer.from(content))
    return disk
  }

  put(path: string, content: Buffer): void {
    const inode = { number: this.#nextNumber++, content }
    this.#names.set(path, inode)
    this.#durable.set(path, inode)
  }

  delete(path: string): void {
    this.#names.delete(path)
  }

  /** The content itself, to be changed in place. */
  content(path: string): Buffer {
    return this.#inode(path).content
  }

  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  makeDirectory(path: string): void {
    this.#call(`makeDirectory ${path}`)
  }

  list(directory: string): string[] {
    this.#call(`list ${directory}`)
    const prefix = `${directory}/`
    return this.paths()
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
  }

  open(path: string, mode: 'read' | 'write' | 'create'): number {
    this.#call(`open ${mode} ${path}`)
    let inode = this.#names.get(path)
    if (mode === 'create') {
      if (inode === undefined) {
        inode = { number: this.#nextNumber++, content: Buffer.alloc(0) }
        this.#change({ set: [path, inode] })
      }
      inode.content = Buffer.alloc(0)
    }
    if (inode === undefined) throw systemError('ENOENT')
    const handle = this.#nextNumber++
    this.#handles.set(handle, inode)
    return handle
  }

  close(file: number): void {
    this.#call('close')
    this.#handles.delete(file)
  }

  read(file: number, into: Buffer, offset: number, length: number, position: number): number {
    this.#call('read')
    return this.#handle(file).content.copy(into, offset, position, position + length)
  }

  write(file: number, from: Buffer, offset: number, length: number, position: number): number {
    const inode = this.#handle(file)
    const short = this.#shortWrites && length > 1 ? Math.ceil(length * this.#chance()) || 1 : length
    const bytes = from.subarray(offset, offset + short)
    try {
      this.#call('write')
    } catch (error) {
      for (let at = 0; at < bytes.length; at += sector) {
        if (this.#chance() < 0.5) store(inode, bytes.subarray(at, at + sector), position + at)
      }
      throw error
    }
    store(inode, bytes, position)
    return short
  }

  identifyOpen(file: number): FileIdentity {
    this.#call('identifyOpen')
    return identity(this.#handle(file))
  }

  identify(path: string): FileIdentity {
    this.#call(`identify ${path}`)
    return identity(this.#inode(path))
  }

  rename(from: string, to: string): void {
    this.#call(`rename ${from}`)
    this.#change({ set: [to, this.#inode(from)], remove: from })
  }

  remove(path: string): void {
    this.#call(`remove ${path}`)
    if (this.#names.has(path)) this.#change({ remove: path })
  }

  flushDirectory(path: string): void {
    this.#call(`flushDirectory ${path}`)
    this.#durable = new Map(this.#names)
    this.#pending = []
  }

  #call(name: string): void {
    const index = this.calls.push(name) - 1
    const { fault } = this
    if (fault === undefined || index < fault.at) return
    if (fault.code === 'crash' || index === fault.at) throw systemError(fault.code)
  }

  #change(change: NameChange): void {
    apply(this.#names, change)
    this.#pending.push(change)
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw systemError('ENOENT')
    return inode
  }

  #handle(file: number): Inode {
    const inode = this.#handles.get(file)
    if (inode === undefined) throw systemError('EBADF')
    return inode
  }
}

function apply(names: Map<string, Inode>, { set, remove }: NameChange): void {
  if (remove !== undefined) names.delete(remove)
  if (set !== undefined) names.set(...set)
}

function store(inode: Inode, bytes: Buffer, position: number): void {
  const end = position + bytes.length
  if (end > inode.content.length) {
    inode.content = Buffer.concat([inode.content, Buffer.alloc(end - inode.content.length)])
  }
  bytes.copy(inode.content, position)
}

function identity({ number, content }: Inode): FileIdentity {
  return { device: 1, inode: number, bytes: content.length }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
