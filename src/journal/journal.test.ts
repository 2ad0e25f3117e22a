import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, cpSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ServiceError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import { parseCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { JournalDamage } from './damage.ts'
import { type JournalOptions, openJournal } from './journal.ts'
import { JournalInUse } from './lock.ts'
import { appendLeaf, emptyTree, entryLeafHash, rootHash } from './merkle.ts'
import { journalPosition, readRecords } from './reader.ts'
import { publicKey, signWithKey, temporaryDirectory } from './testing/fixtures.ts'

const clock = { now: () => 1_700_000_000_000 }
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const appendForever = join(root, 'src/journal/testing/append-forever.ts')

function options(directory: string, more: Partial<JournalOptions> = {}): JournalOptions {
  return {
    directory,
    node: 'test',
    sign: signWithKey,
    publicKey,
    clock,
    random: systemRandom,
    segmentBytes: 64 * 1024,
    checkpointIntervalMs: 20,
    ...more,
  }
}

const texts = (directory: string) => [...readRecords(directory)].map(({ record }) => record)
const isInternal = (detail: RegExp) => (error: unknown) =>
  error instanceof ServiceError && error.code === 'internal' && detail.test(error.detail ?? '')

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    assert.ok(waited < 10_000, 'waited too long')
    await delay(5)
  }
}

test('appends get their places, in order, and are there after a new start', async (context) => {
  const directory = join(temporaryDirectory(context), 'deep', 'main')
  const written: string[] = []
  let origin = ''
  for (let start = 0; start < 2; start += 1) {
    const journal = await openJournal(options(directory))
    assert.equal(journal.size, written.length)
    for (let turn = 0; turn < 20; turn += 1) {
      const records = Array.from({ length: 30 }, (_, index) => `{"r":"${start}.${turn}.${index}"}`)
      const first = written.length
      const indexes = await Promise.all(records.map((record) => journal.append(record)))
      assert.deepEqual(
        indexes,
        records.map((_, index) => first + index),
      )
      written.push(...records)
      assert.equal(journal.size, written.length)
    }
    assert.equal(journal.healthy, true)
    assert.equal(journal.failure, undefined)
    const unfinished = journal.append('{"last":1}')
    await journal.close()
    assert.equal(await unfinished, written.push('{"last":1}') - 1)
    await assert.rejects(journal.append('{}'), isInternal(/is closed/))
    origin ||= journal.status().origin
    assert.equal(journal.status().origin, origin, 'the origin stays')
  }
  assert.match(origin, /^kagiban\/test\/[0-9a-f-]{36}$/)
  assert.deepEqual(texts(directory), written)
})

test('any texts come back exactly', async (context) => {
  const directory = temporaryDirectory(context)
  const journal = await openJournal(options(directory))
  const record = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.string({ minLength: 1, maxLength: 3000, unit: 'binary' }),
  )
  const written: string[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 40 }), async (records) => {
      const indexes = await Promise.all(records.map((text) => journal.append(text)))
      assert.deepEqual(
        indexes,
        records.map((_, index) => written.length + index),
      )
      written.push(...records)
    }),
    { numRuns: 50, endOnFailure: true },
  )
  await journal.close()
  assert.deepEqual(texts(directory), written)
})

test('what cannot be a record is refused before it is taken', async (context) => {
  const directory = temporaryDirectory(context)
  const journal = await openJournal(options(directory, { segmentBytes: 16 * 1024 }))
  const limit = 16 * 1024 - 4096 - 41
  const refusal = isInternal(new RegExp(`a record must have 1 to ${limit} bytes`))
  await assert.rejects(journal.append(''), refusal)
  await assert.rejects(journal.append('x'.repeat(limit + 1)), refusal)
  await assert.rejects(journal.append('\u00e9'.repeat(limit / 2 + 1)), refusal)
  assert.equal(await journal.append('x'.repeat(limit)), 0)
  assert.equal(await journal.append('\u00e9'.repeat(limit / 2 - 1)), 1)
  assert.equal(journal.healthy, true)
  await journal.close()
  const large = await openJournal(options(join(directory, 'large'), { segmentBytes: 512 * 1024 }))
  const most = ['y'.repeat(256 * 1024), ...Array.from({ length: 9 }, () => 'z'.repeat(200_000))]
  assert.deepEqual(
    await Promise.all(most.map((text) => large.append(text))),
    most.map((_, i) => i),
  )
  await assert.rejects(large.append('y'.repeat(256 * 1024 + 1)), isInternal(/1 to 262144 bytes/))
  await large.close()
  assert.deepEqual(texts(join(directory, 'large')), most)
})

