import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { authorizationOf } from '../../src/authenticate/testing/s3-signer.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { describeObjectStore } from '../../src/objects/conformance.ts'
import { newObjectsFolder } from '../../src/objects/testing/folder.ts'
import { pattern, plain, read } from '../../src/objects/testing/pieces.ts'
import type { UpstreamOptions } from '../../src/objects/upstream/options.ts'
import { openUpstreamStore } from '../../src/objects/upstream/store.ts'
import { inline } from '../../src/objects/upstream/testing/open.ts'
import { CephCluster, cephMissing } from '../support/ceph.ts'

const missing = await cephMissing()
const skip = missing === undefined ? false : `NOT TESTED HERE: Ceph (${missing})`
const region = 'default'
const bucket = 'kagiban-bodies'

describe('bodies in Ceph', { skip }, () => {
  const ceph = new CephCluster()
  before(async () => {
    await ceph.start()
    console.log(ceph.version)
    assert.equal((await signed(ceph, 'PUT', `/${bucket}`)).status, 200)
  })
  after(() => ceph.stop())

  const options = (
    rest: Pick<UpstreamOptions, 'directory' | 'prefix' | 'node'> & Partial<UpstreamOptions>,
  ): UpstreamOptions => ({
    ...{ endpoint: ceph.endpoint, region, bucket, clock: systemClock, random: systemRandom },
    accessKeyId: ceph.bucketOwner.accessKeyId,
    secretAccessKey: Buffer.from(ceph.bucketOwner.secret),
    connect: inline,
    ...rest,
  })

  describeObjectStore('Ceph', async () => {
    const directory = newObjectsFolder()
    const prefix = `${randomBytes(6).toString('hex')}/`
    let count = 0
    return {
      open: () => {
        count += 1
        return openUpstreamStore(options({ directory, prefix, node: `node-${count}` }))
      },
      dispose: async () => rmSync(directory, { recursive: true }),
    }
  })

  test('keeps large bodies in parts, and lists and forgets what a former run left', async (context) => {
    const directory = newObjectsFolder(context)
    const prefix = 'large/'
    const store = await openUpstreamStore(options({ directory, prefix, node: 'main' }))
    await store.createBucket('b')
    const bytes = pattern(20_000_000)
    await store.put('b', 'k', plain(bytes))
    assert.ok((await read(store, 'b', 'k')).bytes.equals(bytes))
    const [run] = (await keys(ceph, prefix)).map((key) => key.split('/')[1] ?? '')
    // As a crash leaves them: a body without a row, and an upload that nobody completes.
    const orphan = `/${bucket}/${prefix}${run}/${'0'.repeat(32)}`
    assert.equal((await signed(ceph, 'PUT', orphan)).status, 200)
    assert.equal((await signed(ceph, 'POST', orphan, { uploads: '' })).status, 200)
    await store.close()
    const again = await openUpstreamStore(options({ directory, prefix, node: 'main' }))
    const uploads = async () =>
      (await signed(ceph, 'GET', `/${bucket}/`, { uploads: '' })).text.includes('<UploadId>')
    const left = async () => (await keys(ceph, prefix)).some((key) => orphan.endsWith(key))
    for (let tries = 0; ((await left()) || (await uploads())) && tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.equal(await left(), false)
    assert.equal(await uploads(), false)
    assert.ok((await read(again, 'b', 'k')).bytes.equals(bytes))
    await again.delete('b', 'k', { versioning: 'unversioned' })
    for (let tries = 0; (await keys(ceph, prefix)).length > 1 && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.deepEqual(await keys(ceph, prefix), ['large/kagiban-objects'])
    await again.close()
  })

  test('a gateway that is restarted costs what was under way, and nothing else', async (context) => {
    const directory = newObjectsFolder(context)
    const rest = { directory, prefix: 'restarted/', node: 'main' }
    const store = await openUpstreamStore(options(rest))
    await store.createBucket('b')
    await store.put('b', 'k', plain(pattern(300_000, 1)))
    await ceph.stopGateway()
    await assert.rejects(store.put('b', 'k', plain(pattern(300_000, 2))), { code: 'internal' })
    await assert.rejects(read(store, 'b', 'k'), { code: 'internal' })
    assert.equal(store.healthy, false)
    await ceph.startGateway()
    assert.ok((await read(store, 'b', 'k')).bytes.equals(pattern(300_000, 1)))
    await store.put('b', 'k', plain(pattern(300_000, 2)))
    assert.equal(store.healthy, true)
    assert.ok((await read(store, 'b', 'k')).bytes.equals(pattern(300_000, 2)))
    await store.close()
  })

  test('what Ceph refuses is said in one sentence', async (context) => {
    const directory = newObjectsFolder(context)
    const rest = { directory, prefix: 'refused/', node: 'main' }
    const refused: [Partial<UpstreamOptions>, RegExp][] = [
      [{ bucket: 'there-is-none' }, /: the bucket does not exist/],
      [{ accessKeyId: 'NOBODY' }, /: the access key is not known there/],
      [{ secretAccessKey: Buffer.from('guessed') }, /: the secret access key is not that of/],
    ]
    for (const [wrong, expected] of refused) {
      await assert.rejects(openUpstreamStore(options({ ...rest, ...wrong })), expected)
    }
  })
})

/** A request of the test's own, signed by other code than the store's. */
async function signed(
  ceph: CephCluster,
  method: string,
  path: string,
  query: Record<string, string> = {},
) {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const contentSha256 = 'UNSIGNED-PAYLOAD'
  const sent = { 'x-amz-content-sha256': contentSha256, 'x-amz-date': timestamp }
  const headers = { host: new URL(ceph.endpoint).host, ...sent }
  const { accessKeyId, secret } = ceph.bucketOwner
  const key = { accessKeyId, secret, region, service: 's3', timestamp }
  const authorization = authorizationOf({ method, path, query, headers, contentSha256 }, key)
  const url = new URL(path, ceph.endpoint)
  url.search = new URLSearchParams(query).toString()
  const response = await fetch(url, { method, headers: { ...sent, authorization } })
  return { status: response.status, text: await response.text() }
}

async function keys(ceph: CephCluster, prefix: string): Promise<string[]> {
  const { text } = await signed(ceph, 'GET', `/${bucket}/`, { 'list-type': '2', prefix })
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key ?? '').sort()
}
