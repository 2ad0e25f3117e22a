import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../base/random.ts'
import { gather, inPieces, pattern } from '../testing/pieces.ts'
import {
  copyOf,
  identity,
  keysOf,
  opened,
  type Sealed,
  seal,
  sealMultipart,
  sealParts,
  unseal,
} from '../testing/sealed.ts'
import type { DamageKind } from './damage.ts'
import { chunkBytes } from './header.ts'
import { ObjectOpener } from './open.ts'
import { ObjectSealer, UploadSealer } from './seal.ts'

const refused = (attempt: Promise<unknown>, kind: DamageKind, why?: string) =>
  assert.rejects(attempt, { name: 'ObjectDamage', kind }, why)

/** Changes a copy, which is refused then, while the original opens. */
async function tampered(
  sealed: Sealed,
  kind: DamageKind,
  why: string,
  change: (copy: Sealed) => void,
) {
  const copy = copyOf(sealed)
  change(copy)
  await refused(unseal(copy), kind, why)
}

const first = (sealed: Sealed) => {
  const [segment] = sealed.segments
  assert.ok(segment)
  return segment
}

const flip = (bytes: Buffer, at: number, bit = 0) => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
}

test('every bit of a small object counts, with what lies beside it', async () => {
  const sealed = await seal(Buffer.from('thirteen chars'))
  assert.equal((await unseal(sealed)).toString(), 'thirteen chars')
  const { sidecar } = sealed
  for (let at = 0; at < sidecar.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const copy = copyOf(sealed)
      flip(copy.sidecar, at, bit)
      await assert.rejects(unseal(copy), { name: 'ObjectDamage', kind: /^(?:format|header)$/ })
    }
  }
  const segment = first(sealed)
  const kinds = [
    ['data', 'chunk'],
    ['chunkTags', 'chunk'],
    ['sidecar', 'segment'],
  ] as const
  for (const [what, kind] of kinds) {
    for (let at = 0; at < segment[what].length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        await tampered(sealed, kind, `${what} ${at} ${bit}`, (copy) =>
          flip(first(copy)[what], at, bit),
        )
      }
    }
  }
})

test('a header that is cut or goes on is none', async () => {
  const sealed = await seal(Buffer.from('x'))
  for (let length = 0; length < sealed.sidecar.length; length++) {
    const copy = copyOf(sealed)
    copy.sidecar = copy.sidecar.subarray(0, length)
    await assert.rejects(unseal(copy), { name: 'ObjectDamage', kind: /^(?:format|header)$/ })
  }
  await tampered(sealed, 'format', 'longer', (copy) => {
    copy.sidecar = Buffer.concat([copy.sidecar, Buffer.alloc(1)])
  })
})

test('other keys and other objects are refused', async () => {
  const sealed = await seal(Buffer.from('x'))
  await refused(unseal(sealed, keysOf(2)), 'header')
  await refused(unseal(sealed, keysOf(1, 1)), 'header')
  for (const other of [
    { ...identity, bucket: 'c' },
    { ...identity, key: 'l' },
    { ...identity, versionId: 'v' },
    { ...identity, bucket: 'bk', key: '' },
    { ...identity, bucket: '', key: 'bk' },
    { ...identity, key: 'knull', versionId: '' },
  ]) {
    await refused(unseal(sealed, keysOf(1), other), 'header')
  }
})

/** All orders and choices of up to three of the numbers from 0, but that of all in order. */
function arrangements(count: number): number[][] {
  const all: number[][] = [[]]
  for (const length of [1, 2, 3, 4]) {
    for (let code = 0; code < count ** length; code++) {
      all.push(Array.from({ length }, (_, at) => Math.floor(code / count ** at) % count))
    }
  }
  return all.filter((each) => each.length !== count || each.some((value, at) => value !== at))
}

test('chunks that are left out, repeated or exchanged are refused, whatever the sizes say', async () => {
  const bytes = pattern(2 * chunkBytes + 10)
  const sealed = await seal(bytes)
  assert.ok((await unseal(sealed)).equals(bytes))
  const { data, chunkTags } = first(sealed)
  const chunk = (index: number) => data.subarray(index * chunkBytes, (index + 1) * chunkBytes)
  const tag = (index: number) => chunkTags.subarray(index * 16, (index + 1) * 16)
  for (const order of arrangements(3)) {
    await assert.rejects(
      unseal(rearranged(sealed, order.map(chunk), order.map(tag))),
      { name: 'ObjectDamage', kind: /^(?:segment|chunk)$/ },
      order.join(),
    )
  }
  // The tags stay, and the chunks move.
  const moved = rearranged(sealed, [chunk(1), chunk(0), chunk(2)], [0, 1, 2].map(tag))
  await refused(unseal(moved), 'chunk')
})

function rearranged(sealed: Sealed, chunks: Buffer[], tags: Buffer[]): Sealed {
  const copy = copyOf(sealed)
  const segment = first(copy)
  segment.data = Buffer.concat(chunks)
  segment.chunkTags = Buffer.concat(tags)
  copy.size = segment.data.length
  return copy
}

test('nothing of a chunk that was changed is given, and nothing after it', async () => {
  const bytes = pattern(4 * chunkBytes)
  const sealed = copyOf(await seal(bytes))
  flip(first(sealed).data, 2 * chunkBytes + 5)
  const opener = new ObjectOpener(sealed.sidecar, keysOf(1), identity)
  const given: Buffer[] = []
  const reading = (async () => {
    for await (const piece of opener.decrypt(opened(sealed))) given.push(piece)
  })()
  await refused(reading, 'chunk')
  assert.ok(Buffer.concat(given).equals(bytes.subarray(0, 2 * chunkBytes)))
})

