import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { internalError, ServiceError } from './base/errors.ts'
import type { Hsm } from './hsm/port.ts'
import { StoreConflict } from './storage/port.ts'
import { type Answer, House, region, turns } from './testing/house.ts'
import { query } from './testing/query-calls.ts'

const plaintext = Buffer.from('the plaintext that must not leave')
const base64 = plaintext.toString('base64')

/** What a caller sees of any failure of ours: its name, and nothing else. */
function assertInternal(answer: Answer): void {
  assert.equal(answer.status, 500)
  assert.equal(answer.reply.body.toString('latin1'), '{"__type":"KMSInternalException"}')
}

async function houseWithKey(t: TestContext) {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext: base64 })
  return { house, KeyId, CiphertextBlob }
}

describe('nothing is answered before its record is on disk', () => {
  type Prepared = { readonly blob: unknown; readonly foreignKey: string }
  const outcomes: readonly [string, number, string, (prepared: Prepared) => object][] = [
    ['a success', 200, 'Decrypt', ({ blob }) => ({ CiphertextBlob: blob })],
    ['a denial', 400, 'Encrypt', ({ foreignKey }) => ({ KeyId: foreignKey, Plaintext: base64 })],
    ['a failure', 400, 'DescribeKey', () => ({ KeyId: 'no-such-key' })],
    ['a refused input', 400, 'GenerateRandom', () => ({ NumberOfBytes: 0 })],
  ]
  const prepare = async (t: TestContext) => {
    const { house, CiphertextBlob } = await houseWithKey(t)
    const foreign = await house.newKey({}, { key: house.otherKey })
    const foreignKey = `arn:aws:kms:us-east-1:444455556666:key/${foreign}`
    house.journal.hold()
    return { house, prepared: { blob: CiphertextBlob, foreignKey } }
  }
  for (const [name, status, operation, inputOf] of outcomes) {
    test(name, async (t) => {
      const { house, prepared } = await prepare(t)
      let answered = false
      const sent = house.call(operation, inputOf(prepared)).finally(() => {
        answered = true
      })
      await turns(50)
      assert.equal(answered, false, 'it was answered before its record was on disk')
      assert.equal(house.journal.waiting.length, 1)
      house.journal.release()
      const answer = await sent
      assert.equal(answer.status, status)
      assert.equal(house.journal.events.at(-1)?.requestID, answer.requestId)
      await house.pipeline.idle()
    })

    test(`${name}, when the record cannot be written`, async (t) => {
      const { house, prepared } = await prepare(t)
      const sent = house.call(operation, inputOf(prepared))
      await turns(50)
      house.journal.break('the disk is full of secrets')
      assertInternal(await sent)
      assertInternal(await house.call(operation, inputOf(prepared)))
      assert.ok(house.logged.some((line) => line.includes('the disk is full of secrets')))
    })
  }

  test('a change, which is committed and then withheld when its record cannot be written', async (t) => {
    const house = await House.open(t)
    house.journal.hold()
    const sent = house.call('CreateKey', {})
    await turns(50)
    house.journal.break('EIO')
    const answer = await sent
    assertInternal(answer)
    const [event] = await house.store.outbox()
    assert.equal(JSON.parse(event?.record ?? '{}').requestID, answer.requestId)
    assert.equal((await house.store.outbox()).length, 2, 'the event, and the item of the key')
  })
})

describe('a commit', () => {
  test('that fails withholds the result, and changes nothing that a request sees', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    house.faults.commit = () => {
      throw internalError('the store failed: /secret/path/store.db')
    }
    const answer = await house.call('DisableKey', { KeyId })
    assertInternal(answer)
    const [recorded, ...more] = house.recordsOf(answer)
    assert.equal(recorded?.errorCode, 'KMSInternalException')
    assert.equal(recorded?.errorMessage, undefined)
    assert.deepEqual(more, [])
    assert.ok(!house.journal.records.some((record) => record.includes('/secret/path')))
    assert.ok(house.logged.some((line) => line.includes('/secret/path/store.db')))
    house.faults.commit = () => {}
    const { KeyMetadata } = await house.ok('DescribeKey', { KeyId })
    assert.equal((KeyMetadata as { KeyState: string }).KeyState, 'Enabled')
  })

  test('that cannot be settled is answered as what it is: done and recorded', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    house.faults.settle = () => {
      throw internalError('the store failed')
    }
    const answer = await house.call('DisableKey', { KeyId })
    assert.equal(answer.status, 200)
    assert.equal(house.recordsOf(answer)[0]?.errorCode, undefined)
  })
})

