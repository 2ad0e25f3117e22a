import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Canary, found, type Needle, needlesOf } from '../support/canary.ts'
import { createAccount, kagibanOk } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { type Answer, JsonClient } from '../support/json-client.ts'
import { provokeKeys } from '../support/key-canaries.ts'
import { groupMembers, hasProc, listenerOf } from '../support/processes.ts'
import { TestServer } from '../support/server.ts'

/**
 * Known plaintexts and data keys go through the service, by success and by every kind of failure; then they are looked
 * for wherever they must not be. The search itself is shown to work on the way.
 */
describe('no secret is left behind', () => {
  let server: TestServer
  let needles: Needle[]
  /** A text that must be found, or the search looks at the wrong place: an encryption context is recorded. */
  const marker = randomBytes(24).toString('hex')
  const visible: Needle = { name: 'the marker', bytes: Buffer.from(marker) }
  const answers: Buffer[] = []

  before(async () => {
    server = await TestServer.start({
      nodeOptions: '--heapsnapshot-signal=SIGUSR2',
      // Small files, because each is searched for a thousand patterns.
      segmentBytes: 256 * 1024,
    })
    const canaries = await provoke()
    const guest = await createAccount(server.data, '444455556666')
    canaries.push(
      { name: "the root user's secret", secret: Buffer.from(server.credentials.secretAccessKey) },
      { name: "another account's secret", secret: Buffer.from(guest.secretAccessKey) },
    )
    needles = canaries.flatMap(needlesOf)
  })
  after(() => server.discard())

  async function provoke(): Promise<Canary[]> {
    const client = new JsonClient(server.endpoint, server.credentials)
    const canaries: Canary[] = []
    const secret = (name: string, size = 48) => {
      const bytes = randomBytes(size)
      // A heap snapshot shows no more than the first 1024 characters of a string.
      canaries.push({ name, secret: bytes.subarray(0, 48) })
      return bytes.toString('base64')
    }
    const call = async (operation: string, input: object) =>
      present(await client.call(operation, input), `an answer to ${operation}`)
    const ok = async (operation: string, input: object) => {
      const answer = await call(operation, input)
      assert.equal(answer.status, 200, `${operation}: ${answer.error}`)
      return answer.body
    }
    const fail = async (operation: string, input: object, error: string) => {
      const answer = await call(operation, input)
      assert.equal(answer.error, error, `${operation}: ${JSON.stringify(answer.body)}`)
      answers.push(bodyOf(answer))
    }
    const EncryptionContext = { marker }
    const { KeyMetadata } = await ok('CreateKey', { Description: 'canary' })
    const { KeyId } = KeyMetadata as { KeyId: string }

    for (let round = 0; round < 20; round++) {
      const Plaintext = secret(`plaintext ${round}`)
      const { CiphertextBlob } = await ok('Encrypt', { Plaintext, KeyId, EncryptionContext })
      const decrypted = await ok('Decrypt', { CiphertextBlob, EncryptionContext })
      assert.equal(decrypted['Plaintext'], Plaintext)
      await ok('ReEncrypt', {
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: KeyId,
      })
      const dataKey = await ok('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext })
      canaries.push({
        name: `data key ${round}`,
        secret: Buffer.from(String(dataKey['Plaintext']), 'base64'),
      })
      const random = await ok('GenerateRandom', { NumberOfBytes: 32 })
      canaries.push({
        name: `random bytes ${round}`,
        secret: Buffer.from(String(random['Plaintext']), 'base64'),
      })
    }

    canaries.push(...(await provokeKeys(ok, KeyId)))

    const Plaintext = () => secret('refused plaintext')
    await fail('Encrypt', { Plaintext: Plaintext(), KeyId: 'nowhere' }, 'NotFoundException')
    await fail(
      'Encrypt',
      { Plaintext: Plaintext(), KeyId, DryRun: true },
      'DryRunOperationException',
    )
    await fail('Encrypt', { Plaintext: secret('long', 4097), KeyId }, 'ValidationException')
    await fail('Encrypt', { Plaintext: Plaintext(), KeyId: 5 }, 'SerializationException')
    await fail('Encrypt', { Plaintext: Plaintext() }, 'ValidationException')
    await fail('Encrypt', { Plaintext: `${Plaintext()}!`, KeyId }, 'SerializationException')
    await fail(
      'Encrypt',
      { Plaintext: Plaintext(), KeyId, EncryptionAlgorithm: 'ROT13' },
      'ValidationException',
    )
    await fail('Decrypt', { CiphertextBlob: Plaintext() }, 'InvalidCiphertextException')
    await fail('Encipher', { Plaintext: Plaintext(), KeyId }, 'UnknownOperationException')
    await fail('DescribeKey', { Plaintext: Plaintext(), KeyId: 'nowhere' }, 'NotFoundException')
    await ok('DisableKey', { KeyId })
    await fail('Encrypt', { Plaintext: Plaintext(), KeyId }, 'DisabledException')
    client.close()
    const impostor = new JsonClient(server.endpoint, {
      ...server.credentials,
      secretAccessKey: 'w'.repeat(40),
    })
    const denied = present(await impostor.call('Encrypt', { Plaintext: Plaintext(), KeyId }))
    assert.equal(denied.error, 'InvalidSignatureException')
    answers.push(bodyOf(denied))
    impostor.close()
    return canaries
  }

  test('in the answers to refused calls', () => {
    assert.ok(answers.length >= 12)
    assert.deepEqual(found(needles, Buffer.concat(answers)), [])
  })

  test('in the heap of the process that talks to the network', async (t) => {
    if (!hasProc) return t.skip('NOT TESTED HERE: the service process is found through /proc')
    const heap = await heapSnapshot(server)
    assert.ok(heap.includes('Pipeline'), 'this is the heap of the service')
    assert.deepEqual(found(needles, heap), [])
  })

  test('in the logs', () => {
    const log = Buffer.from(server.stdout + server.stderr)
    assert.ok(log.includes('127.0.0.1'), 'the log was captured')
    assert.deepEqual(found(needles, log), [])
  })

  test('in the audit record', async () => {
    const record = Buffer.from(await kagibanOk('audit', 'export', '--data', server.data))
    assert.deepEqual(found([visible], record), [visible.name])
    assert.deepEqual(found(needles, record), [])
  })

  test('in any file of the data folder, while it runs and when it is stopped', async () => {
    for (const state of ['running', 'stopped']) {
      if (state === 'stopped') await server.stop()
      let recorded = false
      const files = filesUnder(server.data)
      assert.ok(files.length >= 5, files.join(', '))
      for (const file of files) {
        const bytes = readFileSync(file)
        recorded ||= bytes.includes(visible.bytes)
        assert.deepEqual(found(needles, bytes), [], `${state}: ${file}`)
      }
      assert.ok(recorded, 'the record of these calls was among the files')
    }
  })
})

function bodyOf(answer: Answer): Buffer {
  return Buffer.from(JSON.stringify(answer.body))
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
}

/** Has the service write down its heap, in its working folder, and takes the file away. */
async function heapSnapshot(server: TestServer): Promise<Buffer> {
  const pids = groupMembers(server.pid).map(({ pid }) => pid)
  const service = present(listenerOf(Number(new URL(server.endpoint).port), pids), 'the listener')
  assert.ok(
    readFileSync(`/proc/${service}/environ`, 'utf8').includes('--heapsnapshot-signal=SIGUSR2'),
    'the service process takes NODE_OPTIONS',
  )
  const folder = `/proc/${service}/cwd`
  const snapshots = () => readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'))
  process.kill(service, 'SIGUSR2')
  let size = -1
  for (let i = 0; i < 600; i++) {
    await sleep(100)
    const [name] = snapshots()
    if (name === undefined) continue
    const path = join(folder, name)
    const now = existsSync(path) ? statSync(path).size : -1
    // The file is complete once it closes its outermost brace.
    if (now === size && readFileSync(path).subarray(-4).includes('}')) {
      const bytes = readFileSync(path)
      rmSync(path)
      return bytes
    }
    size = now
  }
  throw new Error('the service wrote no heap snapshot')
}
