import type { ObjectStore } from '../port.ts'

/** One place for objects, empty at first. `open` connects to it as one more process would. */
export type ObjectSite = {
  open(): Promise<ObjectStore>
  dispose(): Promise<void>
}

export type MakeSite = () => Promise<ObjectSite>

/** A test over one store, and another of the same place, which have a bucket `b`. */
export type Over = (
  title: string,
  body: (store: ObjectStore, other: ObjectStore) => Promise<void>,
) => void
