import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { JournalEngine } from '../engine.ts'
import { nodeFiles } from '../node-files.ts'
import type { KeyUse } from '../port.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../testing/fixtures.ts'
import { eventAttributes } from './attributes.ts'
import { LookupIndex } from './lookup-index.ts'
import { membersOf } from './record-members.ts'

const account = '111122223333'
const start = Date.UTC(2026, 0, 1)
const keyArn = (name: string) => `arn:aws:kms:us-east-1:${account}:key/${name}`
const alice = {
  ...{ type: 'IAMUser', arn: `arn:aws:iam::${account}:user/alice`, accountId: account },
  userName: 'alice',
}
const session = (name: string) => ({
  type: 'AssumedRole',
  arn: `arn:aws:sts::${account}:assumed-role/app/${name}`,
  accountId: account,
  principalId: `AROAX:${name}`,
  sessionContext: { sessionIssuer: { arn: `arn:aws:iam::${account}:role/app` } },
})
const foreign = { type: 'AWSAccount', principalId: 'AIDAX', accountId: '444455556666' }

type Used = {
  readonly second?: number
  readonly name?: string
  readonly identity?: object
  readonly keys?: readonly string[]
  readonly error?: string
  readonly id?: string
  readonly account?: string
  readonly category?: string
}

function event(used: Used): string {
  const { second = 0, name = 'Decrypt', identity = alice, keys = ['one'] } = used
  return JSON.stringify({
    userIdentity: identity,
    eventTime: new Date(start + second * 1000).toISOString().replace('.000Z', 'Z'),
    eventSource: 'kms.amazonaws.com',
    eventName: name,
    awsRegion: 'us-east-1',
    errorCode: used.error,
    requestParameters: { note: 'a "quoted" \\ {text}' },
    requestID: 'r',
    eventID: used.id ?? randomUUID(),
    readOnly: true,
    resources: keys.map((key) => ({ type: 'AWS::KMS::Key', ARN: keyArn(key) })),
    recipientAccountId: used.account ?? account,
    eventCategory: used.category ?? 'Management',
  })
}

function setUp(context: TestContext) {
  const data = temporaryDirectory(context)
  const journals = join(data, 'journal')
  const file = join(data, 'index.db')
  const journal = (node: string) => {
    const engine = new JournalEngine(nodeFiles, {
      directory: join(journals, node),
      newOrigin: `kagiban/${node}/${randomUUID()}`,
      publicKey,
      segmentBytes: 16 * 1024,
    })
    context.after(() => engine.close())
    return engine
  }
  const open = () => {
    const days = { retentionDays: 90, shownDays: 90 }
    const clock = { now: () => start + 400 * 86_400_000 }
    return new LookupIndex({ journals, file, ...days, clock, files: nodeFiles })
  }
  return { journal, file, open }
}

/** All of them, in pages of three. */
function usesIn(index: LookupIndex, of: { account?: string; key?: string } = {}): KeyUse[] {
  const found: KeyUse[] = []
  for (;;) {
    const query = { ...of, limit: 3, after: found.at(-1) }
    const page = index.answer({ kind: 'uses', query }) as readonly KeyUse[]
    found.push(...page)
    if (page.length < 3) return found
  }
}

test('uses are counted by key, account, operation, principal and outcome', (context) => {
  const { journal, open } = setUp(context)
  appendBatch(journal('main'), [
    event({ second: 5, id: 'b' }),
    event({ second: 3, id: 'a' }),
    event({ second: 5, id: 'c' }),
    event({ second: 4, error: 'DisabledException', id: 'd' }),
    event({ second: 6, name: 'ReEncrypt', keys: ['one', 'two'], identity: session('s1'), id: 'e' }),
    event({ second: 7, name: 'ReEncrypt', keys: ['two', 'one'], identity: session('s2'), id: 'f' }),
    event({ second: 8, identity: foreign, id: 'g' }),
    event({ second: 8, account: '444455556666', error: 'AccessDenied', id: 'h' }),
    event({ second: 9, category: 'Data', id: 'i' }),
    event({ second: 9, keys: [], id: 'j' }),
  ])
  const index = open()
  context.after(() => index.close())
  const short = (use: KeyUse) => [
    use.key.split('/')[1],
    use.account,
    use.name,
    use.principal.split(':').at(-1),
    use.error,
    use.count,
    (use.first - start) / 1000,
    use.firstEvent,
    (use.last - start) / 1000,
    use.lastEvent,
    use.lastArn.split('/').at(-1),
  ]
  const one = [
    ['one', account, 'Decrypt', '444455556666/AIDAX', '', 1, 8, 'g', 8, 'g', 'AIDAX'],
    ['one', account, 'Decrypt', 'user/alice', '', 3, 3, 'a', 5, 'c', 'alice'],
    ['one', account, 'Decrypt', 'user/alice', 'DisabledException', 1, 4, 'd', 4, 'd', 'alice'],
    ['one', account, 'ReEncrypt', 'role/app', '', 2, 6, 'e', 7, 'f', 's2'],
    ['one', '444455556666', 'Decrypt', 'user/alice', 'AccessDenied', 1, 8, 'h', 8, 'h', 'alice'],
  ]
  const two = ['two', account, 'ReEncrypt', 'role/app', '', 2, 6, 'e', 7, 'f', 's2']
  assert.deepEqual(usesIn(index).map(short), [...one, two])
  assert.deepEqual(usesIn(index, { key: keyArn('one') }).map(short), one)
  assert.deepEqual(usesIn(index, { key: keyArn('one'), account }).map(short), one.slice(0, 4))
  assert.deepEqual(usesIn(index, { account: '444455556666' }).map(short), one.slice(4))
  assert.deepEqual(usesIn(index, { key: keyArn('none') }), [])
})

