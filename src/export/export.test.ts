import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { systemClock } from '../base/clock.ts'
import type { EntryKind } from '../base/entry-kind.ts'
import { JournalEngine } from '../journal/engine.ts'
import { nodeFiles } from '../journal/node-files.ts'
import { layOut, publicKey, temporaryDirectory } from '../journal/testing/fixtures.ts'
import { CursorFile } from './cursor.ts'
import { FileSink } from './file-sink.ts'
import { backoffMs, Follower } from './follower.ts'
import type { ExportState } from './messages.ts'
import type { ExportSettings, FileSettings, SyslogSettings, WebhookSettings } from './settings.ts'
import type { Entry, Sink, SinkState } from './sink.ts'
import { SyslogSink } from './syslog-sink.ts'
import { WebhookSink } from './webhook-sink.ts'

const folder = join(import.meta.dirname, '../../tests/vectors/tls')
const cert = readFileSync(join(folder, 'localhost.pem'))
const key = readFileSync(join(folder, 'localhost-key.pem'))
const secretText = 'a secret of the webhook'

const event = (name: string, more: object = {}) =>
  JSON.stringify({
    eventVersion: '1.11',
    eventTime: '2026-05-06T07:08:09Z',
    eventName: name,
    ...more,
    eventID: randomUUID(),
  })

function events(count: number): string[] {
  return Array.from({ length: count }, (_, at) => event(`Event${at}`))
}

type Fixture = ReturnType<typeof journalIn>

function journalIn(context: TestContext) {
  const data = temporaryDirectory(context)
  const directory = join(data, 'journal')
  const open = () =>
    new JournalEngine(nodeFiles, {
      directory,
      newOrigin: `kagiban/main/${randomUUID()}`,
      publicKey,
      segmentBytes: 16 * 1024,
    })
  const engine = open()
  const append = (records: readonly string[], kind: EntryKind = 'event') => {
    const buffer = layOut(records, kind)
    engine.append(buffer, buffer.length)
  }
  return { data, directory, engine, open, append }
}

const common = { name: 'siem', kinds: ['event'], from: 'beginning' } as const

/** A follower whose back-offs are short, as after a start of the service. */
function follow(
  context: TestContext,
  { data, directory }: Fixture,
  settings: ExportSettings,
  sink: Sink,
) {
  const states: ExportState[] = []
  const rests: number[] = []
  const cursorFile = join(data, 'siem.json')
  const follower = new Follower({
    settings,
    sink,
    cursors: new CursorFile(nodeFiles, cursorFile),
    journal: { files: nodeFiles, directory },
    clock: systemClock,
    random: { bytes: (count) => Buffer.alloc(count), uuid: randomUUID },
    rest: (ms) => {
      rests.push(ms)
      return sleep(5)
    },
    report: (state) => states.push(state),
  })
  const running = follower.run()
  const end = () => {
    follower.end()
    return running
  }
  context.after(end)
  return { states, rests, end, cursorFile }
}

async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (condition()) return
    await sleep(5)
  }
  assert.fail(`${what} did not come about`)
}

/** A receiver in memory, which fails as it is told to. */
function memorySink() {
  const received: string[] = []
  const sink = {
    received,
    fail: undefined as string | undefined,
    /** Takes what it says that it did not take. */
    lies: false,
    async deliver(entries: readonly Entry[]): Promise<SinkState | undefined> {
      if (sink.fail === undefined || sink.lies)
        received.push(...entries.map(({ record }) => record))
      if (sink.fail !== undefined) throw new Error(sink.fail)
      return undefined
    },
    close: () => {},
  }
  return sink
}

const memory: FileSettings = { ...common, type: 'file', directory: '/nowhere', maxFileBytes: 1e6 }

