import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { openFileStore } from '../files/store.ts'
import { openUpstreamStore } from '../upstream/store.ts'
import { pattern, plain, plainPart } from './pieces.ts'
import { upstreamBucket, upstreamKey } from './upstream-server.ts'

/** What a key has: the runs of bytes that it is made of, or nothing. */
export type Content = readonly { readonly size: number; readonly seed: number }[] | null

/** A line that the writer says: what it begins with, and then, once it was acknowledged, that it is done. */
export type Line =
  | { readonly begins: string; readonly content: Content }
  | { readonly done: string }

const sizes = [0, 700, 16_000, 60_000, 400_000, 1_600_000]
/** What an upstream gets in parts; others are rather common. */
const largeSize = 6_000_000
const lanes = 4

if (import.meta.main) {
  const [directory = '', seedText = '1', endpoint] = process.argv.slice(2)
  if (endpoint !== undefined) sizes.push(largeSize)
  const options = { directory, node: 'main', clock: systemClock, random: systemRandom }
  const store =
    endpoint === undefined
      ? await openFileStore(options)
      : await openUpstreamStore({
          ...{ ...options, endpoint, bucket: upstreamBucket, region: upstreamKey.region },
          accessKeyId: upstreamKey.accessKeyId,
          secretAccessKey: Buffer.from(upstreamKey.secret),
          partBytes: 5 * 1024 * 1024,
        })
  await store.createBucket('b').catch(() => {})
  const say = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`)

  /** Each lane has keys of its own, so that it is known what they have. */
  const lane = async (number: number): Promise<never> => {
    let state = (Number(seedText) * lanes + number) >>> 0
    const dice = (sides: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return (state >>> 8) % sides
    }
    for (;;) {
      const key = `lane-${number}/${dice(3)}`
      const what = dice(10)
      const run = () => ({ size: sizes[dice(sizes.length)] ?? 0, seed: dice(256) })
      if (what < 5) {
        const content = [run()]
        say({ begins: key, content })
        await store.put('b', key, plain(pattern(content[0]?.size ?? 0, content[0]?.seed)))
      } else if (what < 7) {
        say({ begins: key, content: null })
        await store.delete('b', key, { versioning: 'unversioned' })
      } else {
        const content = [run(), run(), run()]
        const { etag, segmentSidecar, chunkTags, ...upload } = plain('').finish({
          ...{ size: 0, versionId: '' },
        })
        const name = { bucket: 'b', key, uploadId: await store.createUpload('b', key, upload) }
        for (const [index, { size, seed }] of content.entries()) {
          await store.putPart(name, index + 1, plainPart(pattern(size, seed)))
        }
        say({ begins: key, content })
        await store.complete(name, {
          versioning: 'unversioned',
          parts: content.map((_, index) => ({ number: index + 1, etag: 'etag-part' })),
          finish: (parts) => ({
            ...{ etag, ...upload },
            segmentSidecars: parts.map(() => Buffer.alloc(0)),
          }),
        })
      }
      say({ done: key })
    }
  }
  for (let number = 0; number < lanes; number++) void lane(number)
}
