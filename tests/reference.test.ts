import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { referencePages } from '../tools/reference.ts'

const folder = new URL('../docs/reference/', import.meta.url)

test('the reference says what the operation tables say: `node tools/reference.ts` writes it anew', () => {
  const pages = referencePages()
  assert.deepEqual(readdirSync(folder).sort(), [...pages.keys()].sort())
  for (const [file, text] of pages) {
    assert.equal(readFileSync(new URL(file, folder), 'utf8'), text, file)
  }
})