describe('a follower', () => {
  test('hands on everything once, in order, and what is added later', async (t) => {
    const journal = journalIn(t)
    const records = events(300)
    for (let at = 0; at < 200; at += 7) journal.append(records.slice(at, Math.min(at + 7, 200)))
    const sink = memorySink()
    const { states } = follow(t, journal, memory, sink)
    await until(() => sink.received.length === 200)
    for (const record of records.slice(200)) journal.append([record])
    await until(() => sink.received.length === 300)
    assert.deepEqual(sink.received, records)
    await until(() => states.at(-1)?.next === 300)
    assert.equal(states.at(-1)?.failure, undefined)
  })

  test('goes on where it was after each restart, with the last batch again at the most', async (t) => {
    const journal = journalIn(t)
    const records = events(120)
    const sink = memorySink()
    for (let at = 0; at < 120; at += 10) {
      journal.append(records.slice(at, at + 10))
      const known = sink.received.length
      const { end } = follow(t, journal, memory, sink)
      await until(() => sink.received.length > known)
      await end()
    }
    assert.deepEqual(sink.received, records)
    // A kill between a delivery and its cursor: the cursor of before is what the next start finds.
    const cursor = readFileSync(join(journal.data, 'siem.json'))
    const more = events(5)
    journal.append(more)
    const { end } = follow(t, journal, memory, sink)
    await until(() => sink.received.length === 125)
    await end()
    writeFileSync(join(journal.data, 'siem.json'), cursor)
    follow(t, journal, memory, sink)
    await until(() => sink.received.length === 130)
    assert.deepEqual(sink.received, [...records, ...more, ...more])
  })

  test('waits for ever for a receiver that is dead, and loses nothing', async (t) => {
    const journal = journalIn(t)
    const records = events(50)
    journal.append(records.slice(0, 20))
    const sink = memorySink()
    sink.fail = 'dead'
    const { states, rests } = follow(t, journal, memory, sink)
    await until(() => states.length >= 10)
    journal.append(records.slice(20))
    assert.deepEqual(sink.received, [])
    assert.deepEqual([states.at(-1)?.failure?.reason, states.at(-1)?.next], ['dead', 0])
    assert.deepEqual(rests.slice(0, 9), [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000])
    sink.fail = undefined
    await until(() => sink.received.length === 50)
    assert.deepEqual(sink.received, records)
    await until(() => states.at(-1)?.failure === undefined)
  })

  test('repeats what a receiver took and did not say so', async (t) => {
    const journal = journalIn(t)
    const records = events(3)
    journal.append(records)
    const sink = memorySink()
    sink.fail = 'no answer'
    sink.lies = true
    follow(t, journal, memory, sink)
    await until(() => sink.received.length >= 6)
    sink.fail = undefined
    const count = sink.received.length
    await until(() => sink.received.length > count)
    assert.deepEqual(sink.received.slice(0, 6), [...records, ...records])
  })

  test('hands on the kinds that it is asked for, and goes past the others', async (t) => {
    const journal = journalIn(t)
    const [one, two] = [event('One'), event('Two')]
    journal.append([one])
    journal.append([event('Item')], 'item')
    journal.append([event('Digest')], 'digest')
    journal.append([two])
    journal.append([event('Item2')], 'item')
    const sink = memorySink()
    const { states } = follow(t, journal, memory, sink)
    await until(() => states.at(-1)?.next === 5)
    assert.deepEqual(sink.received, [one, two])
    const all = memorySink()
    rmSync(join(journal.data, 'siem.json'))
    follow(t, journal, { ...memory, kinds: ['event', 'item', 'digest'] }, all)
    await until(() => all.received.length === 5)
  })

  test('begins with what comes, when it is told so, and only at its first start', async (t) => {
    const journal = journalIn(t)
    journal.append(events(10))
    const sink = memorySink()
    const settings = { ...memory, from: 'now' } as const
    const { states, end } = follow(t, journal, settings, sink)
    await until(() => states.length > 0)
    await end()
    const record = event('Later')
    journal.append([record])
    follow(t, journal, settings, sink)
    await until(() => sink.received.length > 0)
    assert.deepEqual(sink.received, [record])
  })

  test('of a journal that went back hands on all that is new in it; of another one, all', async (t) => {
    const journal = journalIn(t)
    const records = events(40)
    const sink = memorySink()
    let followed = follow(t, journal, memory, sink)
    for (const [at, record] of records.entries()) {
      journal.append([record])
      await until(() => sink.received.length > at)
    }
    const copy = new Map(
      readdirSync(journal.directory).map((name) => [
        name,
        readFileSync(join(journal.directory, name)),
      ]),
    )
    for (const record of events(10)) {
      const before = sink.received.length
      journal.append([record])
      await until(() => sink.received.length > before)
    }
    await followed.end()
    // The folder of before is restored, and goes on differently.
    journal.engine.close()
    for (const name of readdirSync(journal.directory)) rmSync(join(journal.directory, name))
    for (const [name, bytes] of copy) writeFileSync(join(journal.directory, name), bytes)
    const engine = journal.open()
    const other = events(3)
    const buffer = layOut(other)
    engine.append(buffer, buffer.length)
    const again = memorySink()
    followed = follow(t, journal, memory, again)
    await until(() => again.received.includes(other[2] ?? ''))
    const missed = other.filter((record) => !again.received.includes(record))
    assert.deepEqual(missed, [])
    assert.ok(
      again.received.length < 43,
      `${again.received.length}: it begins where both share a place`,
    )
    await followed.end()
    engine.close()
    for (const name of readdirSync(journal.directory)) rmSync(join(journal.directory, name))
    const third = journal.open()
    const strange = layOut(['{"eventID":"x"}'])
    third.append(strange, strange.length)
    const last = memorySink()
    follow(t, journal, memory, last)
    await until(() => last.received.length === 1)
    third.close()
  })

  test('with a damaged cursor says so, and begins anew only without it', async (t) => {
    const journal = journalIn(t)
    journal.append(events(2))
    const sink = memorySink()
    writeFileSync(join(journal.data, 'siem.json'), '{"place":')
    const { states, cursorFile } = follow(t, journal, memory, sink)
    await until(() => states.length > 0)
    assert.match(states[0]?.failure?.reason ?? '', /siem\.json is damaged/)
    assert.deepEqual(sink.received, [])
    rmSync(cursorFile)
    await until(() => sink.received.length === 2)
  })

  test('backs off twice as long each time, to a minute, and by chance up to the half of it less', () => {
    const chance = (byte: number) => ({ bytes: () => Buffer.from([byte]), uuid: randomUUID })
    assert.deepEqual(
      [1, 2, 3, 8, 1000].map((count) => backoffMs(count, chance(255))),
      [499, 998, 1996, 59_883, 59_883],
    )
    assert.equal(backoffMs(1, chance(0)), 250)
  })
})

