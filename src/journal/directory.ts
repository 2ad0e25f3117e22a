import { join } from 'node:path'
import { JournalDamage } from './damage.ts'
import { type Files, readSmallFile } from './files.ts'
import { lockFileNames } from './lock.ts'
import { flushFileNames } from './node-files.ts'
import { maxOriginBytes, segmentName, segmentNumber } from './segment.ts'

export const originName = 'origin'
export const checkpointName = 'checkpoint'
/** The public keys of the checkpoints, for whoever verifies the journal: each a C2SP verifier key on its line. */
export const vkeyName = 'vkey'
/** Beside the root log: its newest checkpoint with the signatures of its witnesses. */
export const witnessedName = 'witnessed'
export const maxVkeyBytes = 16 * 1024
/** The next segment while it is being written with zeros. */
export const preparationName = 'prepare.tmp'

const smallNames = [originName, checkpointName, vkeyName, witnessedName]
const temporaryNames = [...smallNames.map((name) => `${name}.tmp`), preparationName]
const otherNames = [...smallNames, ...lockFileNames, ...flushFileNames]

export type Listing = {
  /** Segments 1 to this number are there. */
  readonly segments: number
  readonly temporaries: readonly string[]
}

/** Looks at what is in a journal's directory. Throws JournalDamage on a name that is none of ours and on a gap. */
export function listJournal(files: Files, directory: string): Listing {
  const numbers: number[] = []
  const temporaries: string[] = []
  for (const name of files.list(directory)) {
    const number = segmentNumber(name)
    if (number !== undefined) numbers.push(number)
    else if (temporaryNames.includes(name)) temporaries.push(name)
    else if (!otherNames.includes(name)) {
      throw new JournalDamage(join(directory, name), 0, 'no such file in a journal', 'a file')
    }
  }
  numbers.sort((one, other) => one - other)
  numbers.forEach((number, index) => {
    if (number === index + 1) return
    const missing = join(directory, segmentName(index + 1))
    throw new JournalDamage(missing, 0, 'a segment', `none, but ${segmentName(number)}`)
  })
  return { segments: numbers.length, temporaries }
}

/** The origin of the journal in a directory, or undefined if there is none. Throws JournalDamage on other content. */
export function readOrigin(files: Files, directory: string): string | undefined {
  const path = join(directory, originName)
  const content = readSmallFile(files, path, maxOriginBytes + 1)?.toString()
  if (content === undefined || /^[!-*,-~]+\n$/.test(content)) return content?.slice(0, -1)
  throw new JournalDamage(path, 0, 'one line with the origin', JSON.stringify(content))
}
