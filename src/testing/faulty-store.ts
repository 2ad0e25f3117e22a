import { createMemoryStore, type SharedRows } from '../storage/memory/store.ts'
import type { Store, Transaction } from '../storage/port.ts'

/** A store in memory whose calls can be made to wait or to fail: each fault may answer a promise or throw. */
export type Faults = {
  commit: (transaction: Transaction) => Promise<void> | void
  changesSince: () => Promise<void> | void
  archived: (digest: string) => Promise<void> | void
  settle: (eventIds: readonly string[]) => Promise<void> | void
}

export function faultyStore(shared: SharedRows): {
  readonly store: Store
  readonly faults: Faults
} {
  const store = createMemoryStore(shared)
  const faults: Faults = {
    commit: () => {},
    changesSince: () => {},
    archived: () => {},
    settle: () => {},
  }
  const faulty: Store = {
    load: (visit) => store.load(visit),
    changed: () => store.changed(),
    changesSince: async (revision) => {
      await faults.changesSince()
      return store.changesSince(revision)
    },
    commit: async (transaction) => {
      await faults.commit(transaction)
      return store.commit(transaction)
    },
    archived: async (digest) => {
      await faults.archived(digest)
      return store.archived(digest)
    },
    outbox: () => store.outbox(),
    settle: async (eventIds) => {
      await faults.settle(eventIds)
      await store.settle(eventIds)
    },
    backup: (file, progress) => store.backup(file, progress),
    close: () => store.close(),
    healthy: true,
  }
  return { store: faulty, faults }
}
