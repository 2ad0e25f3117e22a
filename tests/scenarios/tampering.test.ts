import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sentenceOf, wrongOf } from '../../cli/audit-verify-text.ts'
import { nodeFiles } from '../../src/journal/node-files.ts'
import { verifierKey, vkeyText } from '../../src/journal/note-keys.ts'
import { segmentHeaderBytes } from '../../src/journal/segment.ts'
import { verifyFolder } from '../../src/journal/verify/folder-verification.ts'
import { kagiban } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import {
  type Batch,
  batchesIn,
  framesIn,
  segmentsIn,
  writeForged,
} from '../support/forged-journal.ts'
import { endOfData, overwrite } from '../support/journal-files.ts'
import { copyOf, eventText, keyHolder, WrittenJournal } from '../support/journal-world.ts'
import { temporaryFolder } from '../support/server.ts'

/** Somebody who can write to a data folder, and perhaps holds the key of the checkpoints. */
type Tampering = {
  readonly name: string
  /** What `audit verify` calls it, and where it says it is. */
  readonly kind: string
  readonly where: RegExp
  /** Checkpoints that were kept elsewhere. */
  readonly held?: readonly string[]
  tamper(journal: string): void
}

const folder = temporaryFolder()
const data = join(folder, 'data')
const inFolder = (name: string) => join(folder, name)

const seg = (journal: string, number: number) => present(segmentsIn(journal)[number - 1])

function flip(file: string, at: number): void {
  const content = readFileSync(file)
  content.writeUInt8(content.readUInt8(at) ^ 0x01, at)
  writeFileSync(file, content)
}

/** A frame of an event in the middle of the journal. */
function someEvent(journal: string) {
  const frames = framesIn(journal).filter(({ type }) => type === 1)
  return present(frames[Math.floor(frames.length / 2)])
}

const isCheckpoint = ({ entries }: Batch) => entries[0]?.type === 2

/** Changes the batches and mends everything that has no signature. */
function forge(journal: string, edit: (batches: Batch[]) => Batch[], sign = false): void {
  writeForged(journal, edit(batchesIn(journal)), sign ? keyHolder : undefined)
}

/** The first event of the batch in the middle becomes another. */
function rewriteOne(batches: Batch[]): Batch[] {
  const middle = batches.findIndex((batch, at) => at > batches.length / 2 && !isCheckpoint(batch))
  return batches.map((batch, at) => {
    if (at !== middle) return batch
    const [first, ...rest] = batch.entries
    const body = present(first).body.toString().replace('user/alice', 'user/malory')
    return { entries: [{ type: 1, body: Buffer.from(body) }, ...rest] }
  })
}

const eventBatch = (batches: readonly Batch[], from = batches.length / 2) =>
  batches.findIndex((batch, at) => at > from && !isCheckpoint(batch))

const without = <T>(list: readonly T[], at: number, count = 1): T[] => list.toSpliced(at, count)

function swapped<T>(list: readonly T[], one: number, other: number): T[] {
  return list.map((item, at) => present(list[at === one ? other : at === other ? one : at]) ?? item)
}

