import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  type Checkpoint,
  type NoteSignature,
  parseCheckpoint,
} from '../../src/journal/checkpoint.ts'
import { isBy, parseVkey, type VerifierKey, verifyLine } from '../../src/journal/note-keys.ts'
import { everyKind, readRecords } from '../../src/journal/reader.ts'
import { type AuditEvent, auditExport, kagibanOk } from '../support/cli.ts'
import { clientsOf } from '../support/clients.ts'
import { projectRoot, TestServer, temporaryFolder } from '../support/server.ts'

/** The command `kagiban witness`, as a process of its own. */
class WitnessProcess {
  readonly #child: ChildProcess
  #output = ''
  vkey = ''
  url = ''

  private constructor(state: string, logs: readonly string[], port: number) {
    const args = ['witness', '--listen', `127.0.0.1:${port}`, '--state', state]
    const keys = logs.flatMap((key) => ['--log', key])
    const script = join(projectRoot, 'cli/kagiban.mjs')
    this.#child = spawn(process.execPath, [script, ...args, ...keys], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
  }

  static async start(state: string, logs: readonly string[], port = 0): Promise<WitnessProcess> {
    const witness = new WitnessProcess(state, logs, port)
    await until(() => witness.#output.includes('ready at') || witness.#child.exitCode !== null)
    const [, vkey, url] = /(\S+)\nThe witness is ready at (\S+)\n/.exec(witness.#output) ?? []
    assert.ok(vkey !== undefined && url !== undefined, witness.#output)
    Object.assign(witness, { vkey, url })
    return witness
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill(signal)
    await ended
  }
}

async function until(found: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await found())) {
    assert.ok(performance.now() < end, `it was not so within ${ms} ms: ${found}`)
    await sleep(100)
  }
}

type Status = {
  log?: {
    endpoint: string
    root: { size: number; witnessedSize: number; writing: boolean }
    witnesses: { name: string; failure?: string }[]
    failures: Record<string, string>
  }
}

async function logStatus(data: string, node = 'main') {
  const text = await kagibanOk('status', '--json', '--data', data, '--node', node)
  return (JSON.parse(text) as Status).log
}

async function logEndpoint(data: string, node = 'main'): Promise<string> {
  let endpoint: string | undefined
  await until(async () => {
    endpoint = (await logStatus(data, node))?.endpoint
    return endpoint !== undefined
  })
  return endpoint ?? ''
}

async function get(url: string, method = 'GET') {
  const response = await fetch(url, { method, headers: { connection: 'close' } })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() }
}

async function checkpointOf(endpoint: string, name: string): Promise<Checkpoint | undefined> {
  const { status, text } = await get(`${endpoint}/${name}/checkpoint`)
  const checkpoint = status === 200 ? parseCheckpoint(text) : undefined
  return typeof checkpoint === 'string' ? undefined : checkpoint
}

const sha = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** RFC 6962 §2.1, for a reader who has nothing of ours. */
function rootOfLeaves(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (first === undefined) return sha('')
  if (leaves.length === 1) return first
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha('\x01', rootOfLeaves(leaves.slice(0, split)), rootOfLeaves(leaves.slice(split)))
}

async function keyNamed(endpoint: string, origin: string): Promise<VerifierKey[]> {
  const { text } = await get(`${endpoint}/keys`)
  return text
    .trim()
    .split('\n')
    .map(parseVkey)
    .filter((key) => typeof key !== 'string')
    .filter(({ name }) => name === origin)
}

