import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** The path of a store in a directory of its own, which goes when the test ends. */
export function newStorePath(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-store-'))
  context.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'store.db')
}
