import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { House, otherAccount } from '../../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'

test('a policy that takes long to match holds nobody up for long, however many objects it is asked about', async (t) => {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  const objects = 'arn:aws:s3:::mine/*'
  const common = { Principal: { AWS: otherAccount }, Action: 's3:*' }
  const heavy = Array.from({ length: 34 }, () => `${objects}${'a?'.repeat(260)}b*`)
  const Statement = [
    { ...common, Effect: 'Deny', Resource: heavy },
    { ...common, Effect: 'Allow', Resource: objects },
  ]
  const policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await s3Ok(house, 'PUT', '/mine', { query: { policy: '' }, body: policy })
  const remove = (count: number) => {
    const keys = Array.from({ length: count }, (_, at) => `${'a'.repeat(1000)}${at}`)
    const each = keys.map((key) => `<Object><Key>${key}</Key></Object>`)
    const body = `<Delete>${each.join('')}</Delete>`
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
    return s3Call(house, 'POST', '/mine', {
      ...{ query: { delete: '' }, body, headers, key: house.otherKey },
    })
  }
  const few = await remove(20)
  assert.equal(few.text.match(/<Deleted>/g)?.length, 20)
  const begun = performance.now()
  const many = await remove(1000)
  assert.deepEqual([many.status, many.error], [403, 'AccessDenied'])
  // It was seven seconds.
  assert.ok(performance.now() - begun < 4000)
})
