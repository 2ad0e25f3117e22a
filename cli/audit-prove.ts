import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { JournalDamage } from '../src/journal/damage.ts'
import { listJournal, readOrigin } from '../src/journal/directory.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import { NotWhole } from '../src/journal/verify/finding.ts'
import { type keysIn, underName } from '../src/journal/verify/journal-keys.ts'
import { checkProof, NoProof, proofText } from '../src/journal/verify/proof-file.ts'
import { type FoundRecord, findRecord, proveRecord } from '../src/journal/verify/prove.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { keyHelp, keysBeside, readKeys } from './checkpoint-key.ts'
import { type CommandLine, dataDirectory, parse, UsageError } from './command-line.ts'

export const proveEvent: CommandLine = {
  words: ['audit', 'prove'],
  synopsis: 'audit prove EVENTID',
  summary: 'print a proof that a record is in the audit record',
  help: `Usage: kagiban audit prove EVENTID [--out FILE] [--key KEY] [--data DIR]

Prints the record with that event id and the proof that it is in the log under a signed checkpoint:
a text that "kagiban audit check-proof FILE" checks anywhere, without this folder. It shows nothing
of other records. A record that no checkpoint covers yet is waited for, up to five seconds.

  --out FILE                   write it there; a file that exists is not replaced
${keyHelp}
  --data DIR                   data folder [KAGIBAN_DATA] (./data)

Exit codes: 0 done; 1 there is no such record, or no checkpoint covers it yet; 2 it was not understood.
`,
  async run(invocation) {
    const options = {
      data: { type: 'string' },
      out: { type: 'string' },
      key: { type: 'string' },
    } as const
    const { values, positionals } = parse(invocation, options, ['EVENTID'])
    const [eventId = ''] = positionals
    if (!/^[\w.:-]{1,128}$/.test(eventId)) throw new UsageError(`'${eventId}' is no event id.`)
    const out = values.out === undefined ? undefined : resolve(values.out)
    const given = values.key === undefined ? undefined : readKeys(values.key)
    const journals = join(dataDirectory(values.data, invocation.env), 'journal')
    if (!existsSync(journals)) throw new OperatorError(`There is no Kagiban data in ${journals}.`)
    try {
      const { directory, record } = find(journals, eventId)
      const text = await prove(directory, record, given ?? keysBeside(directory))
      if (out === undefined) process.stdout.write(text)
      else writeFileSync(out, text, { flag: 'wx' })
      return 0
    } catch (error) {
      throw unproven(error)
    }
  },
}

function find(journals: string, eventId: string): { directory: string; record: FoundRecord } {
  let damage: unknown
  for (const node of readdirSync(journals).sort()) {
    const directory = join(journals, node)
    try {
      const record = findRecord(nodeFiles, directory, eventId)
      if (record !== undefined) return { directory, record }
    } catch (error) {
      damage ??= error
    }
  }
  throw damage ?? new OperatorError(`No record has the event id ${eventId}.`)
}

const attempts = 50
const pauseMs = 100

async function prove(
  directory: string,
  record: FoundRecord,
  keys: ReturnType<typeof keysIn>,
): Promise<Buffer> {
  const origin = readOrigin(nodeFiles, directory) ?? ''
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { segments } = listJournal(nodeFiles, directory)
    const log = { origin, segments, keys: underName(origin, keys) }
    const proof = proveRecord(nodeFiles, directory, record, log)
    if (proof !== undefined) {
      const text = proofText(proof)
      checkProof(text)
      return text
    }
    await sleep(pauseMs)
  }
  throw new OperatorError(
    `No signed checkpoint covers record ${record.index} yet; the service makes one each second while it runs.`,
  )
}

function unproven(error: unknown): unknown {
  const isNoProof =
    error instanceof NoProof || error instanceof NotWhole || error instanceof JournalDamage
  if (isNoProof) {
    return new OperatorError(
      `The record cannot be proven, because the journal is not what was signed: ${error.message}. See "kagiban audit verify".`,
    )
  }
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
    return new OperatorError(`${error.message}; a proof replaces no file.`)
  }
  return error
}