const tamperings: readonly Tampering[] = [
  {
    name: 'a byte of a record flipped',
    kind: 'altered-record',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const { file, at } = someEvent(journal)
      flip(file, at + 200)
    },
  },
  {
    name: "a byte of a record's header flipped",
    kind: 'altered-record',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const { file, at } = someEvent(journal)
      flip(file, at + 20)
    },
  },
  {
    name: 'a byte of a checksum flipped',
    kind: 'altered-record',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const { file, at } = someEvent(journal)
      flip(file, at + 5)
    },
  },
  {
    name: "a byte of a segment's header flipped",
    kind: 'segment-header',
    where: /00000003\.seg, byte 0/,
    tamper: (journal) => flip(seg(journal, 3), 600),
  },
  {
    name: 'a batch zeroed in the middle of a segment',
    kind: 'missing-records',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const { file, at } = someEvent(journal)
      const { offset } = endOfData(file)
      overwrite({ file, offset: at }, Buffer.alloc(offset - at))
    },
  },
  {
    name: 'a record of the last segment zeroed',
    kind: 'erased-records',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const frames = framesIn(journal)
      const last = present(frames.at(-1)).file
      const { file, at, bytes } = present(frames.find((frame) => frame.file === last))
      overwrite({ file, offset: at }, Buffer.alloc(bytes))
    },
  },
  {
    name: 'bytes put behind the last record of a segment',
    kind: 'bytes-behind',
    where: /00000002\.seg, byte \d+/,
    tamper: (journal) => {
      const { file, offset } = endOfData(seg(journal, 2))
      overwrite({ file, offset: offset + 100 }, Buffer.from('something else'))
    },
  },
  {
    name: 'a record dropped, all checksums and numbers mended',
    kind: 'missing-records',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = eventBatch(batches)
        const { entries } = present(batches[at])
        return batches.with(at, { entries: entries.slice(1) })
      }),
  },
  {
    name: 'a batch of records dropped, all mended',
    kind: 'missing-records',
    where: /\.seg, byte \d+/,
    tamper: (journal) => forge(journal, (batches) => without(batches, eventBatch(batches))),
  },
  {
    name: 'two records swapped, all mended',
    kind: 'signed-root',
    where: /\.seg, byte \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = eventBatch(batches)
        return batches.with(at, { entries: swapped(present(batches[at]).entries, 0, 1) })
      }),
  },
  {
    name: 'a record written twice, all mended',
    kind: 'signed-root',
    where: /\.seg, byte \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = eventBatch(batches)
        const { entries } = present(batches[at])
        return batches.with(at, { entries: [present(entries[0]), ...entries] })
      }),
  },
  {
    name: 'a record added, all mended',
    kind: 'signed-root',
    where: /\.seg, byte \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const added = { entries: [{ type: 1, body: Buffer.from(eventText(990_000)) }] }
        return batches.toSpliced(eventBatch(batches), 0, added)
      }),
  },
  {
    name: 'a record rewritten, all mended',
    kind: 'signed-root',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => forge(journal, rewriteOne),
  },
  {
    name: 'an event made a configuration item, all mended',
    kind: 'signed-root',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = eventBatch(batches)
        const [first, ...rest] = present(batches[at]).entries
        return batches.with(at, { entries: [{ type: 5, body: present(first).body }, ...rest] })
      }),
  },
  {
    name: 'an event made a frame of another log, all mended',
    kind: 'malformed-entry',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = eventBatch(batches)
        const [first, ...rest] = present(batches[at]).entries
        return batches.with(at, { entries: [{ type: 4, body: present(first).body }, ...rest] })
      }),
  },
  {
    name: 'two batches exchanged as they are',
    kind: 'missing-records',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const frames = framesIn(journal).filter(({ file }) => file === seg(journal, 2))
      const numbers = [...new Set(frames.map(({ batch }) => batch))].slice(0, 2)
      const content = readFileSync(seg(journal, 2))
      const [one, two] = numbers.map((number) => {
        const of = frames.filter(({ batch }) => batch === number)
        return content.subarray(present(of[0]).at, present(of.at(-1)).at + present(of.at(-1)).bytes)
      })
      const both = Buffer.concat([present(two), present(one)])
      overwrite({ file: seg(journal, 2), offset: segmentHeaderBytes }, both)
    },
  },
  {
    name: 'a batch repeated as it is',
    kind: 'repeated-records',
    where: /\.seg, byte \d+, record \d+/,
    tamper: (journal) => {
      const frames = framesIn(journal).filter(({ file }) => file === seg(journal, 2))
      const first = frames.filter(({ batch }) => batch === present(frames[0]).batch)
      const { at, bytes } = present(first.at(-1))
      const content = readFileSync(seg(journal, 2))
      const batch = content.subarray(present(first[0]).at, at + bytes)
      overwrite({ file: seg(journal, 2), offset: at + bytes }, Buffer.from(batch))
    },
  },
  {
    name: 'a segment removed in the middle',
    kind: 'missing-file',
    where: /00000002\.seg/,
    tamper: (journal) => rmSync(seg(journal, 2)),
  },
  {
    name: 'the last used segment removed',
    kind: 'rolled-back',
    where: /checkpoint, record \d+/,
    tamper: (journal) => {
      rmSync(present(segmentsIn(journal).at(-1)))
    },
  },
  {
    name: 'two segments exchanged',
    kind: 'other-segment',
    where: /00000002\.seg, byte 0/,
    tamper: (journal) => {
      const [two, three] = [seg(journal, 2), seg(journal, 3)]
      renameSync(two, `${two}.away`)
      renameSync(three, two)
      renameSync(`${two}.away`, three)
    },
  },
  {
    name: 'a segment shortened',
    kind: 'file-size',
    where: /00000002\.seg, byte 8192/,
    tamper: (journal) => truncateSync(seg(journal, 2), 8192),
  },
  {
    name: 'a segment filled with zeros',
    kind: 'segment-header',
    where: /00000002\.seg, byte 0/,
    tamper: (journal) => writeFileSync(seg(journal, 2), Buffer.alloc(16 * 1024)),
  },
  {
    name: 'a segment of another journal put in',
    kind: 'origin',
    where: /00000002\.seg, byte 0/,
    tamper: (journal) =>
      copyFileSync(join(inFolder('other'), 'journal/main/00000002.seg'), seg(journal, 2)),
  },
  {
    name: 'the tail cut, within the last second of records',
    kind: 'rolled-back',
    where: /checkpoint, record \d+/,
    tamper: (journal) => forge(journal, (batches) => batches.slice(0, -2)),
  },
  {
    name: 'the tail cut, and the checkpoint put back to the one before',
    kind: 'rolled-back',
    where: /journal\/main/,
    held: ['newest'],
    tamper: (journal) => {
      forge(journal, (batches) =>
        batches.slice(0, batches.slice(0, -1).findLastIndex(isCheckpoint) + 1),
      )
      const last = present(batchesIn(journal).findLast(isCheckpoint))
      writeFileSync(join(journal, 'checkpoint'), present(last.entries[0]).body)
    },
  },
  {
    name: 'the checkpoint replaced by an older one of the journal',
    kind: 'older-checkpoint',
    where: /main\/checkpoint/,
    tamper: (journal) => {
      const first = present(batchesIn(journal).find(isCheckpoint))
      writeFileSync(join(journal, 'checkpoint'), present(first.entries[0]).body)
    },
  },
  {
    name: 'the size in the checkpoint altered',
    kind: 'checkpoint-signature',
    where: /main\/checkpoint/,
    tamper: (journal) => {
      const file = join(journal, 'checkpoint')
      writeFileSync(file, readFileSync(file, 'utf8').replace(/\n(\d)/, '\n1$1'))
    },
  },
  {
    name: 'the checkpoint removed',
    kind: 'missing-file',
    where: /main\/checkpoint/,
    tamper: (journal) => rmSync(join(journal, 'checkpoint')),
  },
  {
    name: 'the signature of an early checkpoint in the segments altered, checksum mended',
    kind: 'checkpoint-signature',
    where: /\.seg, byte \d+/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const at = batches.findIndex(isCheckpoint)
        const body = Buffer.from(present(present(batches[at]).entries[0]).body)
        const text = body.toString()
        const near = text.length - 30
        const changed = `${text.slice(0, near)}${text[near] === 'A' ? 'B' : 'A'}${text.slice(near + 1)}`
        return batches.with(at, { entries: [{ type: 2, body: Buffer.from(changed) }] })
      }),
  },
  {
    name: 'all later checkpoints taken out of the segments, all mended',
    kind: 'signed-root',
    where: /main\/checkpoint/,
    tamper: (journal) =>
      forge(journal, (batches) => {
        const first = batches.findIndex(isCheckpoint)
        return batches.filter((batch, at) => at <= first || !isCheckpoint(batch))
      }),
  },
  {
    name: 'the origin changed',
    kind: 'origin',
    where: /00000001\.seg/,
    tamper: (journal) => {
      const file = join(journal, 'origin')
      writeFileSync(file, readFileSync(file, 'utf8').replace('-4000-', '-4001-'))
    },
  },
  {
    name: 'the origin removed',
    kind: 'missing-file',
    where: /main\/origin/,
    tamper: (journal) => rmSync(join(journal, 'origin')),
  },
  {
    name: 'the folder of another process put in, which nobody signed',
    kind: 'unsigned',
    where: /journal\/second\/checkpoint/,
    tamper: (journal) => {
      const second = new WrittenJournal(join(journal, '../..'), 'second')
      second.batch(3)
      second.close()
    },
  },
  {
    name: "a copy of the journal put in as another process's",
    kind: 'origin',
    where: /journal\/copy\/origin/,
    tamper: (journal) => cpSync(journal, join(journal, '../copy'), { recursive: true }),
  },
  {
    name: 'a file put beside the segments',
    kind: 'foreign-file',
    where: /main\/notes/,
    tamper: (journal) => writeFileSync(join(journal, 'notes'), 'x'),
  },
  {
    name: 'the public key beside the journal exchanged',
    kind: 'checkpoint-signature',
    where: /\.seg, byte \d+/,
    tamper: (journal) => {
      const key = verifierKey('kagiban/main/x', 0x01, Buffer.alloc(32, 1))
      writeFileSync(join(journal, 'vkey'), `${vkeyText(key)}\n`)
    },
  },
  {
    name: 'the whole folder rolled back to an older copy',
    kind: 'rolled-back',
    where: /journal\/main/,
    held: ['newest'],
    tamper: (journal) => {
      rmSync(journal, { recursive: true })
      cpSync(join(inFolder('older'), 'journal/main'), journal, { recursive: true })
    },
  },
  {
    name: 'a fork: an older copy that went on by itself, with the same key',
    kind: 'fork',
    where: /journal\/main/,
    held: ['newest'],
    tamper: (journal) => {
      rmSync(journal, { recursive: true })
      cpSync(join(inFolder('fork'), 'journal/main'), journal, { recursive: true })
    },
  },
  {
    name: 'a record rewritten and everything since signed anew by the holder of the key',
    kind: 'fork',
    where: /journal\/main/,
    held: ['newest'],
    tamper: (journal) => forge(journal, rewriteOne, true),
  },
  {
    name: 'a record dropped and everything signed anew by the holder of the key',
    kind: 'rolled-back',
    where: /journal\/main/,
    held: ['newest'],
    tamper: (journal) => forge(journal, (batches) => without(batches, eventBatch(batches)), true),
  },
  {
    name: 'the journal removed and begun anew',
    kind: 'unknown-origin',
    where: /newest/,
    held: ['newest'],
    tamper: (journal) => {
      rmSync(journal, { recursive: true })
      cpSync(join(inFolder('other'), 'journal/main'), journal, { recursive: true })
    },
  },
  {
    name: 'the journal rolled back beside the root log that has seen more',
    kind: 'rolled-back',
    where: /journal\/main/,
    tamper: (journal) => {
      addRootLog(journal)
      rmSync(journal, { recursive: true })
      cpSync(join(inFolder('older'), 'journal/main'), journal, { recursive: true })
    },
  },
  {
    name: 'the journal begun anew beside the root log that has seen the former one',
    kind: 'unknown-origin',
    where: /root-log/,
    tamper: (journal) => {
      addRootLog(journal)
      rmSync(journal, { recursive: true })
      cpSync(join(inFolder('other'), 'journal/main'), journal, { recursive: true })
    },
  },
  {
    name: 'an entry of the root log dropped, all mended',
    kind: 'missing-records',
    where: /root-log\/00000001\.seg, byte \d+, record 0/,
    tamper: (journal) => {
      addRootLog(journal)
      forge(join(journal, '../../root-log'), (batches) => without(batches, 0))
    },
  },
  {
    name: 'an entry of the root log exchanged for one that another key signed, all mended',
    kind: 'checkpoint-signature',
    where: /root-log\/00000001\.seg, byte \d+, record 0/,
    tamper: (journal) => {
      addRootLog(journal)
      forge(join(journal, '../../root-log'), (batches) => {
        const [entry] = present(batches[0]).entries
        const text = present(entry).body.toString()
        const body = Buffer.from(text.replace(/(.{20})..\n$/, '$1==\n').replace(/\n\d+\n/, '\n5\n'))
        return batches.with(0, { entries: [{ type: 4, body }] })
      })
    },
  },
  {
    name: 'the checkpoint that was kept elsewhere altered',
    kind: 'checkpoint-signature',
    where: /altered/,
    held: ['altered'],
    tamper: () => {},
  },
]

