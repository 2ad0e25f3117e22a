import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Put, Row } from '../src/storage/port.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'
import { JsonClient } from '../tests/support/json-client.ts'
import { policyOf } from '../tests/support/policies.ts'
import { groupMembers, listenerOf, residentBytes } from '../tests/support/processes.ts'
import { TestServer } from '../tests/support/server.ts'
import { median } from './measure.ts'

export type ManyKeys = {
  readonly keys: number
  /** Bytes that the keys' records add to the heap (and to what it holds outside), after a full collection. */
  readonly heapBytes: number
  readonly residentBytes: number
  /** From starting the process to `/health` answering 200; median of three starts. */
  readonly startMs: number
  readonly startMsEmpty: number
}

const marker = 'template-of-many'

/**
 * What many keys cost. One key with a policy, a tag and an alias is made by its API; then its rows are put into the
 * store many times over, each with another id and a policy of its own, and the service is started over them.
 */
export async function measureManyKeys(keys: number): Promise<ManyKeys> {
  const first = await TestServer.start()
  try {
    const keyId = await createTemplate(first)
    await first.stop()
    const empty = await measureStarts(first)
    await multiply(join(first.data, 'store', 'store.db'), keyId, keys)
    const full = await measureStarts(first)
    return {
      keys,
      heapBytes: full.heapBytes - empty.heapBytes,
      residentBytes: full.residentBytes,
      startMs: full.startMs,
      startMsEmpty: empty.startMs,
    }
  } finally {
    await first.discard()
  }
}

async function createTemplate(server: TestServer): Promise<string> {
  const client = new JsonClient(server.endpoint, server.credentials)
  const ask = async (operation: string, input: object) => {
    const answer = await client.call(operation, input)
    if (answer?.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer?.body)}`)
    return answer.body
  }
  const created = await ask('CreateKey', {
    Description: 'one of many keys, for some purpose',
    Policy: policyOf(server.account, {
      Sid: marker,
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${server.account}:root` },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'],
      Resource: '*',
    }),
    Tags: [{ TagKey: 'team', TagValue: 'payments' }],
  })
  const { KeyId } = created['KeyMetadata'] as { KeyId: string }
  await ask('CreateAlias', { AliasName: `alias/of-${KeyId}`, TargetKeyId: KeyId })
  client.close()
  return KeyId
}

/** Rows a transaction: enough to be quick, few enough for one message. */
const batchSize = 2000

async function multiply(file: string, keyId: string, keys: number): Promise<void> {
  const store = await openSqliteStore({ file })
  const templates: Row[] = []
  await store.load((row) => {
    if (row.id.includes(keyId) || row.body?.includes(keyId)) templates.push(row)
  })
  if (templates.length < 2) throw new Error('a key and an alias were expected in the store')
  let puts: Put[] = []
  for (let n = 0; n < keys; n++) {
    const newId = randomUUID()
    for (const { kind, id, body } of templates) {
      const ownBody = body?.replaceAll(keyId, newId).replaceAll(marker, `${marker}-${n}`) ?? null
      puts.push({ kind, id: id.replaceAll(keyId, newId), body: ownBody, expected: 0 })
    }
    if (puts.length >= batchSize || n === keys - 1) {
      await store.commit({ puts, events: [] })
      puts = []
    }
  }
  await store.close()
}

type Start = {
  readonly startMs: number
  readonly heapBytes: number
  readonly residentBytes: number
}

async function measureStarts(server: TestServer): Promise<Start> {
  const times: number[] = []
  for (let n = 0; n < 3; n++) {
    const timed = TestServer.over(server.data, server.credentials)
    await timed.restart()
    times.push(timed.startMs)
    await timed.stop()
  }
  const running = TestServer.over(server.data, server.credentials)
  await running.restart()
  const pids = groupMembers(running.pid).map(({ pid }) => pid)
  const service = listenerOf(Number(new URL(running.endpoint).port), pids)
  if (service === undefined) throw new Error('no process listens')
  const resident = residentBytes(service)
  await running.stop()
  const heapBytes = heapOf(join(server.data, 'store', 'store.db'))
  return { startMs: median(times), heapBytes, residentBytes: resident }
}

function heapOf(store: string): number {
  const script = join(import.meta.dirname, 'heap-of-keys.ts')
  const output = execFileSync(process.execPath, ['--expose-gc', script, store], {
    encoding: 'utf8',
  })
  return (JSON.parse(output) as { bytes: number }).bytes
}
