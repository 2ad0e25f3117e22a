import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readRecords } from '../src/journal/reader.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { type CommandLine, dataDirectory, parse } from './command-line.ts'

export const exportAudit: CommandLine = {
  words: ['audit', 'export'],
  synopsis: 'audit export',
  summary: 'print the audit record, one CloudTrail event a line',
  help: `Usage: kagiban audit export [--data DIR]

Prints every record of the journal in its order, one JSON object a line: the exact text that was
recorded. Everything that was answered is there. It reads the journal's files and changes nothing,
so it needs no running service. Where several processes share the folder, their journals follow
one another.

  --data DIR                   data folder [KAGIBAN_DATA] (./data)
`,
  async run(invocation) {
    const { values } = parse(invocation, { data: { type: 'string' } }, [])
    const dataDir = dataDirectory(values.data, invocation.env)
    const journals = join(dataDir, 'journal')
    if (!existsSync(journals)) throw new OperatorError(`There is no Kagiban data in ${dataDir}.`)
    for (const node of readdirSync(journals).sort()) await printRecords(join(journals, node))
    return 0
  },
}

const chunkCharacters = 64 * 1024

async function printRecords(directory: string): Promise<void> {
  let text = ''
  for (const { record } of readRecords(directory)) {
    text += `${record}\n`
    if (text.length >= chunkCharacters) {
      await write(text)
      text = ''
    }
  }
  await write(text)
}

/** Waits for the reader at the other end of a pipe, so that memory stays bounded. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error == null) resolve()
      else if ('code' in error && error.code === 'EPIPE') process.exit(0)
      else reject(error)
    })
  })
}