test('bad options are refused', async (context) => {
  const directory = temporaryDirectory(context)
  for (const [bad, message] of [
    [{ segmentBytes: 8192 }, /segmentBytes must be an integer from 16384/],
    [{ segmentBytes: 20_000 }, /multiple of 4096/],
    [{ checkpointIntervalMs: 1001 }, /checkpointIntervalMs/],
    [{ node: 'a b' }, /node/],
    [{ publicKey: Buffer.alloc(31) }, /publicKey/],
  ] as const) {
    await assert.rejects(async () => openJournal(options(directory, bad)), message)
  }
})

test('checkpoints are signed while it runs and at the end, and verify', async (context) => {
  const directory = temporaryDirectory(context)
  const journal = await openJournal(options(directory))
  await journal.append('{"n":0}')
  await until(() => journal.status().checkpointSize === 1)
  assert.equal(journal.status().checkpointAt, clock.now())
  const records = Array.from({ length: 50 }, (_, index) => `{"n":${index + 1}}`)
  await Promise.all(records.map((record) => journal.append(record)))
  await journal.close()
  const checkpoint = parseCheckpoint(readFileSync(join(directory, 'checkpoint'), 'utf8'))
  if (typeof checkpoint === 'string') return assert.fail(checkpoint)
  const tree = texts(directory).reduce(
    (grown, record) => appendLeaf(grown, entryLeafHash(1, Buffer.from(record))),
    emptyTree,
  )
  assert.equal(checkpoint.size, 51)
  assert.equal(checkpoint.root, rootHash(tree))
  assert.ok(verifyCheckpoint(checkpoint, publicKey))
})

test('a failing signer is reported and delays nothing', async (context) => {
  const directory = temporaryDirectory(context)
  let failing = true
  const sign = (message: Buffer) =>
    failing ? Promise.reject(new Error('the core is away')) : signWithKey(message)
  const journal = await openJournal(options(directory, { sign }))
  await journal.append('{}')
  await until(() => journal.status().signerFailure !== undefined)
  assert.equal(journal.status().signerFailure, 'the core is away')
  assert.equal(journal.healthy, true)
  assert.equal(await journal.append('{}'), 1)
  failing = false
  await until(() => journal.status().checkpointSize === 2)
  assert.equal(journal.status().signerFailure, undefined)
  failing = true
  await journal.append('{}')
  await journal.close()
  const wrong = await openJournal(options(directory, { sign: async () => Buffer.alloc(64) }))
  assert.equal(wrong.size, 3)
  await until(() => wrong.status().signerFailure === 'the signature does not verify')
  await wrong.close()
  assert.equal(texts(directory).length, 3)
})

test('a failed write rejects what was waiting and all that comes later', async (context) => {
  context.after(() => {
    delete process.env['JOURNAL_FAULT_BYTES']
    delete process.env['JOURNAL_FAULT_EXIT']
  })
  process.env['JOURNAL_FAULT_BYTES'] = '900'
  for (const exit of [false, true]) {
    if (exit) process.env['JOURNAL_FAULT_EXIT'] = 'yes'
    const directory = temporaryDirectory(context)
    const thread = new URL('./testing/faulty-worker.ts', import.meta.url)
    const journal = await openJournal(options(directory), thread)
    assert.equal(await journal.append('{"n":0}'), 0)
    const failure = exit ? /its thread (ended|failed)/ : /EIO: i\/o error/
    const results = await Promise.allSettled([
      journal.append('y'.repeat(1000)),
      journal.append('{"n":2}'),
    ])
    for (const result of results) {
      assert.equal(result.status, 'rejected')
      if (result.status === 'rejected') assert.ok(isInternal(failure)(result.reason))
    }
    await assert.rejects(journal.append('{"n":3}'), isInternal(failure))
    assert.equal(journal.healthy, false)
    assert.match(journal.failure ?? '', failure)
    assert.equal(journal.size, 1)
    await journal.close()
    const again = await openJournal(options(directory))
    assert.equal(again.size, 1)
    await again.close()
  }
})

