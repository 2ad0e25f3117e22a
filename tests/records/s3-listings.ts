import type { TestContext } from 'node:test'
import { account, region } from '../../src/testing/house.ts'
import { Stage } from './stage.ts'

/** Every listing of objects. */
export async function s3ListingsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 's3')
  const { mirror, tables, objects } = stage.house
  const storeId = 'ledger-store'
  const bucket = { name: 'ledger', account, region, createdAt: 0, storeId }
  await mirror.commit([tables.s3.add(bucket)], [])
  await objects.createBucket(storeId)
  const query = { prefix: 'in/', delimiter: '/', 'max-keys': '10', 'encoding-type': 'url' }
  await stage.s3('ListObjects', 'GET', '/ledger', { query: { ...query, marker: 'in/1' } })
  await stage.s3('ListObjects', 'GET', '/none', {
    ...{ note: 'no bucket', error: 'NoSuchBucket', denied: false },
  })
  await stage.s3('ListObjectsV2', 'GET', '/ledger', {
    query: { 'list-type': '2', ...query, 'start-after': 'in/1', 'fetch-owner': 'true' },
  })
  await stage.s3('ListObjectsV2', 'GET', '/ledger', {
    query: { 'list-type': '2', 'max-keys': 'x' },
    ...{ note: 'refused', error: 'InvalidArgument', denied: false },
  })
  await stage.s3('ListObjectVersions', 'GET', '/ledger', {
    query: { versions: '', ...query, 'key-marker': 'in/1', 'version-id-marker': 'v' },
  })
  return stage
}
