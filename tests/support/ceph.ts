import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './cli.ts'
import { temporaryFolder } from './server.ts'

const programs = ['ceph-mon', 'ceph-mgr', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph']
const startMsMax = 90_000

/** What is not installed; undefined when a cluster can be started. */
export async function cephMissing(): Promise<string | undefined> {
  for (const program of programs) {
    try {
      await run(program, ['--version'], { timeoutMs: 20_000 })
    } catch {
      return `${program} is not installed`
    }
  }
  return undefined
}

/** A whole Ceph cluster of one machine with its objects in memory: one of each daemon, and its S3 gateway. */
export class CephCluster {
  readonly bucketOwner = { accessKeyId: 'CEPHUSER', secret: randomBytes(20).toString('hex') }
  version = ''
  #folder = ''
  #port = 0
  readonly #daemons: ChildProcess[] = []

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** As when it is restarted: what is being asked breaks off. */
  async stopGateway(): Promise<void> {
    const gateway = this.#daemons.pop()
    if (gateway !== undefined) await end(gateway)
  }

  async startGateway(): Promise<void> {
    this.#daemon('radosgw', '-n', 'client.rgw')
    await this.#untilItAnswers()
  }

  /** On failure everything is stopped, and the error has the daemons' last words. */
  async start(): Promise<void> {
    this.#folder = temporaryFolder()
    try {
      await this.#start()
    } catch (error) {
      const words = ['mon', 'mgr', 'osd', 'rgw'].map((name) => `${name}: ${this.#lastWords(name)}`)
      await this.stop()
      throw new Error(`Ceph did not start: ${String(error)}\n${words.join('\n')}`)
    }
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons.splice(0).reverse()) await end(daemon)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const monitor = await freePort()
    this.#port = await freePort()
    const fsid = randomUUID()
    for (const name of ['mon', 'mgr', 'osd', 'run']) mkdirSync(join(this.#folder, name))
    writeFileSync(this.#path('ceph.conf'), configuration(this.#folder, fsid, monitor, this.#port))
    await this.#makeKeys()
    const address = `[v2:127.0.0.1:${monitor}]`
    const monmap = this.#path('monmap')
    await must('monmaptool', ['--create', '--addv', 'a', address, '--fsid', fsid, monmap])
    const keyring = this.#path('keyring')
    await this.#ceph('ceph-mon', '-i', 'a', '--mkfs', '--monmap', monmap, '--keyring', keyring)
    this.#daemon('ceph-mon', '-i', 'a')
    await this.#ceph('ceph', '--connect-timeout', '30', 'status')
    this.#daemon('ceph-mgr', '-i', 'x')
    const osd = randomUUID()
    await this.#ceph('ceph', 'osd', 'new', osd, '0')
    await this.#ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd)
    this.#daemon('ceph-osd', '-i', '0')
    const { accessKeyId, secret } = this.bucketOwner
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secret}`]
    const user = ['user', 'create', '--uid=kagiban', '--display-name=kagiban', ...keys]
    await this.#ceph('radosgw-admin', '-n', 'client.rgw', ...user)
    await this.startGateway()
    this.version = (await must('radosgw', ['--version'])).trim()
  }

  async #makeKeys(): Promise<void> {
    const make = (...args: string[]) => must('ceph-authtool', args)
    const keyring = this.#path('keyring')
    await make('--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *')
    const all = ['mon', 'osd', 'mgr'].flatMap((daemon) => ['--cap', daemon, 'allow *'])
    await make(keyring, '--gen-key', '-n', 'client.admin', ...all)
  }

  async #untilItAnswers(): Promise<void> {
    const last = Date.now() + startMsMax
    for (;;) {
      try {
        const { status } = await fetch(this.endpoint)
        if (status === 200) return
      } catch {}
      const rgw = this.#daemons.at(-1)
      if (rgw?.exitCode !== null || Date.now() > last) throw new Error('radosgw does not answer')
      await sleep(200)
    }
  }

  #ceph(program: string, ...args: string[]): Promise<string> {
    return must(program, ['-c', this.#path('ceph.conf'), ...args])
  }

  #daemon(program: string, ...args: string[]): void {
    const all = ['-c', this.#path('ceph.conf'), ...args, '-f']
    const daemon = spawn(program, all, { cwd: this.#folder, stdio: 'ignore' })
    daemon.on('error', () => {})
    this.#daemons.push(daemon)
  }

  #lastWords(name: string): string {
    try {
      return readFileSync(this.#path(`run/${name}.log`), 'utf8').slice(-500)
    } catch {
      return 'it said nothing'
    }
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

/** Nothing of it is needed any more, and an orderly end takes seconds. */
async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  daemon.kill('SIGKILL')
  await once(daemon, 'exit')
}

async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { timeoutMs: startMsMax })
  if (code === 0) return stdout
  throw new Error(`${program} ended with ${code}: ${stderr.slice(-500)}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/**
 * Without authentication between the daemons, so without the encryption that would need it: radosgw insists on both
 * when it talks to monitors, unless its own section says otherwise.
 */
function configuration(folder: string, fsid: string, monitor: number, gateway: number): string {
  const modes = ['cluster', 'service', 'client', 'mon cluster', 'mon service', 'mon client']
  return `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${monitor}
auth cluster required = none
auth service required = none
auth client required = none
${modes.map((mode) => `ms ${mode} mode = crc`).join('\n')}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${folder}/run
crash dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
keyring = ${folder}/keyring
pid file =
mon data avail crit = 1
mon data avail warn = 1
mon allow pool size one = true
mon max pg per osd = 1000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
[mon.a]
mon data = ${folder}/mon
log file = ${folder}/run/mon.log
[mgr.x]
mgr data = ${folder}/mgr
mgr initial modules =
log file = ${folder}/run/mgr.log
[osd.0]
osd data = ${folder}/osd
log file = ${folder}/run/osd.log
[client.rgw]
rgw data = ${folder}/run
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw thread pool size = 64
ms mon client mode = crc
auth client required = none
log file = ${folder}/run/rgw.log
`
}