describe('files', () => {
  const settings = (data: string, maxFileBytes = 1e6): FileSettings => {
    const directory = join(data, 'out')
    mkdirSync(directory, { recursive: true })
    return { ...common, type: 'file', directory, maxFileBytes }
  }
  const contentOf = ({ directory }: FileSettings) =>
    readdirSync(directory)
      .sort()
      .map((name) => readFileSync(join(directory, name), 'utf8'))

  test('hold each entry once, in files of a size, over kills at any time', async (t) => {
    const journal = journalIn(t)
    const records = events(400)
    const to = settings(journal.data, 4000)
    for (let at = 0; at < 400; at += 50) {
      journal.append(records.slice(at, at + 50))
      const real = new FileSink(to, 'main')
      // The process dies before its cursor is written; the next one finds the cursor of before.
      const dying: Sink = {
        async deliver(entries, state) {
          await real.deliver(entries, state)
          throw new Error('dead')
        },
        close: () => real.close(),
      }
      for (const sink of [dying, new FileSink(to, 'main')]) {
        const { states, end } = follow(t, journal, to, sink)
        await until(() => states.some(({ failure, next }) => failure || next === at + 50))
        await end()
      }
    }
    assert.ok(contentOf(to).length >= 3)
    assert.equal(contentOf(to).join(''), `${records.join('\n')}\n`)
  })

  test('are made good behind a torn line, and begun anew where one was moved away', async (t) => {
    const journal = journalIn(t)
    const to = settings(journal.data)
    const records = events(9)
    journal.append(records.slice(0, 3))
    let followed = follow(t, journal, to, new FileSink(to, 'main'))
    await until(() => followed.states.at(-1)?.next === 3)
    await followed.end()
    const [name = ''] = readdirSync(to.directory)
    assert.equal(name, 'siem-main-000000000000.jsonl')
    const path = join(to.directory, name)
    // What a kill in the middle of a write leaves: the beginning of what comes next.
    writeFileSync(path, `${readFileSync(path, 'utf8')}${records[3]?.slice(0, 20)}`)
    journal.append(records.slice(3, 6))
    followed = follow(t, journal, to, new FileSink(to, 'main'))
    await until(() => followed.states.at(-1)?.next === 6)
    assert.deepEqual(contentOf(to), [`${records.slice(0, 6).join('\n')}\n`])
    renameSync(path, join(journal.data, 'moved'))
    journal.append(records.slice(6))
    await until(() => followed.states.at(-1)?.next === 9)
    assert.deepEqual(readdirSync(to.directory), ['siem-main-000000000006.jsonl'])
    assert.deepEqual(contentOf(to), [`${records.slice(6).join('\n')}\n`])
  })

  test('rotate by size, each begun with the index of its first entry', async (t) => {
    const journal = journalIn(t)
    const to = settings(journal.data, 1000)
    const records = events(30)
    const { states } = follow(t, journal, to, new FileSink(to, 'main'))
    for (const [at, record] of records.entries()) {
      journal.append([record])
      await until(() => states.at(-1)?.next === at + 1)
    }
    const names = readdirSync(to.directory).sort()
    assert.ok(names.length >= 4, names.join())
    assert.equal(contentOf(to).join(''), `${records.join('\n')}\n`)
    for (const name of names) {
      const first = Number(name.slice('siem-main-'.length, -'.jsonl'.length))
      assert.ok(readFileSync(join(to.directory, name), 'utf8').startsWith(records[first] ?? '?'))
    }
  })

  test('that cannot be written are tried again', async (t) => {
    const journal = journalIn(t)
    const to = settings(journal.data)
    rmSync(to.directory, { recursive: true })
    const records = events(2)
    journal.append(records)
    const { states } = follow(t, journal, to, new FileSink(to, 'main'))
    await until(() => states.at(-1)?.failure !== undefined)
    assert.match(states.at(-1)?.failure?.reason ?? '', /ENOENT/)
    mkdirSync(to.directory)
    await until(() => states.at(-1)?.next === 2)
    assert.deepEqual(contentOf(to), [`${records.join('\n')}\n`])
  })
})