/** What the root log enters of the journal as it is now. */
function addRootLog(journal: string): void {
  const root = new WrittenJournal(join(journal, '../..'), 'root-log')
  const first = present(batchesIn(journal).find(isCheckpoint))
  root.append([present(first.entries[0]).body.toString()], 'checkpoint')
  root.append([readFileSync(join(journal, 'checkpoint'), 'utf8')], 'checkpoint')
  root.checkpoint()
  root.close()
}

/** What the folder is like: segments of records with a checkpoint after some batches, and more behind the last. */
function write(journal: WrittenJournal, batches: number): void {
  for (let batch = 1; batch <= batches; batch += 1) {
    journal.batch(1 + (batch % 4))
    if (batch % 5 === 0)
      journal.append([JSON.stringify({ eventID: `item-${journal.records}` })], 'item')
    if (batch % 3 === 0) journal.checkpoint()
  }
}

describe('audit verify', () => {
  before(() => {
    const journal = new WrittenJournal(data)
    write(journal, 30)
    copyOf(data, inFolder('older'))
    write(journal, 15)
    journal.close()
    copyFileSync(join(data, 'journal/main/checkpoint'), inFolder('newest'))
    const altered = readFileSync(inFolder('newest'), 'utf8').replace(/\n(\d)/, '\n1$1')
    writeFileSync(inFolder('altered'), altered)
    copyOf(inFolder('older'), inFolder('fork'))
    const fork = new WrittenJournal(inFolder('fork'))
    for (let batch = 0; batch < 40; batch += 1) {
      fork.batch(3, 'Decrypt')
      fork.checkpoint()
    }
    fork.close()
    const other = new WrittenJournal(inFolder('other'), 'main', 16 * 1024, 7)
    write(other, 45)
    other.close()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('a clean copy is whole, with and without a checkpoint kept elsewhere', async () => {
    for (const name of ['older', 'fork', 'other', 'data']) {
      const { code, stderr } = await verify(inFolder(name), [])
      assert.equal(code, 0, `${name}: ${stderr}`)
    }
    const rooted = copyOf(data, inFolder('rooted'))
    addRootLog(join(rooted, 'journal/main'))
    assert.deepEqual(wrongIn(rooted, ['newest']), [])
    const { code, stdout } = await verify(data, ['newest'])
    assert.equal(code, 0)
    assert.match(stdout, /main: whole: \d+ records in \d+ segments/)
    assert.match(stdout, /taken from .*vkey, which whoever can change this folder can exchange/)
  })

  test('rewriting without a change changes no byte, so that forgeries have no other faults', () => {
    const copy = copyOf(data, inFolder('same'))
    const journal = join(copy, 'journal/main')
    forge(journal, (batches) => batches)
    for (const file of segmentsIn(join(data, 'journal/main'))) {
      const other = file.replace(data, copy)
      assert.ok(readFileSync(file).equals(readFileSync(other)), file)
    }
  })

  const table: string[] = []
  for (const [number, tampering] of tamperings.entries()) {
    test(`finds ${tampering.name}`, () => {
      const copy = copyOf(data, inFolder(`copy-${number}`))
      tampering.tamper(join(copy, 'journal/main'))
      const sentences = wrongIn(copy, tampering.held ?? [])
      const sentence = sentences.find((line) => line.startsWith(`${tampering.kind}: `))
      assert.ok(sentence !== undefined, sentences.join('\n'))
      assert.match(sentence, tampering.where)
      table.push(`${tampering.name.padEnd(84)} ${sentence.replaceAll(`${copy}/`, '')}`)
      rmSync(copy, { recursive: true })
    })
  }

  test('says by its exit code and in one sentence what is wrong, never with a stack trace', async () => {
    const copy = copyOf(data, inFolder('one'))
    const { file, at } = someEvent(join(copy, 'journal/main'))
    flip(file, at + 200)
    const { code, stderr } = await verify(copy, [])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^kagiban: altered-record: \/[^\n]*\.seg, byte \d+, record \d+: [^\n]*\.\n$/,
    )
    const asJson = await kagiban('audit', 'verify', '--json', '--data', copy)
    assert.equal(asJson.code, 1)
    const { whole, journals } = JSON.parse(asJson.stdout)
    assert.equal(whole, false)
    assert.deepEqual(
      [journals[0].finding.kind, journals[0].finding.file, journals[0].finding.byte],
      ['altered-record', file, at],
    )
    const forked = await verify(inFolder('fork'), ['newest'])
    assert.equal(forked.code, 1)
    assert.match(forked.stderr, /^kagiban: fork: /)
  })

  test('says by other exit codes that it did not understand, or could not read', async () => {
    const cases: readonly (readonly [number, ...string[]])[] = [
      [2, '--since', 'yesterday'],
      [2, '--key', 'abc'],
      [2, '--nonsense'],
      [3, '--checkpoint', inFolder('absent')],
      [3, '--data', inFolder('absent')],
    ]
    for (const [expected, ...args] of cases) {
      const { code, stderr } = await kagiban('audit', 'verify', '--data', data, ...args)
      assert.equal(code, expected, `${args.join(' ')}: ${stderr}`)
      assert.doesNotMatch(stderr, /\n {4}at /)
    }
    const keyless = copyOf(data, inFolder('keyless'))
    rmSync(join(keyless, 'journal/main/vkey'))
    const { code, stderr } = await verify(keyless, [])
    assert.equal(code, 3)
    assert.match(stderr, /no public key .* give --key/)
    const key = keyHolder.publicKey.toString('hex')
    assert.equal((await kagiban('audit', 'verify', '--key', key, '--data', keyless)).code, 0)
    const other = await kagiban('audit', 'verify', '--key', '00'.repeat(32), '--data', data)
    assert.equal(other.code, 1)
    assert.match(other.stderr, /other-key/)
  })

  test('names at least twenty kinds of tampering', (t) => {
    assert.equal(table.length, tamperings.length)
    assert.ok(table.length >= 20)
    for (const line of table) t.diagnostic(line)
  })
})

/** What is wrong with a copy, each in its sentence. */
function wrongIn(copy: string, held: readonly string[]): string[] {
  const report = verifyFolder({
    files: nodeFiles,
    journals: join(copy, 'journal'),
    rootLog: existsSync(join(copy, 'root-log')) ? join(copy, 'root-log') : undefined,
    keys: [],
    held: held.map((name) => ({
      file: inFolder(name),
      note: readFileSync(inFolder(name), 'utf8'),
    })),
    since: undefined,
    thorough: false,
    progress: () => {},
    wait: () => false,
  })
  return wrongOf(report).map(sentenceOf)
}

function verify(copy: string, held: readonly string[]) {
  const checkpoints = held.flatMap((name) => ['--checkpoint', inFolder(name)])
  return kagiban('audit', 'verify', '--data', copy, ...checkpoints)
}
