import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sendCommand, socketName } from './operator/socket.ts'
import { account, EngineFolder, type Running } from './testing/engine-folder.ts'

const Plaintext = Buffer.from('plaintext').toString('base64')

async function ok(running: Running, operation: string, input: object) {
  const answer = await running.call(operation, input)
  assert.equal(answer.status, 200, `${operation}: ${JSON.stringify(answer.body)}`)
  return answer
}

async function newKey(running: Running): Promise<string> {
  const { body } = await ok(running, 'CreateKey', {})
  return (body['KeyMetadata'] as { KeyId: string }).KeyId
}

function policyFor(...actions: string[]): string {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: actions,
    Resource: '*',
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: statement })
}

/** What `JOURNAL_FAULT_BYTES` tells the thread stands in the environment that it is started with. */
async function withFault<T>(bytes: number, start: () => Promise<T>): Promise<T> {
  process.env['JOURNAL_FAULT_BYTES'] = String(bytes)
  try {
    return await start()
  } finally {
    delete process.env['JOURNAL_FAULT_BYTES']
  }
}

test('a journal whose disk fails withholds every answer, and loses nothing that was acknowledged', async (t) => {
  const folder = new EngineFolder(t)
  const journalThread = new URL('./journal/testing/faulty-worker.ts', import.meta.url)
  const faulty = await withFault(20_000, () => folder.start({}, { journalThread }))
  assert.deepEqual(await faulty.health(), { status: 200, body: '{"status":"ok"}', requestId: '' })

  const acknowledged: { KeyId: string; CiphertextBlob: unknown }[] = []
  const requestIds: string[] = []
  for (let index = 0; index < 5; index += 1) {
    const KeyId = await newKey(faulty)
    const alias = { AliasName: `alias/${index}`, TargetKeyId: KeyId }
    requestIds.push((await ok(faulty, 'CreateAlias', alias)).requestId)
    const encrypted = await ok(faulty, 'Encrypt', { KeyId, Plaintext })
    requestIds.push(encrypted.requestId)
    acknowledged.push({ KeyId, CiphertextBlob: encrypted.body['CiphertextBlob'] })
  }
  const [first] = acknowledged
  assert.ok(first !== undefined)

  // Its record is too large for the disk that fails; the change is committed by then.
  const Policy = policyFor('kms:*', ...Array.from({ length: 1500 }, (_, n) => `kms:Action${n}`))
  const withheld = await faulty.call('PutKeyPolicy', { KeyId: first.KeyId, Policy })
  const decrypted = await faulty.call('Decrypt', { CiphertextBlob: first.CiphertextBlob })
  for (const answer of [withheld, decrypted, await faulty.call('ListKeys', {})]) {
    assert.equal(answer.status, 500)
    assert.deepEqual(answer.body, { __type: 'KMSInternalException' })
  }
  const stranger = { accessKeyId: 'AKIASTRANGERSTRANGER', secretAccessKey: 'unknown' }
  assert.equal((await faulty.call('ListKeys', {}, stranger)).error, 'InternalFailure')
  const { status, body } = await faulty.health()
  assert.deepEqual([status, body], [503, '{"status":"failed","failed":["journal"]}'])
  assert.ok(faulty.logged.some((line) => line.includes('EIO: i/o error, write')))
  await faulty.stop()

  const again = await folder.start()
  assert.equal((await again.health()).status, 200)
  for (const [index, { KeyId, CiphertextBlob }] of acknowledged.entries()) {
    const opened = await ok(again, 'Decrypt', { CiphertextBlob, KeyId: `alias/${index}` })
    assert.equal(opened.body['Plaintext'], Plaintext)
    await ok(again, 'DescribeKey', { KeyId })
  }
  await again.stop()
  const events = folder.events()
  const recorded = events.map((event) => event.requestID)
  for (const requestId of requestIds) {
    assert.equal(recorded.filter((id) => id === requestId).length, 1)
  }
  const late = events.filter((event) => event.requestID === withheld.requestId)
  assert.equal(late.length, 1, 'what was committed is recorded at the next start')
  assert.equal(late[0]?.eventName, 'PutKeyPolicy')
  assert.ok(!recorded.includes(decrypted.requestId))
})

