import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EntryKind } from '../src/base/entry-kind.ts'
import { errorCode } from '../src/journal/files.ts'
import { JournalReader, type StoredRecord } from '../src/journal/journal-reader.ts'
import { readRecords } from '../src/journal/reader.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { type CommandLine, dataDirectory, parse, UsageError } from './command-line.ts'

export const exportAudit: CommandLine = {
  words: ['audit', 'export'],
  synopsis: 'audit export',
  summary: 'print the audit record, one CloudTrail event a line',
  help: `Usage: kagiban audit export [--follow] [--since TIME] [--kind KIND]... [--data DIR]

Prints every record of the journal in its order, one JSON object a line: the exact text that was
recorded. Everything that was answered is there. It reads the journal's files and changes nothing,
so it needs no running service. Where several processes share the folder, their journals follow
one another.

  --follow                     go on with what is recorded, until it is ended
  --since TIME                 leave out events before TIME, as in 2026-05-06T07:08:09Z or 2026-05-06
                               (UTC); entries of other kinds are of the time of the event before
  --kind KIND                  event (the default), item (configuration items) or digest (of what was
                               delivered to buckets); can be given several times
  --data DIR                   data folder [KAGIBAN_DATA] (./data)
`,
  async run(invocation) {
    const options = {
      data: { type: 'string' },
      follow: { type: 'boolean' },
      since: { type: 'string' },
      kind: { type: 'string', multiple: true },
    } as const
    const { values } = parse(invocation, options, [])
    const dataDir = dataDirectory(values.data, invocation.env)
    const selection = { kinds: kindsOf(values.kind), since: secondOf(values.since) }
    const journals = join(dataDir, 'journal')
    if (!existsSync(journals)) throw new OperatorError(`There is no Kagiban data in ${dataDir}.`)
    if (values.follow === true) return followAll(journals, selection)
    for (const node of readdirSync(journals).sort()) {
      const kinds = [...new Set([...selection.kinds, ...timekeepers(selection)])]
      await print(readRecords(join(journals, node), { kinds }), new Selected(selection))
    }
    return 0
  },
}

type Selection = { readonly kinds: readonly EntryKind[]; readonly since: string | undefined }

/** Events tell the time of what stands behind them. */
function timekeepers({ since }: Selection): readonly EntryKind[] {
  return since === undefined ? [] : ['event']
}

function kindsOf(names: readonly string[] = ['event']): readonly EntryKind[] {
  const known = ['event', 'item', 'digest'] as const
  return names.map((name) => {
    const kind = known.find((each) => each === name)
    if (kind === undefined) throw new UsageError(`--kind is one of: ${known.join(', ')}.`)
    return kind
  })
}

/** As events write it: texts of this form are in the order of their times. */
function secondOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?$/.test(text)
  const time = isTime ? new Date(text) : undefined
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw new UsageError('--since is a time in UTC, as in 2026-05-06T07:08:09Z or 2026-05-06.')
  }
  return `${time.toISOString().slice(0, 19)}Z`
}

/** Which entries of one journal are printed. */
class Selected {
  readonly #selection: Selection
  #isSince: boolean

  constructor(selection: Selection) {
    this.#selection = selection
    this.#isSince = selection.since === undefined
  }

  has({ kind, record }: StoredRecord): boolean {
    const { kinds, since } = this.#selection
    if (since !== undefined && kind === 'event') this.#isSince = timeOf(record) >= since
    return this.#isSince && kinds.includes(kind)
  }
}

const timeKey = '"eventTime":"'

/** The first member of that name is the event's own: `userIdentity`, the only object before it, has none. */
function timeOf(record: string): string {
  const at = record.indexOf(timeKey)
  return at < 0 ? '' : record.slice(at + timeKey.length, at + timeKey.length + 20)
}

const chunkCharacters = 64 * 1024

async function print(records: Iterable<StoredRecord>, selected: Selected): Promise<void> {
  let text = ''
  for (const stored of records) {
    if (!selected.has(stored)) continue
    text += `${stored.record}\n`
    if (text.length >= chunkCharacters) {
      await write(text)
      text = ''
    }
  }
  if (text !== '') await write(text)
}

const pollMs = 200

/** The journals that are there, and those that come: of each what was recorded, then what is. */
async function followAll(journals: string, selection: Selection): Promise<never> {
  const followed = new Map<string, { reader: JournalReader; selected: Selected }>()
  for (;;) {
    for (const node of readdirSync(journals).sort()) {
      const known = followed.get(node) ?? {
        reader: new JournalReader(join(journals, node)),
        selected: new Selected(selection),
      }
      followed.set(node, known)
      await print(newRecords(known.reader), known.selected)
    }
    await sleep(pollMs)
    if (process.stdout.destroyed) process.exit(0)
  }
}

function* newRecords(reader: JournalReader): Generator<StoredRecord> {
  while (reader.next(false)) yield* reader.records()
}

/** Waits for the reader at the other end of a pipe, so that memory stays bounded. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error == null) resolve()
      else if (errorCode(error) === 'EPIPE') process.exit(0)
      else reject(error)
    })
  })
}
