import type { OutboxEvent, Put, Row, Store, Transaction } from '../port.ts'

/** One database, empty at first. `open` connects to it as one more process would. */
export type StoreSite = {
  open(): Promise<Store>
  /** Closes nothing: removes what is left behind. */
  dispose(): Promise<void>
}

export type Over = (
  title: string,
  count: number,
  body: (...stores: [Store, Store, Store]) => Promise<void>,
) => void

export async function withStores(
  makeSite: () => Promise<StoreSite>,
  count: number,
  body: (...stores: [Store, Store, Store]) => Promise<void>,
): Promise<void> {
  const site = await makeSite()
  const stores: Store[] = []
  try {
    for (let index = 0; index < count; index++) stores.push(await site.open())
    // A test asks for no more stores than it opens.
    await body(...(stores as [Store, Store, Store]))
  } finally {
    for (const store of stores) await store.close()
    await site.dispose()
  }
}

export const put = (id: string, body: string | null, expected = 0, kind = 'key'): Put => ({
  kind,
  id,
  body,
  expected,
})
export const puts = (...changes: Put[]): Transaction => ({ puts: changes, events: [] })
export const event = (id: string): OutboxEvent => ({ id, record: `{"eventID":"${id}"}` })

export async function liveRows(store: Store): Promise<{ rows: Row[]; revision: number }> {
  const rows: Row[] = []
  const revision = await store.load((row) => rows.push(row))
  rows.sort((a, b) => (a.kind + a.id < b.kind + b.id ? -1 : 1))
  return { rows, revision }
}

export const conflict = { name: 'StoreConflict' }
export const internal = { name: 'ServiceError', code: 'internal' }
