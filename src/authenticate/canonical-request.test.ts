import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalPath, canonicalQuery } from './canonical-request.ts'
import { accessKeyId, bench, refusal, withKey } from './testing/bench.ts'
import { sign } from './testing/signer.ts'

const signedWith = (...query: [name: string, value: string][]) =>
  sign({ method: 'GET', query }, withKey)

test('what is not the same is refused, whatever is signed', async () => {
  const { authenticator } = bench()
  const percent = signedWith(['a', '%'])
  assert.equal(percent.target, '/?a=%25')
  assert.equal((await authenticator.verify(percent)).accessKeyId, accessKeyId)
  const cases = [
    ['/?a=%', 'malformed percent-encoding'],
    ['/?%=a', 'malformed percent-encoding'],
    ['/?a=%2', 'malformed percent-encoding'],
    ['*', 'the request target is no absolute path'],
    ['?a=%25', 'the request target is no absolute path'],
    ['/Ā', 'characters that are no bytes'],
    ['/?a=Ā', 'characters that are no bytes'],
    ['/?a=b', 'signature'],
  ] as const
  for (const [target, detail] of cases) {
    const error = await refusal(authenticator, { ...percent, target })
    assert.deepEqual([error.code, error.detail], ['invalid-signature', detail], target)
  }
})

test('a parameter without a value, without a name, and none at all', async () => {
  const { authenticator } = bench()
  const accepted = async (request: ReturnType<typeof sign>, target: string) => {
    const verified = await authenticator.verify({ ...request, target })
    assert.equal(verified.accessKeyId, accessKeyId, target)
  }
  await accepted(signedWith(['a', '']), '/?a')
  await accepted(signedWith(['', 'x']), '/?=x')
  await accepted(signedWith(['a', 'b'], ['c', 'd']), '/?a=b&&c=d&')
  await accepted(signedWith(), '/?')
})

test('parameters ascend by name, then by value', () => {
  assert.equal(canonicalQuery('b=1&a=2&a=1&a=3&a=1'), 'a=1&a=1&a=2&a=3&b=1')
  assert.equal(canonicalQuery('a=3&a=2&a=1'), 'a=1&a=2&a=3')
})

test('every byte is written with two digits', () => {
  assert.equal(canonicalQuery('a=%0a%ff~'), 'a=%0A%FF~')
  assert.equal(canonicalPath('/\n', true), '/%0A')
})

test('the path is normalized unless told otherwise', async () => {
  const request = { ...sign({}, withKey), target: '/x/..//.' }
  assert.equal((await bench().authenticator.verify(request)).accessKeyId, accessKeyId)
  const asSent = bench({ normalizePath: false })
  assert.equal((await refusal(asSent.authenticator, request)).detail, 'signature')
})
