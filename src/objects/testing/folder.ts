import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export function newObjectsFolder(context?: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-objects-'))
  context?.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