test('counts are the same over ends in the middle, new starts, other orders and a new index', (context) => {
  const { journal, file, open } = setUp(context)
  const [first, second] = [journal('one'), journal('two')]
  const expected = new Map<string, number>()
  let index = open()
  for (let turn = 0; turn < 40; turn += 1) {
    const keys = [`k${turn % 3}`, ...(turn % 5 === 0 ? ['k9'] : [])]
    for (const key of keys) expected.set(key, (expected.get(key) ?? 0) + 2)
    const used = { keys, second: turn % 7, identity: session(`s${turn}`) }
    appendBatch(first, [event(used)])
    appendBatch(second, [event(used)])
    if (turn % 4 === 0) index.work(0)
    // As after a kill: nothing is closed, what was under way is lost.
    if (turn % 6 === 0) index = open()
  }
  const counted = usesIn(index)
  const counts = new Map<string, number>()
  for (const { key, count } of counted) {
    const name = key.split('/')[1] ?? ''
    counts.set(name, (counts.get(name) ?? 0) + count)
  }
  assert.deepEqual(new Map([...counts].sort()), new Map([...expected].sort()))
  index.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  index = open()
  assert.deepEqual(usesIn(index), counted)
  index.close()
})

test('what came to nothing is not counted twice', (context) => {
  const { journal, file, open } = setUp(context)
  appendBatch(journal('main'), [event({ id: 'a' })])
  const index = open()
  context.after(() => index.close())
  const other = new DatabaseSync(file)
  other.exec(
    "CREATE TRIGGER full BEFORE INSERT ON key_use BEGIN SELECT RAISE(ABORT, 'no space'); END",
  )
  for (let turn = 0; turn < 3; turn += 1) assert.throws(() => index.work(5), /no space/)
  other.exec('DROP TRIGGER full')
  other.close()
  for (let turn = 0; turn < 2; turn += 1) {
    assert.deepEqual(
      usesIn(index).map(({ count }) => count),
      [1],
    )
  }
})

test('members are found as a parser finds them', () => {
  const names = new Set(['a', 'b', 'userIdentity'])
  const name = fc.oneof(fc.constantFrom('a', 'b', 'userIdentity', 'x":', '"'), fc.string())
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue()), (value) => {
      const record = JSON.stringify(value)
      const found = membersOf(record, names)
      if (Object.keys(value).length === 0) return assert.equal(found, undefined)
      const wanted = Object.entries(JSON.parse(record)).filter(([each]) => names.has(each))
      const parsed = [...(found ?? [])].map(([each, text]) => [each, JSON.parse(text)])
      assert.deepEqual(Object.fromEntries(parsed), Object.fromEntries(wanted))
      return undefined
    }),
    { numRuns: 2000 },
  )
  for (const text of [
    '',
    '{',
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":"x',
    '[1]',
  ]) {
    assert.equal(membersOf(text, names), undefined, text)
  }
})

test('any prefix of a record is no event, and any text does no harm', () => {
  const record = event({})
  assert.ok(eventAttributes(record) !== undefined)
  for (let end = 0; end < record.length; end += 1) {
    assert.equal(eventAttributes(record.slice(0, end)), undefined, String(end))
  }
  fc.assert(fc.property(fc.string(), (text) => eventAttributes(text) === undefined))
})
