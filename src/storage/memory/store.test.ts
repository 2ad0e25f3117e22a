import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStore } from '../conformance.ts'
import { createMemoryStore, SharedRows } from './store.ts'

describeStore('memory', async () => {
  const shared = new SharedRows()
  return { open: async () => createMemoryStore(shared), dispose: async () => undefined }
})

test('the store in memory refuses to back up rather than write nothing', async () => {
  const store = createMemoryStore()
  await assert.rejects(store.backup('anywhere'), { code: 'unsupported' })
})