describe('a webhook', () => {
  type Posted = {
    readonly body: Buffer
    readonly headers: Record<string, unknown>
    readonly path: string
  }

  async function receiver(
    t: TestContext,
    answer: (
      posted: Posted,
      count: number,
    ) => {
      status: number
      headers?: Record<string, string>
      hang?: boolean
      body?: string | Buffer
    },
  ) {
    const posts: Posted[] = []
    const server = createHttpsServer({ cert, key }, (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (bytes: Buffer) => chunks.push(bytes))
      request.on('end', () => {
        const posted = {
          body: Buffer.concat(chunks),
          headers: request.headers,
          path: request.url ?? '',
        }
        posts.push(posted)
        const { status, headers = {}, hang, body } = answer(posted, posts.length)
        if (hang === true) return
        response.writeHead(status, headers)
        response.end(body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const url = `https://localhost:${port}/in?token=hidden`
    const settings: WebhookSettings = {
      ...common,
      type: 'webhook',
      url,
      secretFile: '/s',
      caFile: '/c',
    }
    const sink = (timeoutMs = 500, ca: readonly Buffer[] = [cert]) =>
      new WebhookSink(settings, {
        secret: Buffer.from(secretText),
        ca: ca[0],
        clock: systemClock,
        timeoutMs,
      })
    const texts = () => posts.map(({ body }) => body.toString().trimEnd().split('\n'))
    return { posts, settings, sink, texts }
  }

  test('gets batches as signed lines', async (t) => {
    const journal = journalIn(t)
    const records = events(2500)
    for (let at = 0; at < 2500; at += 50) journal.append(records.slice(at, at + 50))
    const { posts, settings, sink, texts } = await receiver(t, () => ({ status: 204 }))
    const { states } = follow(t, journal, settings, sink())
    await until(() => states.at(-1)?.next === 2500)
    assert.deepEqual(
      texts().map(({ length }) => length),
      [1000, 1000, 500],
    )
    assert.deepEqual(texts().flat(), records)
    for (const { body, headers, path } of posts) {
      assert.equal(path, '/in?token=hidden')
      assert.equal(headers['content-type'], 'application/x-ndjson')
      const [, seconds = '', mac] =
        /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['kagiban-signature'])) ?? []
      const expected = createHmac('sha256', secretText)
        .update(`${seconds}.`)
        .update(body)
        .digest('hex')
      assert.equal(mac, expected)
      assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60)
    }
  })

  test('that answers an error, redirects, hangs or breaks off gets the same batch again', async (t) => {
    const journal = journalIn(t)
    const records = events(5)
    journal.append(records)
    const seen: string[] = []
    const elsewhere = await receiver(t, () => ({ status: 200 }))
    const { posts, settings, sink, texts } = await receiver(t, (_posted, count) => {
      if (count === 1) return { status: 500 }
      if (count === 2) return { status: 307, headers: { Location: elsewhere.settings.url } }
      if (count === 3) return { status: 302, headers: { Location: elsewhere.settings.url } }
      if (count === 4) return { status: 0, hang: true }
      if (count === 5) return { status: 413, body: Buffer.alloc(1_000_000) }
      return { status: 200, body: 'thank you' }
    })
    const { states } = follow(t, journal, settings, sink())
    await until(() => states.at(-1)?.next === 5)
    for (const { failure } of states) if (failure !== undefined) seen.push(failure.reason)
    assert.deepEqual(seen, [
      'it answered 500',
      'it answered 307',
      'it answered 302',
      'no answer within 0.5 seconds',
      'it answered 413',
    ])
    assert.equal(posts.length, 6)
    for (const lines of texts()) assert.deepEqual(lines, records)
    assert.deepEqual(elsewhere.posts, [], 'nothing goes where a redirect points')
  })

  test('with a certificate of no known authority gets nothing', async (t) => {
    const journal = journalIn(t)
    journal.append(events(1))
    const { posts, settings, sink } = await receiver(t, () => ({ status: 200 }))
    const { states } = follow(t, journal, settings, sink(500, []))
    await until(() => states.length > 0)
    assert.match(states[0]?.failure?.reason ?? '', /self-signed certificate/)
    assert.deepEqual(posts, [])
    const told = JSON.stringify(states)
    assert.ok(!told.includes(secretText) && !told.includes('hidden'))
  })

  test('gets long records, and no more at once than a batch holds', async (t) => {
    const journal = journalIn(t)
    const long = Array.from({ length: 12 }, () => event('Long', { text: 'x'.repeat(8000) }))
    for (const record of long) journal.append([record])
    const { posts, settings, sink, texts } = await receiver(t, () => ({ status: 200 }))
    const { states } = follow(t, journal, settings, sink())
    await until(() => states.at(-1)?.next === 12)
    assert.deepEqual(texts().flat(), long)
    assert.ok(posts.every(({ body }) => body.length <= 1024 * 1024))
  })
})

describe('syslog', () => {
  const settingsTo = (port: number, more: Partial<SyslogSettings> = {}): SyslogSettings => ({
    ...{ ...common, type: 'syslog', host: '127.0.0.1', port, transport: 'tcp', caFile: undefined },
    ...{ maxMessageBytes: 4096, hostname: 'keys.example', ...more },
  })

  /** The messages that came in by octet counts. */
  function messagesIn(bytes: Buffer): string[] {
    const messages: string[] = []
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(' ', at)
      const length = Number(bytes.toString('latin1', at, space))
      assert.ok(length > 0 && space + 1 + length <= bytes.length, 'a whole frame')
      messages.push(bytes.toString('utf8', space + 1, space + 1 + length))
      at = space + 1 + length
    }
    return messages
  }

  async function receiver(
    t: TestContext,
    tls: boolean,
    take: (socket: Socket, count: number) => void,
  ) {
    let count = 0
    const onSocket = (socket: Socket) => {
      socket.on('error', () => {})
      count += 1
      take(socket, count)
    }
    const server = tls ? createTlsServer({ cert, key }, onSocket) : createTcpServer(onSocket)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    return { port: (server.address() as AddressInfo).port }
  }

  for (const transport of ['tcp', 'tls'] as const) {
    test(`gets counted messages over ${transport}`, async (t) => {
      const journal = journalIn(t)
      const records = [event('Plain'), event('Ünïcode', { text: '鍵番' })]
      journal.append(records)
      const received: Buffer[] = []
      const { port } = await receiver(t, transport === 'tls', (socket) => {
        socket.on('data', (bytes: Buffer) => received.push(bytes))
      })
      const settings = settingsTo(port, { transport, host: 'localhost' })
      const { states } = follow(
        t,
        journal,
        settings,
        new SyslogSink(settings, { node: 'main', ca: cert }),
      )
      await until(() => states.at(-1)?.next === 2)
      const head = '<110>1 2026-05-06T07:08:09Z keys.example kagiban main event - '
      assert.deepEqual(
        messagesIn(Buffer.concat(received)),
        records.map((record) => `${head}${record}`),
      )
    })
  }

  test('gets of a record that is too long where it is found', async (t) => {
    const journal = journalIn(t)
    const record = event('Long', { text: 'x'.repeat(8000) })
    journal.append([record])
    const received: Buffer[] = []
    const { port } = await receiver(t, false, (socket) =>
      socket.on('data', (bytes: Buffer) => received.push(bytes)),
    )
    const settings = settingsTo(port)
    const { states } = follow(
      t,
      journal,
      settings,
      new SyslogSink(settings, { node: 'main', ca: undefined }),
    )
    await until(() => states.at(-1)?.next === 1)
    const [message = ''] = messagesIn(Buffer.concat(received))
    assert.ok(message.length < 1000)
    const { eventID, eventName, eventTime } = JSON.parse(record)
    assert.deepEqual(JSON.parse(message.slice(message.indexOf('{'))), {
      ...{ eventID, eventName, eventTime, omitted: true, originalSize: record.length },
      ...{ journalIndex: 0, reason: 'longer than a message of 4096 bytes holds' },
    })
  })

  test('that breaks off, or does not read, gets the same again', async (t) => {
    const journal = journalIn(t)
    const records = events(20)
    journal.append(records)
    const received: Buffer[] = []
    const { port } = await receiver(t, false, (socket, count) => {
      if (count === 1) socket.resetAndDestroy()
      else if (count === 2) socket.pause()
      else if (count === 3) socket.once('data', () => socket.resetAndDestroy())
      else socket.on('data', (bytes: Buffer) => received.push(bytes))
    })
    const settings = settingsTo(port)
    const sink = new SyslogSink(settings, { node: 'main', ca: undefined, timeoutMs: 300 })
    const { states } = follow(t, journal, settings, sink)
    await until(() => states.at(-1)?.next === 20)
    assert.equal(messagesIn(Buffer.concat(received)).length, 20)
    assert.equal(states.filter(({ failure }) => failure !== undefined).length, 3)
  })
})
