import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '../conformance.ts'
import { openSqliteStore } from './store.ts'

describeStore('sqlite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-store-'))
  return {
    open: () => openSqliteStore({ file: join(directory, 'store.db') }),
    dispose: async () => rmSync(directory, { recursive: true }),
  }
})
