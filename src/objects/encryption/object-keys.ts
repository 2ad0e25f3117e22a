import { hkdf, hmac } from './hmac.ts'
import { Labels } from './labels.ts'

/** 32 bytes for each layer, the inner first. They stay the caller's, to be wiped. */
export type DataKeys = readonly [Buffer] | readonly [Buffer, Buffer]

const keyBytes = 32
const empty = Buffer.alloc(0)
const chunksInfo = (layer: number) => `kagiban/object/v1/chunks/${layer}`
const labelsInfo = 'kagiban/object/v1/labels'

/**
 * The keys of one object, out of its data keys and its random id: one for the chunks of each layer, from which each
 * segment has its own, and one for the MACs, which it takes all data keys to know.
 */
export class ObjectKeys extends Labels {
  readonly #chunkRoots: readonly Buffer[]

  constructor(dataKeys: DataKeys, objectId: Buffer) {
    const { chunkRoots, labelsKey } = derived(dataKeys, objectId)
    super(labelsKey)
    this.#chunkRoots = chunkRoots
  }

  get layers(): number {
    return this.#chunkRoots.length
  }

  /** AES-256 keys, one for each layer; to be wiped. */
  segmentKeys(segmentId: Buffer): Buffer[] {
    return this.#chunkRoots.map((root) => hmac(root, segmentId))
  }

  override wipe(): void {
    super.wipe()
    for (const root of this.#chunkRoots) root.fill(0)
  }
}

function derived(dataKeys: DataKeys, objectId: Buffer) {
  for (const key of dataKeys) {
    if (key.length !== keyBytes) throw new RangeError('a data key has 32 bytes')
  }
  const [inner, outer] = dataKeys
  const [innerRoot = empty, single = empty] = hkdf(inner, objectId, chunksInfo(0), labelsInfo)
  if (outer === undefined) return { chunkRoots: [innerRoot], labelsKey: single }
  single.fill(0)
  const [outerRoot = empty] = hkdf(outer, objectId, chunksInfo(1))
  const both = Buffer.concat(dataKeys)
  const [labelsKey = empty] = hkdf(both, objectId, labelsInfo)
  both.fill(0)
  return { chunkRoots: [innerRoot, outerRoot], labelsKey }
}