describe('the log for others', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'witnesses')
  writeFileSync(file, '# none yet\n')
  const environment = { KAGIBAN_LOG_LISTEN: '127.0.0.1:0', KAGIBAN_WITNESSES: file }
  let server: TestServer
  let witness: WitnessProcess | undefined
  let rootKeys: VerifierKey[] = []

  before(async () => {
    server = await TestServer.start({ environment, segmentBytes: 256 * 1024 })
  })
  after(async () => {
    await witness?.end()
    await server.discard()
    rmSync(folder, { recursive: true })
  })

  async function work(keys: number, of = server): Promise<void> {
    const clients = clientsOf(of)
    for (let count = 0; count < keys; count += 1) await clients.kms.send(new CreateKeyCommand({}))
    clients.destroy()
  }

  const records = () => [...readRecords(join(server.data, 'journal', 'main'), { kinds: everyKind })]

  test('is served in tiles whose hashes lead to the signed root', async () => {
    await work(5)
    const endpoint = await logEndpoint(server.data)
    await until(async () => ((await checkpointOf(endpoint, 'main'))?.size ?? 0) >= 6)
    const checkpoint = await checkpointOf(endpoint, 'main')
    assert.ok(checkpoint !== undefined)
    const { size, origin, root } = checkpoint
    const [key] = await keyNamed(endpoint, origin)
    const line = checkpoint.signatures.find((each) => key !== undefined && isBy(each, key))
    assert.ok(key !== undefined && line !== undefined && verifyLine(checkpoint, line, key))
    const tile = await get(`${endpoint}/main/tile/0/000.p/${size}`)
    assert.equal(tile.headers.get('content-type'), 'application/octet-stream')
    assert.equal(tile.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    const leaves = Array.from({ length: size }, (_, at) =>
      tile.bytes.subarray(at * 32, at * 32 + 32),
    )
    assert.equal(rootOfLeaves(leaves).toString('latin1'), root)
    const bundle = await get(`${endpoint}/main/tile/entries/000.p/${size}`)
    const types = { event: 1, digest: 2, checkpoint: 3, item: 4 }
    for (const [at, { kind, record }] of records().slice(0, size).entries()) {
      const entry = bundle.bytes.subarray(at * 35 + 2, at * 35 + 35)
      assert.deepEqual(entry, Buffer.concat([Buffer.of(types[kind]), sha(record)]))
      assert.deepEqual(sha('\0', entry), leaves[at])
    }
    const found = await get(`${endpoint}/main/checkpoint`)
    assert.equal(found.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(found.headers.get('cache-control'), 'public, max-age=1')
  })

  test('shows nothing else, and takes nothing', async () => {
    const endpoint = await logEndpoint(server.data)
    const { size = 0 } = (await checkpointOf(endpoint, 'main')) ?? {}
    for (const path of [
      ...['/nobody/checkpoint', '/main/', '/main', '/main/checkpoint/', '/MAIN/checkpoint'],
      ...['/main/tile/0/000', '/main/tile/0/001', '/main/tile/1/000.p/1', '/main/tile/0/0'],
      ...[`/main/tile/0/000.p/${size + 200 > 255 ? 255 : size + 200}`, '/main/tile/0/000.p/0'],
      ...['/main/00000001.seg', '/main/..%2f..%2fstore/store.db', '/main/tile/0/000?x', '/index'],
    ]) {
      const { status, headers } = await get(endpoint + path)
      assert.equal(status, 404, path)
      assert.equal(headers.get('cache-control'), 'no-store', path)
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, headers } = await get(`${endpoint}/main/checkpoint`, method)
      assert.deepEqual([status, headers.get('allow')], [405, 'GET'])
    }
    assert.equal((await get(`${server.endpoint}/main/checkpoint`)).status === 200, false)
  })

  test('has a root log, signed with ML-DSA as well, with the checkpoints of the node', async () => {
    const endpoint = await logEndpoint(server.data)
    let head: Checkpoint | undefined
    await until(async () => {
      head = await checkpointOf(endpoint, 'root')
      return head?.signatures.length === 2
    })
    assert.ok(head !== undefined)
    const { origin } = head
    assert.match(origin, /^kagiban\/root-log\/[0-9a-f-]{36}$/)
    rootKeys = await keyNamed(endpoint, origin)
    assert.deepEqual(
      rootKeys.map(({ type }) => type),
      [0x01, 0x06],
    )
    for (const key of rootKeys) {
      const line: NoteSignature | undefined = head.signatures.find((each) => isBy(each, key))
      assert.ok(line !== undefined && verifyLine(head, line, key), `type ${key.type}`)
    }
    const [entry] = [...readRecords(join(server.data, 'root-log'), { kinds: ['checkpoint'] })]
    const node = parseCheckpoint(entry?.record ?? '')
    assert.ok(typeof node !== 'string' && node.origin.startsWith('kagiban/main/'))
  })

  test('is cosigned by a witness that runs elsewhere', async () => {
    const endpoint = await logEndpoint(server.data)
    const { text } = await get(`${endpoint}/keys`)
    const rootVkeys = text
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('kagiban/root-log/'))
    witness = await WitnessProcess.start(join(folder, 'state'), rootVkeys)
    writeFileSync(file, `${witness.vkey} ${witness.url}\nquorum 1\n`)
    await server.stop()
    await server.restart()
    await work(3)
    await cosignedAt(await logEndpoint(server.data), 1)
    const seen = await get(
      `${witness.url}/${sha(rootKeys[0]?.name ?? '').toString('hex')}/checkpoint`,
    )
    assert.equal(seen.status, 200)
    const status = await kagibanOk('status', '--data', server.data)
    assert.match(status, /witnessed +\d+ entries by 1 of 1 witnesses/)
  })

  /** Waits for a checkpoint of the root log with the witness's cosignature, over so many entries at the least. */
  async function cosignedAt(endpoint: string, least: number): Promise<Checkpoint> {
    const key = parseVkey(witness?.vkey ?? '')
    assert.ok(typeof key !== 'string')
    let head: Checkpoint | undefined
    await until(async () => {
      head = await checkpointOf(endpoint, 'root')
      const line = head?.signatures.find((each) => isBy(each, key))
      return (
        line !== undefined &&
        head !== undefined &&
        verifyLine(head, line, key) &&
        head.size >= least
      )
    })
    assert.ok(head !== undefined)
    return head
  }

  test('goes on after the service was killed, and after the witness was', async () => {
    const before = await cosignedAt(await logEndpoint(server.data), 1)
    await work(2)
    await server.kill9()
    await server.restart()
    await work(2)
    const after = await cosignedAt(await logEndpoint(server.data), before.size + 1)
    assert.equal(after.origin, before.origin)
    const { port } = witness ?? {}
    await witness?.end('SIGKILL')
    await work(1)
    await until(async () => (await logStatus(server.data))?.witnesses[0]?.failure !== undefined)
    witness = await WitnessProcess.start(
      join(folder, 'state'),
      (await get(`${await logEndpoint(server.data)}/keys`)).text
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('kagiban/root-log/')),
      port,
    )
    await work(1)
    await cosignedAt(await logEndpoint(server.data), after.size + 1)
  })

  test('is taken over by another process when the one that writes it is gone', async () => {
    await cosignedAt(await logEndpoint(server.data), 1)
    const { data, credentials } = server
    const second = TestServer.over(data, credentials, {
      environment,
      node: 'two',
      segmentBytes: 256 * 1024,
    })
    await second.restart()
    try {
      assert.equal((await logStatus(data, 'two'))?.root.writing, false)
      const sizeBefore = (await logStatus(data, 'two'))?.root.size ?? 0
      await server.kill9()
      await until(async () => (await logStatus(data, 'two'))?.root.writing === true)
      await work(1, second)
      await until(async () => ((await logStatus(data, 'two'))?.root.size ?? 0) > sizeBefore)
      await cosignedAt(await logEndpoint(data, 'two'), sizeBefore + 1)
    } finally {
      await second.stop()
    }
    await server.restart()
  })

  test('tells of a node whose log went back, and of one that began anew', async () => {
    await until(async () => ((await logStatus(server.data))?.root.size ?? 0) > 0)
    await server.stop()
    const journal = join(server.data, 'journal', 'main')
    const copy = join(folder, 'copy')
    cpSync(journal, copy, { recursive: true })
    await server.restart()
    await work(3)
    const size = records().length
    await until(
      async () => ((await checkpointOf(await logEndpoint(server.data), 'main'))?.size ?? 0) >= size,
    )
    await server.stop()
    rmSync(journal, { recursive: true })
    cpSync(copy, journal, { recursive: true })
    await server.restart()
    await until(async () => (await logStatus(server.data))?.failures['main'] !== undefined)
    assert.match((await logStatus(server.data))?.failures['main'] ?? '', /^it went back: /)
    assert.match(server.stderr, /the log of node main went back or was rewritten/)
    const told = (name: string) => async () =>
      (await auditExport(server.data)).some((event: AuditEvent) => event.eventName === name)
    await until(told('LogWentBack'))
    // It grows beyond what was seen, and is another history all the same.
    await work(6)
    await sleep(3000)
    assert.ok((await logStatus(server.data))?.failures['main'] !== undefined)
    await server.stop()
    rmSync(journal, { recursive: true })
    await server.restart()
    await work(1)
    await until(told('NewLogEpoch'))
    await until(async () => (await logStatus(server.data))?.failures['main'] === undefined)
  })

  test('is refused by its witness once the root log itself went back', async () => {
    const head = await cosignedAt(await logEndpoint(server.data), 1)
    await server.stop()
    const root = join(server.data, 'root-log')
    const copy = join(folder, 'root-copy')
    cpSync(root, copy, { recursive: true })
    await server.restart()
    // Of one entry alone the same would come again, and nothing would be lost.
    for (const more of [1, 2, 3]) {
      await work(1)
      await cosignedAt(await logEndpoint(server.data), head.size + more)
    }
    await server.stop()
    rmSync(root, { recursive: true })
    cpSync(copy, root, { recursive: true })
    await server.restart()
    await until(async () => (await logStatus(server.data))?.witnesses[0]?.failure !== undefined)
    const failure = (await logStatus(server.data))?.witnesses[0]?.failure ?? ''
    assert.match(failure, /the log went back|the log was forked|was rewritten/)
    assert.match(server.stderr, /witness kagiban\/witness\/.*(went back|forked|rewritten)/)
    assert.ok(readFileSync(file, 'utf8').includes('quorum 1'))
  })
})