test('an object cut at any chunk is refused before anything of it is given', async () => {
  const sealed = await seal(pattern(3 * chunkBytes))
  for (const chunks of [0, 1, 2]) {
    await tampered(sealed, 'segment', `${chunks} chunks`, (copy) => {
      const segment = first(copy)
      segment.data = segment.data.subarray(0, chunks * chunkBytes)
      segment.chunkTags = segment.chunkTags.subarray(0, chunks * 16)
      copy.size = segment.data.length
    })
  }
  // The row still says the old size: the range that is asked for is not there.
  await tampered(sealed, 'segment', 'row unchanged', (copy) => {
    first(copy).data = first(copy).data.subarray(0, chunkBytes)
    first(copy).chunkTags = first(copy).chunkTags.subarray(0, 16)
  })
})

test('parts that are left out, repeated, exchanged or of another object are refused', async () => {
  const parts = [pattern(100, 1), pattern(100, 2), pattern(100, 3)]
  const sealed = await sealMultipart(parts)
  const other = await sealMultipart(parts)
  assert.ok((await unseal(sealed)).equals(Buffer.concat(parts)))
  for (const order of arrangements(3)) {
    const copy = copyOf(sealed)
    copy.segments = placed(copyOf(sealed), order)
    copy.segmentCount = copy.segments.length
    copy.size = 100 * copy.segments.length
    await refused(unseal(copy), 'segment', order.join())
  }
  for (const ordinal of [0, 1, 2]) {
    await tampered(sealed, 'segment', `another object's part ${ordinal}`, (copy) => {
      copy.segments = copy.segments.map((each, at) =>
        at === ordinal ? (other.segments[at] ?? each) : each,
      )
    })
    await tampered(sealed, 'segment', `another part's label ${ordinal}`, (copy) => {
      const segment = copy.segments[ordinal]
      const next = copy.segments[(ordinal + 1) % 3]
      if (segment && next) segment.sidecar = next.sidecar
    })
    await tampered(sealed, 'chunk', `another part's bytes ${ordinal}`, (copy) => {
      const segment = copy.segments[ordinal]
      const next = copy.segments[(ordinal + 1) % 3]
      if (segment && next) Object.assign(segment, { data: next.data, chunkTags: next.chunkTags })
    })
  }
})

/** Segments in another order, with places as a store would then give them. */
function placed(sealed: Sealed, order: readonly number[]) {
  let start = 0
  return order.flatMap((from, ordinal) => {
    const segment = sealed.segments[from]
    if (segment === undefined) return []
    const moved = { ...segment, ordinal, start }
    start += segment.data.length
    return [moved]
  })
}

test('a segment that is missing from the range is seen', async () => {
  const sealed = await sealMultipart([pattern(100), pattern(100), pattern(100)])
  for (const without of [0, 1, 2]) {
    const object = opened(sealed)
    const holed = {
      ...object,
      segments: object.segments.filter(({ ordinal }) => ordinal !== without),
    }
    const opener = new ObjectOpener(sealed.sidecar, keysOf(1), identity)
    await refused(gather(opener.decrypt(holed)), 'segment')
    await refused(gather(opener.decrypt(holed, without * 100 + 50, without * 100 + 51)), 'segment')
  }
})

test('parts are checked again when they become an object', async () => {
  const { upload, sealer, parts } = await sealParts([pattern(10), pattern(10)])
  const [one, two] = parts
  assert.ok(one && two)
  const attempts = [
    [{ ...one, number: 2 }],
    [{ ...one, size: 11 }],
    [{ ...one, segmentSidecar: two.segmentSidecar }],
    [{ ...one, segmentSidecar: Buffer.alloc(0) }],
  ]
  for (const attempt of attempts) {
    const complete = () => sealer.complete(attempt, identity)
    assert.throws(complete, { name: 'ObjectDamage', kind: 'segment' })
  }
  const another = () => new UploadSealer(upload, keysOf(1), { bucket: 'b', key: 'l' })
  assert.throws(another, { name: 'ObjectDamage', kind: 'header' })
  assert.throws(() => new UploadSealer(upload, keysOf(2), identity), { kind: 'header' })
  // The sidecar of an upload is none of an object.
  assert.throws(() => new ObjectOpener(upload, keysOf(1), identity), { kind: 'header' })
  const { sidecar } = await seal(Buffer.from('x'))
  assert.throws(() => new UploadSealer(sidecar, keysOf(1), identity), { kind: 'header' })
})

test('a layer that is taken away or exchanged is refused', async () => {
  const keys = keysOf(1, 2)
  const sealed = await seal(Buffer.from('twice'), keys)
  assert.equal((await unseal(sealed, keys)).toString(), 'twice')
  await refused(unseal(sealed, keysOf(1)), 'header')
  await refused(unseal(sealed, keysOf(2)), 'header')
  await refused(unseal(sealed, keysOf(2, 1)), 'header')
  await refused(unseal(sealed, keysOf(1, 3)), 'header')
  for (const at of [0, 16]) {
    const copy = copyOf(sealed)
    flip(first(copy).chunkTags, at)
    await refused(unseal(copy, keys), 'chunk', `tag of layer ${at / 16}`)
  }
})

test('a size that is not that of what was encrypted is refused', async () => {
  const options = { dataKeys: keysOf(1), wrapped: [Buffer.alloc(0)], random: systemRandom }
  const sealer = new ObjectSealer(options)
  await gather(sealer.encrypt(inPieces(Buffer.from('four'))))
  assert.throws(() => sealer.finish(identity, 5), RangeError)
  assert.throws(() => new ObjectSealer({ ...options, dataKeys: [Buffer.alloc(16)] }), RangeError)
  assert.throws(() => new ObjectSealer({ ...options, wrapped: [] }), RangeError)
})
