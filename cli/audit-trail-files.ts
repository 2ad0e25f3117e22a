import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import {
  type TrailFiles,
  type TrailFilesReport,
  verifyTrailFiles,
} from '../src/delivery/trail-files.ts'
import { readRecords } from '../src/journal/reader.ts'

/** Compares a downloaded copy of a trail's bucket with the journals of a data folder. Throws where one is not there. */
export function checkTrailFiles(
  directory: string,
  journals: string,
  options: { readonly bucket?: string | undefined; readonly since?: number | undefined } = {},
): TrailFilesReport {
  return verifyTrailFiles({
    ...options,
    files: filesIn(directory),
    *entries(kind) {
      for (const node of readdirSync(journals).sort()) {
        for (const { record } of readRecords(join(journals, node), { kinds: [kind] })) yield record
      }
    },
  })
}

/** A folder as `aws s3 sync s3://BUCKET DIR` makes it. */
function filesIn(directory: string): TrailFiles {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const keys = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(directory, sep).length))
    .map((path) => path.split(sep).join('/'))
  const known = new Set(keys)
  return {
    keys,
    // A digest names its files: what it names outside of the folder is not there.
    read: (key) => (known.has(key) ? readFileSync(join(directory, key)) : undefined),
  }
}

export function trailFilesSummary({ digests, logs, pending, faults }: TrailFilesReport): string {
  const waiting =
    pending === 0
      ? ''
      : `; ${pending} newer log files wait for their digest, their events are known`
  const counted = `trail files: ${digests} digests and ${logs} log files`
  return faults.length === 0
    ? `${counted} are as the journal says${waiting}\n`
    : `${counted} found; ${faults.length} are not as the journal says\n`
}