describe('two engines over one data folder', () => {
  test('each change that one acknowledges binds the very next request to the other', async (t) => {
    const folder = new EngineFolder(t)
    const one = await folder.start({ node: 'one' })
    const KeyId = await newKey(one)
    const two = await folder.start({ node: 'two' })
    await ok(two, 'Encrypt', { KeyId, Plaintext })
    const pairs = [
      [one, two],
      [two, one],
    ] as const
    for (let round = 0; round < 6; round += 1) {
      for (const [writer, reader] of pairs) {
        const withheld = policyFor('kms:PutKeyPolicy', 'kms:EnableKey', 'kms:DisableKey')
        await ok(writer, 'PutKeyPolicy', { KeyId, Policy: withheld })
        const denied = await reader.call('Encrypt', { KeyId, Plaintext })
        assert.equal(denied.error, 'AccessDeniedException')
        await ok(writer, 'PutKeyPolicy', { KeyId, Policy: policyFor('kms:*') })
        await ok(reader, 'Encrypt', { KeyId, Plaintext })
        await ok(writer, 'DisableKey', { KeyId })
        const disabled = await reader.call('Encrypt', { KeyId, Plaintext })
        assert.equal(disabled.error, 'DisabledException')
        await ok(writer, 'EnableKey', { KeyId })
        await ok(reader, 'Encrypt', { KeyId, Plaintext })
      }
    }
    const created = await newKey(two)
    await ok(one, 'Encrypt', { KeyId: created, Plaintext })
  })

  test('changes to one key through both lose nothing', async (t) => {
    const folder = new EngineFolder(t)
    const one = await folder.start({ node: 'one' })
    const two = await folder.start({ node: 'two' })
    const KeyId = await newKey(one)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const Tags = [{ TagKey: `k${String(index).padStart(2, '0')}`, TagValue: 'v' }]
        return (index % 2 === 0 ? one : two).call('TagResource', { KeyId, Tags })
      }),
    )
    // Both try again a few times; what was not acknowledged for that reason need not be there.
    const done = answers.filter(({ status }) => status === 200).length
    assert.ok(done >= 10, `only ${done} of 20 were acknowledged`)
    const { body } = await ok(one, 'ListResourceTags', { KeyId })
    assert.equal((body['Tags'] as unknown[]).length, done)
  })

  test('an account made through one can sign at the other at once', async (t) => {
    const folder = new EngineFolder(t)
    const one = await folder.start({ node: 'one' })
    const two = await folder.start({ node: 'two' })
    const socket = join(folder.path, 'run', socketName('one'))
    const key = await sendCommand(socket, 'account-create', { account: '444455556666' }, () => {})
    const { status } = await two.call('ListKeys', {}, key as never)
    assert.equal(status, 200)
    assert.equal((await one.call('ListKeys', {}, key as never)).status, 200)
    const other = join(folder.path, 'run', socketName('two'))
    await assert.rejects(
      sendCommand(other, 'account-create', { account: '444455556666' }, () => {}),
      { name: 'OperatorError', message: 'Account 444455556666 exists already.' },
    )
  })

  test('each event stands in one journal, once, however they start and stop', async (t) => {
    const folder = new EngineFolder(t)
    const one = await folder.start({ node: 'one' })
    const answers: string[] = []
    let writing = true
    const writer = (async () => {
      while (writing) {
        answers.push((await ok(one, 'CreateKey', {})).requestId)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    for (let start = 0; start < 3; start += 1) {
      const two = await folder.start({ node: 'two' })
      answers.push((await ok(two, 'CreateKey', {})).requestId)
      await two.stop()
    }
    writing = false
    await writer
    await one.stop()
    const recorded = folder.events().flatMap((event) => event.requestID ?? [])
    assert.deepEqual(recorded.toSorted(), answers.toSorted())
  })

  test('the same name twice is refused', async (t) => {
    const folder = new EngineFolder(t)
    await folder.start()
    await assert.rejects(folder.start(), { name: 'JournalInUse' })
  })
})
