import { join } from 'node:path'
import type { ObjectStore } from '../port.ts'
import { explain } from '../rows/database.ts'
import { type OpenRowsOptions, openRows, requireNodeName } from '../rows/open-rows.ts'
import { RowStore } from '../rows/row-store.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { FileBodies } from './file-bodies.ts'
import { NewNames } from './new-names.ts'

export type FileStoreOptions = OpenRowsOptions & {
  /** Tests put files of their own here. */
  readonly disk?: Disk
}

/**
 * Opens the embedded store: bodies in files, rows in SQLite, which two threads of its own read and write. They are
 * started here and never again. Throws an Error that names the folder and says what is wrong.
 */
export async function openFileStore(options: FileStoreOptions): Promise<ObjectStore> {
  const { directory, node, random, disk = nodeDisk } = options
  requireNodeName(node)
  try {
    const { rows } = await openRows(options, 'files')
    const names = new NewNames(rows)
    const folder = join(directory, 'bodies')
    return new RowStore(rows, new FileBodies({ disk, folder, newName: () => names.take() }), random)
  } catch (error) {
    throw new Error(`The objects in '${directory}' cannot be opened: ${explain(error)}.`, {
      cause: error,
    })
  }
}