describe('a conflict', () => {
  test('is decided anew with what is there now, authorization too', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    const first = house.state.key(region, KeyId)
    assert.ok(first !== undefined)
    // The policy changes between the decision and the commit, as another process would do it.
    house.faults.commit = async () => {
      house.faults.commit = () => {}
      const policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::444455556666:root' },
          Action: 'kms:*',
          Resource: '*',
        },
      })
      const put = house.state.keys.put(`us-east-1/${KeyId}`, { ...first, policy })
      await house.mirror.commit([put], [])
    }
    const answer = await house.call('DisableKey', { KeyId })
    assert.equal(answer.error, 'AccessDeniedException')
    assert.equal(house.recordsOf(answer)[0]?.errorCode, 'AccessDenied')
    assert.equal(house.recordsOf(answer).length, 1)
    assert.equal(house.state.keys.get(`us-east-1/${KeyId}`)?.state, 'Enabled')
  })

  test('with a key that is gone is answered as such, and the record names no resource', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    house.faults.commit = async () => {
      house.faults.commit = () => {}
      await house.mirror.commit([house.state.keys.remove(`us-east-1/${KeyId}`)], [])
    }
    const answer = await house.call('DisableKey', { KeyId })
    assert.equal(answer.error, 'NotFoundException')
    const [recorded] = house.recordsOf(answer)
    assert.equal(recorded?.errorCode, 'NotFoundException')
    assert.equal(recorded?.resources, undefined)
  })

  test('is decided anew eight times and no more', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    let commits = 0
    house.faults.commit = () => {
      commits += 1
      throw new StoreConflict('somebody was faster')
    }
    const answer = await house.call('DisableKey', { KeyId })
    assertInternal(answer)
    assert.equal(commits, 8)
    assert.equal(house.recordsOf(answer).length, 1)
    commits = 0
    house.faults.commit = () => {
      commits += 1
      if (commits < 8) throw new StoreConflict('somebody was faster')
    }
    assert.equal((await house.call('DisableKey', { KeyId })).status, 200)
    assert.equal(commits, 8)
  })

  test('of IAM is answered as IAM does when others were faster too often', async (t) => {
    const house = await House.open(t)
    const create = () => query(house, 'iam', 'CreateUser', { UserName: 'mona' })
    house.faults.commit = () => {
      throw new StoreConflict('somebody was faster')
    }
    const answer = await create()
    assert.deepEqual([answer.status, answer.code], [409, 'ConcurrentModification'])
    assert.match(answer.text ?? '', /^The request was rejected because multiple requests to change/)
    const events = house.recordsOf(answer)
    assert.deepEqual(
      events.map(({ errorCode }) => errorCode),
      ['ConcurrentModification'],
    )
    house.faults.commit = () => {}
    assert.equal((await create()).status, 200)
  })

  test('of changes to one key in one turn loses none of them', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    const tags = Array.from({ length: 6 }, (_, index) => ({ TagKey: `k${index}`, TagValue: 'v' }))
    const answers = await Promise.all([
      ...tags.map((tag) => house.call('TagResource', { KeyId, Tags: [tag] })),
      house.call('UpdateKeyDescription', { KeyId, Description: 'described' }),
      house.call('DisableKey', { KeyId }),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    const { Tags } = await house.ok('ListResourceTags', { KeyId })
    assert.deepEqual(Tags, tags)
    const { KeyMetadata } = await house.ok('DescribeKey', { KeyId })
    const { Description, KeyState } = KeyMetadata as Record<string, string>
    assert.deepEqual([Description, KeyState], ['described', 'Disabled'])
    for (const answer of answers) assert.equal(house.recordsOf(answer).length, 1)
  })
})

