import type { EntryKind } from '../base/entry-kind.ts'

/**
 * The type byte in the frame of an entry, and the one that its tree entry begins with. Frame type 2 is that of the
 * signed checkpoints of this very journal, which are no entries.
 */
const types = {
  event: { frame: 1, leaf: 1 },
  digest: { frame: 3, leaf: 2 },
  checkpoint: { frame: 4, leaf: 3 },
  item: { frame: 5, leaf: 4 },
} as const satisfies Record<EntryKind, { frame: number; leaf: number }>

type KindOfFrame = { readonly kind: EntryKind; readonly leaf: number }

const kindsByFrame: readonly (KindOfFrame | undefined)[] = byFrame()

export function frameTypeOf(kind: EntryKind): number {
  return types[kind].frame
}

export function isEntryFrame(frameType: number): boolean {
  return kindsByFrame[frameType] !== undefined
}

/** Throws for a frame that is no entry's. */
export function kindOfFrame(frameType: number): KindOfFrame {
  const found = kindsByFrame[frameType]
  if (found === undefined) throw new Error(`frame type ${frameType} is no entry's`)
  return found
}

function byFrame(): (KindOfFrame | undefined)[] {
  const kinds: (KindOfFrame | undefined)[] = []
  for (const [kind, { frame, leaf }] of Object.entries(types)) {
    kinds[frame] = { kind: kind as EntryKind, leaf }
  }
  return kinds
}
