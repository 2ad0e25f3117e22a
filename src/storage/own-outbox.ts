import type { OutboxEvent, Store } from './port.ts'

/**
 * The store as one of several processes sees it that share it: its outbox holds its own events alone. Each process has
 * a journal of its own, and what another has committed a moment ago is that one's to journal.
 */
export function ownOutbox(store: Store, node: string): Store {
  const prefix = `${node}:`
  const own = (id: string) => prefix + id
  return {
    load: (visit) => store.load(visit),
    changed: () => store.changed(),
    changesSince: (revision) => store.changesSince(revision),
    commit: ({ events, ...transaction }) =>
      store.commit({
        ...transaction,
        events: events.map((event) => ({ ...event, id: own(event.id) })),
      }),
    archived: (digest) => store.archived(digest),
    outbox: async () => {
      const events: OutboxEvent[] = []
      for (const event of await store.outbox()) {
        const { id } = event
        if (id.startsWith(prefix)) events.push({ ...event, id: id.slice(prefix.length) })
      }
      return events
    },
    settle: (eventIds) => store.settle(eventIds.map(own)),
    backup: (file, progress) => store.backup(file, progress),
    close: () => store.close(),
    get healthy() {
      return store.healthy
    },
  }
}