describe('turns', () => {
  test('more calls than one turn takes are all answered, each by its own answer', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    const count = 700
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        index % 2 === 0
          ? house.call('DescribeKey', { KeyId })
          : house.call('DescribeKey', { KeyId: `no-${index}` }),
      ),
    )
    answers.forEach((answer, index) => {
      assert.equal(answer.error, index % 2 === 0 ? undefined : 'NotFoundException')
      if (index % 2 === 1) assert.equal(answer.message, `Invalid keyId 'no-${index}'`)
    })
    assert.equal(new Set(answers.map(({ requestId }) => requestId)).size, count)
    const recorded = house.journal.events.map(({ requestID }) => requestID)
    for (const { requestId } of answers) {
      assert.equal(recorded.filter((id) => id === requestId).length, 1)
    }
  })

  test('a call whose signing key must be derived waits for it, and others do not', async (t) => {
    const derivation = Promise.withResolvers<void>()
    const slow = (real: Hsm): Hsm =>
      new Proxy(real, {
        get(target, name) {
          if (name !== 'signingKey') return bound(target, name)
          return async (scope: Parameters<Hsm['signingKey']>[0]) => {
            if (scope.accessKeyId === house.otherKey.accessKeyId) await derivation.promise
            return target.signingKey(scope)
          }
        },
      })
    const house = await House.open(t, { hsm: slow })
    const late = house.call('GenerateRandom', { NumberOfBytes: 8 }, { key: house.otherKey })
    assert.equal((await house.call('GenerateRandom', { NumberOfBytes: 8 })).status, 200)
    await turns()
    assert.equal(house.journal.size, 1)
    derivation.resolve()
    const answer = await late
    assert.equal(answer.status, 200)
    assert.equal(house.recordsOf(answer).length, 1)
  })

  test('a key core that cannot derive it fails the call, which nobody has signed for then', async (t) => {
    let away = true
    const failing = (real: Hsm): Hsm =>
      new Proxy(real, {
        get: (target, name) =>
          name === 'signingKey' && away
            ? () => Promise.reject(new ServiceError('unavailable'))
            : bound(target, name),
      })
    const house = await House.open(t, { hsm: failing })
    const answer = await house.call('GenerateRandom', { NumberOfBytes: 8 })
    assert.deepEqual([answer.status, answer.error], [503, 'ServiceUnavailable'])
    assert.equal(house.journal.size, 0)
    away = false
    assert.equal((await house.call('GenerateRandom', { NumberOfBytes: 8 })).status, 200)
  })

  test('idle waits for every answer, those in later turns too', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    await house.pipeline.idle()
    house.journal.hold()
    let answered = 0
    for (let index = 0; index < 300; index += 1) {
      house.pipeline.accept(house.request('DescribeKey', { KeyId }), () => {
        answered += 1
      })
    }
    let idle = false
    const waited = house.pipeline.idle().then(() => {
      idle = true
    })
    await turns(30)
    assert.deepEqual([idle, answered], [false, 0])
    house.journal.release()
    await waited
    assert.equal(answered, 300)
  })

  test('a store that cannot be read fails every call of the turn and none of the next', async (t) => {
    const { house, KeyId } = await houseWithKey(t)
    house.faults.changesSince = () => {
      throw internalError('the store failed: /secret/path/store.db')
    }
    // Something that another process committed, so that there is something to read.
    house.shared.revision += 1
    const answers = await Promise.all([
      house.call('DescribeKey', { KeyId }),
      house.call('Encrypt', { KeyId, Plaintext: base64 }),
    ])
    for (const { status, error, reply } of answers) {
      assert.deepEqual([status, error], [500, 'InternalFailure'])
      assert.doesNotMatch(reply.body.toString(), /secret/)
    }
    await house.pipeline.idle()
    house.faults.changesSince = () => {}
    assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
  })
})

describe('secrets', () => {
  test('plaintexts and data keys are zero once the call was answered', async (t) => {
    const seen: Buffer[] = []
    const watched = (real: Hsm): Hsm =>
      new Proxy(real, {
        get(target, name) {
          if (name === 'encrypt') {
            return (material: never, given: Buffer, context: never) => {
              seen.push(given)
              return target.encrypt(material, given, context)
            }
          }
          if (name === 'decrypt' || name === 'random') {
            const call = bound(target, name) as (...values: unknown[]) => Promise<Buffer>
            return async (...values: unknown[]) => {
              const given = await call(...values)
              seen.push(given)
              return given
            }
          }
          if (name !== 'generateDataKey') return bound(target, name)
          return async (...values: Parameters<Hsm['generateDataKey']>) => {
            const pair = await target.generateDataKey(...values)
            seen.push(pair.plaintext)
            return pair
          }
        },
      })
    const house = await House.open(t, { hsm: watched })
    const KeyId = await house.newKey()
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext: base64 })
    const decrypted = await house.ok('Decrypt', { CiphertextBlob })
    assert.equal(decrypted['Plaintext'], base64)
    await house.ok('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
    await house.ok('GenerateRandom', { NumberOfBytes: 32 })
    // Withheld, too: the record cannot be written.
    house.journal.hold()
    const withheld = house.call('Decrypt', { CiphertextBlob })
    await turns(50)
    house.journal.break('EIO')
    assertInternal(await withheld)
    assert.deepEqual(
      seen.map(({ length }) => length),
      [plaintext.length, plaintext.length, 32, 32, plaintext.length],
    )
    for (const bytes of seen) assert.ok(bytes.every((byte) => byte === 0))
  })

  test('an answer with a secret is bytes, which whoever sends it can wipe', async (t) => {
    const { house, CiphertextBlob } = await houseWithKey(t)
    const { reply } = await house.call('Decrypt', { CiphertextBlob })
    assert.ok(reply.body instanceof Buffer)
  })
})

test('a failure that nobody foresaw is logged with its place and told to nobody', async (t) => {
  const broken = (real: Hsm): Hsm =>
    new Proxy(real, {
      get(target, name) {
        if (name !== 'encrypt') return bound(target, name)
        return () => Promise.reject(new TypeError('undefined is not a key: SECRET'))
      },
    })
  const house = await House.open(t, { hsm: broken })
  const KeyId = await house.newKey()
  const answer = await house.call('Encrypt', { KeyId, Plaintext: base64 })
  assertInternal(answer)
  const [line = '', ...more] = house.logged
  assert.match(line, /^internal failure: unexpected failure: TypeError: undefined is not a key/)
  assert.match(line, /pipeline\.test\.ts/)
  assert.deepEqual(more, [])
  const [recorded] = house.recordsOf(answer)
  assert.equal(recorded?.errorCode, 'KMSInternalException')
  assert.doesNotMatch(house.journal.records.join(), /SECRET/)
  for (const text of [...answer.reply.headers, answer.reply.body.toString()]) {
    assert.doesNotMatch(text, /SECRET|TypeError/)
  }
})

function bound(target: Hsm, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}
