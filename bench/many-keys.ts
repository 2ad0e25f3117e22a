import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Put, Row } from '../src/storage/port.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'
import { JsonClient } from '../tests/support/json-client.ts'
import { policyOf } from '../tests/support/policies.ts'
import { groupMembers, listenerOf, residentBytes } from '../tests/support/processes.ts'
import { TestServer } from '../tests/support/server.ts'
import { median } from './measure.ts'
import { measurePages, type PageTimes } from './pages.ts'

export type ManyKeys = {
  readonly keys: number
  /** Bytes that the keys' records add to the heap (and to what it holds outside), after a full collection. */
  readonly heapBytes: number
  readonly residentBytes: number
  /** From starting the process to `/health` answering 200; median of three starts. */
  readonly startMs: number
  readonly startMsEmpty: number
  /** Grants on one key, on top of all the keys. */
  readonly grants: number
  /** Pages of lists and calls on that key: with a page's worth of keys and grants, and with all of them. */
  readonly pagesOfFew: PageTimes
  readonly pagesOfMany: PageTimes
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
    const store = join(first.data, 'store', 'store.db')
    const empty = await measureStarts(first)
    await multiply(store, keyId, keys)
    const full = await measureStarts(first)
    const grants = Math.floor(keys / 2)
    await multiplyGrants(store, keyId, grants)
    const pagesOfMany = await pagesOf(first.data, first.credentials, keyId)
    return {
      keys,
      heapBytes: full.heapBytes - empty.heapBytes,
      residentBytes: full.residentBytes,
      startMs: full.startMs,
      startMsEmpty: empty.startMs,
      ...{ grants, pagesOfMany, pagesOfFew: await pagesOfFew() },
    }
  } finally {
    await first.discard()
  }
}

/** A page's worth of keys and grants, so that pages are of the same size. */
async function pagesOfFew(): Promise<PageTimes> {
  const few = await TestServer.start()
  try {
    const keyId = await createTemplate(few)
    await few.stop()
    const store = join(few.data, 'store', 'store.db')
    await multiply(store, keyId, 100)
    await multiplyGrants(store, keyId, 100)
    return await pagesOf(few.data, few.credentials, keyId)
  } finally {
    await few.discard()
  }
}

async function pagesOf(
  data: string,
  credentials: TestServer['credentials'],
  keyId: string,
): Promise<PageTimes> {
  const server = TestServer.over(data, credentials)
  await server.restart()
  try {
    return await measurePages(server, keyId)
  } finally {
    await server.stop()
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
  const principal = `arn:aws:iam::${server.account}:root`
  await ask('CreateGrant', {
    KeyId,
    GranteePrincipal: principal,
    RetiringPrincipal: principal,
    Operations: ['Decrypt', 'Encrypt'],
  })
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
    const isOfKey = row.id.includes(keyId) || row.body?.includes(keyId)
    if (isOfKey && row.kind !== 'grant') templates.push(row)
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

/** The grant of the template, many times over, each with an id of its own. */
async function multiplyGrants(file: string, keyId: string, grants: number): Promise<void> {
  const store = await openSqliteStore({ file })
  let template: Row | undefined
  await store.load((row) => {
    if (row.kind === 'grant' && row.body?.includes(keyId)) template = row
  })
  const grantId = /"grantId":"([0-9a-f]{64})"/.exec(template?.body ?? '')?.[1]
  if (template?.body == null || grantId === undefined) throw new Error('there is no grant')
  for (let done = 0; done < grants; done += batchSize) {
    const puts = Array.from({ length: Math.min(batchSize, grants - done) }, () => {
      const newId = randomBytes(32).toString('hex')
      const body = template?.body?.replaceAll(grantId, newId) ?? null
      return { kind: 'grant', id: newId, body, expected: 0 }
    })
    await store.commit({ puts, events: [] })
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
