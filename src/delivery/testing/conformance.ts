import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeliveryFailure, type TrailBuckets, type TrailFile } from '../bucket.ts'
import { account, home } from './world.ts'

/** Buckets to try an adapter with. */
export type BucketSite = {
  readonly buckets: TrailBuckets
  /** Of the trail's account; its policy lets cloudtrail.amazonaws.com put files. */
  readonly own: string
  /** The same of a bucket of another account. */
  readonly open: string
  /** A bucket of the trail's account whose policy does not. */
  readonly closed: string
  /** As a reader finds it; undefined where there is none. */
  read(
    bucket: string,
    key: string,
  ): Promise<{ body: Buffer; metadata: Readonly<Record<string, string>> } | undefined>
  dispose(): Promise<void>
}

/** What every adapter of `TrailBuckets` must hold. Durability is the adapter's own test. */
export function describeTrailBuckets(name: string, makeSite: () => Promise<BucketSite>): void {
  const over = (title: string, body: (site: BucketSite) => Promise<void>) =>
    test(title, async () => {
      const site = await makeSite()
      try {
        await body(site)
      } finally {
        await site.dispose()
      }
    })

  describe(`buckets of trails: ${name}`, () => {
    over('a file is there once put resolves, with its metadata', async (site) => {
      for (const bucket of [site.own, site.open]) {
        const file = fileIn(bucket)
        await site.buckets.put(file)
        const found = await site.read(bucket, file.key)
        assert.deepEqual(found?.body, file.body)
        assert.equal(found?.metadata['signature'], 'ab01')
        assert.equal(found?.metadata['signature-algorithm'], 'SHA256withRSA')
      }
    })

    over('the same file again takes its own place', async (site) => {
      await site.buckets.put(fileIn(site.own))
      await site.buckets.put({ ...fileIn(site.own), body: Buffer.from('again') })
      const found = await site.read(site.own, fileIn(site.own).key)
      assert.equal(found?.body.toString(), 'again')
    })

    over('files of several megabytes', async (site) => {
      const body = Buffer.alloc(9 * 1024 * 1024, 'large')
      await site.buckets.put({ ...fileIn(site.own), body })
      const found = await site.read(site.own, fileIn(site.own).key)
      assert.ok(found?.body.equals(body))
    })

    over('no bucket, and one that does not take it, are told apart', async (site) => {
      await refused(site.buckets.put(fileIn('there-is-no-such-bucket')), 'NoSuchBucket')
      await refused(site.buckets.put(fileIn(site.closed)), 'AccessDenied')
      assert.equal(await site.read(site.closed, fileIn(site.closed).key), undefined)
    })

    over('check says what put would', async ({ buckets, own, open, closed }) => {
      const { trailArn: arn, homeRegion } = fileIn(own)
      const check = (bucket: string) => buckets.check({ account, arn, homeRegion, bucket })
      assert.equal(await check(own), undefined)
      assert.equal(await check(open), undefined)
      assert.equal(await check(closed), 'no-permission')
      assert.equal(await check('there-is-no-such-bucket'), 'no-bucket')
    })
  })
}

function fileIn(bucket: string): TrailFile {
  return {
    account,
    trailArn: `arn:aws:cloudtrail:${home}:${account}:trail/conformance`,
    homeRegion: home,
    bucket,
    key: `AWSLogs/${account}/CloudTrail/${home}/2026/01/02/file.json.gz`,
    body: Buffer.from('content'),
    contentType: 'application/json',
    contentEncoding: 'gzip',
    metadata: { signature: 'ab01', 'signature-algorithm': 'SHA256withRSA' },
  }
}

async function refused(put: Promise<void>, code: string): Promise<void> {
  await assert.rejects(put, (error) => {
    assert.ok(error instanceof DeliveryFailure, String(error))
    assert.equal(error.code, code)
    return true
  })
}
