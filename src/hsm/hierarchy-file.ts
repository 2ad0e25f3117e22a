import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parseRegion, type Region } from '../base/ids.ts'
import { readPlainFile, writeDurably } from './durable.ts'
import { StartRefused } from './refusal.ts'

/** The hierarchy as it lies on disk: keys wrapped by keys, base64. `docs/formats/key-hierarchy.md` describes it. */
export type HierarchyState = {
  readonly secretsKey: string
  readonly checkpointKey: string
  readonly regions: ReadonlyMap<Region, RegionRecord>
}

export type RegionRecord = {
  readonly regionKey: string
  /** In ascending order of generation; never empty. The last one is the active one. */
  readonly domainKeys: readonly DomainKeyRecord[]
}

export type DomainKeyRecord = {
  readonly generation: number
  /** ms since the epoch */
  readonly createdAt: number
  readonly wrapped: string
}

export const hierarchyFile = 'hierarchy.json'
const version = 1
const fileBytesMax = 16 * 1024 * 1024

export function activeOf(region: RegionRecord): DomainKeyRecord {
  const active = region.domainKeys.at(-1)
  if (active === undefined) throw new Error('a region without a domain key')
  return active
}

/** Undefined when there is none. Throws StartRefused for a file that is not a hierarchy. */
export function readHierarchy(directory: string): HierarchyState | undefined {
  const file = readPlainFile(join(directory, hierarchyFile), fileBytesMax)
  if (file === undefined) return undefined
  try {
    return parse(file.bytes.toString('utf8'))
  } catch {
    throw new StartRefused(`${hierarchyFile} is damaged.`)
  }
}

export function writeHierarchy(
  directory: string,
  state: HierarchyState,
  assertHeld: () => void,
): void {
  const content = { version, ...state, regions: Object.fromEntries(state.regions) }
  const bytes = Buffer.from(`${JSON.stringify(content, null, 2)}\n`)
  writeDurably(directory, hierarchyFile, bytes, assertHeld)
}

/** Changes whenever the file is replaced: each replacement is a new inode. */
export function stampOf(directory: string): string {
  const stat = statSync(join(directory, hierarchyFile), { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`
}

function parse(text: string): HierarchyState {
  const content = JSON.parse(text)
  if (content.version !== version) throw new Error('version')
  const regions = new Map<Region, RegionRecord>()
  for (const [name, record] of Object.entries<RegionRecord>(content.regions)) {
    const region = parseRegion(name)
    if (region === undefined) throw new Error('region')
    const { regionKey, domainKeys } = record
    regions.set(region, { regionKey: textOf(regionKey), domainKeys: domainKeys.map(domainKeyOf) })
    const generations = domainKeys.map((key) => key.generation)
    if (generations.length === 0) throw new Error('no domain key')
    if (generations.some((g, i) => i > 0 && g <= (generations[i - 1] ?? 0)))
      throw new Error('order')
  }
  return {
    secretsKey: textOf(content.secretsKey),
    checkpointKey: textOf(content.checkpointKey),
    regions,
  }
}

function domainKeyOf({ generation, createdAt, wrapped }: DomainKeyRecord): DomainKeyRecord {
  if (!isCount(generation) || generation > 0xffff_ffff || !isCount(createdAt)) {
    throw new Error('domain key')
  }
  return { generation, createdAt, wrapped: textOf(wrapped) }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a string')
  return value
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