test('a file that is moved away turns the journal unhealthy within about a second', async (context) => {
  for (const name of ['00000001.seg', 'lock.db']) {
    const directory = temporaryDirectory(context)
    const journal = await openJournal(options(directory))
    await journal.append('{}')
    renameSync(join(directory, name), join(temporaryDirectory(context), 'moved'))
    await until(() => !journal.healthy)
    assert.match(
      journal.failure ?? '',
      new RegExp(`${name}.*(cannot be found|no such file)|no such file.*${name}`),
    )
    await assert.rejects(journal.append('{}'), isInternal(new RegExp(name)))
    await journal.close()
  }
})

test('damage is reported with file and offset', async (context) => {
  const directory = temporaryDirectory(context)
  const journal = await openJournal(options(directory))
  for (let index = 0; index < 4; index += 1) await journal.append(`{"n":${index}}`)
  await journal.close()
  const copy = join(temporaryDirectory(context), 'copy')
  cpSync(directory, copy, { recursive: true })
  const moved = await openJournal(options(copy))
  assert.equal(moved.size, 4)
  await moved.close()
  const { nodeFiles } = await import('./node-files.ts')
  const file = nodeFiles.open(join(copy, '00000001.seg'), 'write')
  nodeFiles.write(file, Buffer.from('!'), 0, 1, 4096 + 45)
  nodeFiles.close(file)
  await assert.rejects(openJournal(options(copy)), (error) => {
    assert.ok(error instanceof JournalDamage)
    assert.equal(error.file, join(copy, '00000001.seg'))
    assert.equal(error.offset, 4096)
    return /expected batch 1 from sequence 0, found a wrong checksum/.test(error.message)
  })
})

test('one writer at a time, within a process and among processes', async (context) => {
  const directory = temporaryDirectory(context)
  const journal = await openJournal(options(directory))
  await assert.rejects(openJournal(options(directory)), JournalInUse)
  const child = run(context, [appendForever, directory, '1'])
  assert.notEqual(await child.exit, 0)
  assert.match(child.output(), /journal is in use by another process/)
  assert.equal(await journal.append('{}'), 0, 'the first writer goes on')
  await journal.close()
  await (await openJournal(options(directory))).close()
})

test('it works under the permission model, which forbids fsync', async (context) => {
  const directory = temporaryDirectory(context)
  const child = run(context, [
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${root}`,
    `--allow-fs-read=${directory}`,
    `--allow-fs-write=${directory}`,
    appendForever,
    join(directory, 'main'),
    '600',
  ])
  assert.equal(await child.exit, 0, child.output().slice(-500))
  assert.equal(texts(join(directory, 'main')).length, 600)
  assert.ok(journalPosition(join(directory, 'main')).segment > 1)
  assert.equal(statSync(join(directory, 'main', '00000001.seg')).mode & 0o077, 0)
})

test('after SIGKILL everything acknowledged is there', async (context) => {
  const directory = temporaryDirectory(context)
  const acknowledged = new Map<number, string>()
  const kills = process.env['SLOW'] === '1' ? 50 : 5
  for (let kill = 0; kill < kills; kill += 1) {
    const child = run(context, [appendForever, directory, '', `k${kill}`])
    await until(() => child.output().startsWith('open\n') && child.output().length > 2000)
    await delay((kill * 53) % 170)
    child.kill()
    assert.equal(await child.exit, null, child.output().slice(-1000))
    for (const line of child.output().split('\n').slice(1, -1)) {
      const colon = line.indexOf(':')
      acknowledged.set(Number(line.slice(0, colon)), line.slice(colon + 1))
    }
  }
  const journal = await openJournal(options(directory))
  await journal.close()
  const found = texts(directory)
  assert.ok(acknowledged.size > 100)
  for (const [index, text] of acknowledged) assert.equal(found[index], text)
  context.diagnostic(`${acknowledged.size} acknowledged, ${found.length} found`)
})

type Run = { kill: () => void; exit: Promise<number | null>; output: () => string }

/** Its output goes to a file, which takes what a full pipe would refuse. */
function run(context: TestContext, args: string[]): Run {
  const path = join(temporaryDirectory(context), 'output')
  const file = openSync(path, 'w')
  const child = spawn(process.execPath, args, { stdio: ['ignore', file, file] })
  closeSync(file)
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const output = () => readFileSync(path, 'utf8')
  return { kill: () => child.kill('SIGKILL'), exit, output }
}
