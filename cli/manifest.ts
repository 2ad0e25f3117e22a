/** What a backup says of itself; what must be in it. `docs/formats/backup.md` */
export type Manifest = {
  readonly format: 1
  readonly createdAt: string
  /** How many records of each journal belong to it, by the name of its process. */
  readonly records: Readonly<Record<string, number>>
  readonly files: readonly ArchivedFile[]
}

export type ArchivedFile = {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** Of the manifest's text: enough for a million segments. */
export const manifestBytesMax = 256 * 1024 * 1024
/** A journal's segment is no larger. */
const fileBytesMax = 1024 * 1024 * 1024

const node = '[a-z0-9-]{1,32}'
const nodeName = new RegExp(`^${node}$`)
const archived = new RegExp(
  `^(?:hsm/(?:hierarchy|root)\\.json|(?:journal/(${node})|root-log)/(?:\\d{8}\\.seg|origin|checkpoint))$`,
)

/** Whether a backup may hold a file of this path. Whatever is not named here cannot be brought into a folder. */
export function mayBeArchived(path: string): boolean {
  return archived.test(path)
}

export function isNodeName(name: string): boolean {
  return nodeName.test(name)
}

/** Of whatever was read from a file that anybody may have written. Throws an Error that says what is wrong. */
export function parseManifest(text: string): Manifest {
  const { format, createdAt, records, files } = Object(JSON.parse(text)) as Record<string, unknown>
  if (format !== 1) throw new Error(`its format is ${show(format)}; this Kagiban knows 1`)
  const manifest = {
    format,
    files: filesOf(files),
    records: recordsOf(records),
    createdAt: timeOf(createdAt),
  } as const
  requireAll(manifest)
  return manifest
}

/** It is shown, and so may not be any text. */
function timeOf(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{5,12}Z$/.test(value)) return value
  throw new Error('its manifest names no time')
}

function recordsOf(value: unknown): Manifest['records'] {
  if (typeof value !== 'object' || value === null) throw new Error('its manifest names no records')
  for (const [name, count] of Object.entries(value)) {
    if (!isNodeName(name) || !isCount(count)) {
      throw new Error(`its manifest names ${show(count)} records of ${show(name)}`)
    }
  }
  return value as Manifest['records']
}

function filesOf(value: unknown): readonly ArchivedFile[] {
  if (!Array.isArray(value)) throw new Error('its manifest names no files')
  return value.map((entry) => {
    const { path, bytes, sha256 } = Object(entry) as Record<string, unknown>
    if (typeof path !== 'string' || !mayBeArchived(path)) {
      throw new Error(`its manifest names ${show(path)}`)
    }
    if (!isCount(bytes) || bytes > fileBytesMax || !isDigest(sha256)) {
      throw new Error(`its manifest says nothing sound of ${path}`)
    }
    return { path, bytes, sha256 }
  })
}

function requireAll({ records, files }: Manifest): void {
  const paths = new Set(files.map(({ path }) => path))
  if (paths.size !== files.length) throw new Error('its manifest names a file twice')
  const needed = [
    'hsm/hierarchy.json',
    ...Object.keys(records).map((name) => `journal/${name}/origin`),
  ]
  for (const path of needed) if (!paths.has(path)) throw new Error(`it lacks ${path}`)
  for (const path of paths) {
    const name = archived.exec(path)?.[1]
    if (name !== undefined && !Object.hasOwn(records, name)) {
      throw new Error(`its manifest does not know the journal of ${path}`)
    }
  }
}

/** No control characters of whoever wrote the file reach the terminal. */
function show(value: unknown): string {
  const text = String(JSON.stringify(value)).slice(0, 100)
  return typeof value === 'string' ? `'${text.slice(1, -1)}'` : text
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}
