import { mkdirSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { type Channel, openThread } from './channel.ts'
import type { KnownPlace, Place } from './place.ts'
import type { RowsOptions } from './rows.ts'
import { RowsClient } from './rows-client.ts'

export type OpenRowsOptions = {
  /** `<data>/objects`; made unless it exists. */
  readonly directory: string
  /** Two processes over one folder have different ones. Lower-case letters, digits, dashes. */
  readonly node: string
  readonly clock: Clock
  readonly random: Random
  /** Tests put rows of their own here. */
  readonly connect?: ((options: RowsOptions) => Promise<Channel>) | undefined
}

export type OpenedRows = {
  readonly rows: RowsClient
  /** With what the names of this process's bodies begin; no other process ever has it. */
  readonly run: string
  readonly place: KnownPlace
}

const placeNames = { files: 'files', s3: 'S3' }

/**
 * Starts the two threads that read and write the rows, here and never again. Throws an Error that says what is wrong,
 * also when the bodies that the rows name are of another kind.
 */
export async function openRows(
  { directory, node, clock, random, connect = openThread }: OpenRowsOptions,
  kind: Place['kind'],
): Promise<OpenedRows> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const run = random.bytes(8).toString('hex')
  const writer = await connect({ directory, writer: { node, run, now: clock.now(), bodies: kind } })
  const reader = await connect({ directory }).catch(async (error: unknown) => {
    await writer.close()
    throw error
  })
  const rows = new RowsClient(reader, writer, clock)
  try {
    const proposed: Place = { kind, id: kind === 's3' ? random.bytes(16).toString('hex') : '' }
    const place = (await rows.run({ kind: 'place', proposed })) as KnownPlace
    if (place.kind !== kind) {
      throw new Error(`their bodies are in ${placeNames[place.kind]}, not in ${placeNames[kind]}`)
    }
    return { rows, run, place }
  } catch (error) {
    await rows.close()
    throw error
  }
}

export function requireNodeName(node: string): void {
  if (!/^[a-z0-9-]{1,32}$/.test(node)) throw new Error(`'${node}' is no name of a node`)
}
