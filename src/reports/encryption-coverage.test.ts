import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OperatorError } from '../operator/socket.ts'
import {
  type BucketFacts,
  followsRule,
  type UploadFacts,
  type VersionFacts,
} from './bucket-facts.ts'
import { type CoverageSources, encryptionCoverage } from './encryption-coverage.ts'
import { RuleChanges, sinceOfItems } from './encryption-rules.ts'
import { readOptions } from './report-options.ts'
import type { Event } from './sources.ts'

const account = '111122223333'
const elsewhere = '999988887777'
const now = Date.UTC(2026, 5, 1)
const day = 86_400_000
const key = (id: string, of = account) => `arn:aws:kms:us-east-1:${of}:key/${id}`
const ledger = key('ledger')

type Encryption = VersionFacts['encryption']
const sseS3: Encryption = { mode: 'AES256', key: undefined, bucketKey: false, byDefault: true }
const under = (arn: string, more: Partial<Encryption> = {}): Encryption => ({
  ...{ mode: 'aws:kms', key: arn, bucketKey: true, byDefault: true, ...more },
})
const sseC: Encryption = { mode: 'customer', key: undefined, bucketKey: false, byDefault: false }

function bucketOf(rule: Partial<BucketFacts['rule']>, name = 'books'): BucketFacts {
  return {
    ...{ name, arn: `arn:aws:s3:::${name}`, account, region: 'us-east-1' },
    createdAt: now - 10 * day,
    rule: { mode: 'AES256', key: undefined, bucketKey: false, keyName: undefined, ...rule },
  }
}

const underLedger = bucketOf({ mode: 'aws:kms', key: ledger, keyName: ledger, bucketKey: true })
const unchanged = { at: undefined, principal: undefined, event: undefined }

function version(name: string, encryption: Encryption, more: Partial<VersionFacts> = {}) {
  return { key: name, latest: true, size: 10, modified: now, encryption, ...more }
}

const states: Readonly<Record<string, string>> = {
  [ledger]: 'Enabled',
  [key('off')]: 'Disabled',
  [key('ends')]: 'PendingDeletion',
}

type Held = {
  readonly versions?: readonly (readonly VersionFacts[])[]
  readonly uploads?: readonly (readonly UploadFacts[])[]
  readonly told?: string[]
}

function sourcesOf({ versions = [], uploads = [], told = [] }: Held): CoverageSources {
  return {
    async *versions() {
      yield* versions
    },
    async *uploads() {
      yield* uploads
    },
    keyOf(arn) {
      const state = states[arn]
      const deletionDate = state === 'PendingDeletion' ? now + 7 * day : undefined
      return state === undefined ? undefined : { state, deletionDate }
    },
    isOwn: (one) => one === account,
    progress: (text) => told.push(text),
  }
}

const coverage = (bucket: BucketFacts, held: Held, limit = 1000) =>
  encryptionCoverage([{ bucket, change: unchanged }], sourcesOf(held), limit)

test('what is as a rule says', () => {
  const dsse = bucketOf({ mode: 'aws:kms:dsse', key: ledger, keyName: ledger })
  const cases: [Encryption, BucketFacts, boolean][] = [
    [sseS3, bucketOf({}), true],
    [under(ledger), bucketOf({}), false],
    [under(ledger), underLedger, true],
    [under(ledger, { byDefault: false }), underLedger, true],
    [under(ledger, { bucketKey: false }), underLedger, false],
    [under(key('off')), underLedger, false],
    [under(ledger, { mode: 'aws:kms:dsse', bucketKey: false }), underLedger, false],
    [under(ledger, { mode: 'aws:kms:dsse', bucketKey: false }), dsse, true],
    [under(ledger), bucketOf({ mode: 'aws:kms', key: undefined, bucketKey: true }), false],
    [sseC, underLedger, false],
    [sseC, bucketOf({}), false],
  ]
  for (const [encryption, bucket, expected] of cases) {
    assert.equal(followsRule(encryption, bucket), expected, JSON.stringify([encryption, bucket]))
  }
})

describe('encryption-coverage', () => {
  test('has one line for the rule and one for each way of encryption', async () => {
    const body = await coverage(underLedger, {
      versions: [
        [
          version('a', under(ledger), { modified: now - 2 * day }),
          version('a', sseS3, { latest: false, modified: now - 5 * day, size: 7 }),
          version('b', under(ledger), { modified: now - day }),
        ],
        [version('c c', sseS3, { modified: now - 3 * day }), version('d', sseC)],
      ],
      uploads: [[{ key: 'u', modified: now - 4 * day, encryption: sseS3 }]],
    })
    const [rule, ...classes] = body.rows
    assert.deepEqual(
      ['kind', 'bucket', 'encryption', 'key', 'count', 'latest', 'bytes', 'notAsRule'].map(
        (name) => rule?.[name],
      ),
      ['bucket', 'books', 'aws:kms', ledger, 5, 4, 47, 3],
    )
    assert.deepEqual([rule?.['keyState'], rule?.['warning']], ['Enabled', undefined])
    assert.deepEqual(
      classes.map((row) =>
        ['kind', 'encryption', 'count', 'latest', 'bytes', 'notAsRule', 'first', 'examples'].map(
          (name) => row[name],
        ),
      ),
      [
        ['objects', 'aws:kms', 2, 2, 20, 0, '2026-05-30T00:00:00Z', undefined],
        ['objects', 'AES256', 2, 1, 17, 2, '2026-05-27T00:00:00Z', '"a","c c"'],
        ['objects', 'customer', 1, 1, 10, 1, '2026-06-01T00:00:00Z', '"d"'],
        ['uploads', 'AES256', 1, undefined, undefined, 1, '2026-05-28T00:00:00Z', '"u"'],
      ],
    )
    assert.deepEqual(body.summary, {
      ...{ buckets: 1, versions: 5, bytes: 47, notAsRule: 3, notAsRuleLatest: 2 },
      ...{ underCustomerKeys: 1, unreadable: 0, aboutToBecomeUnreadable: 0 },
      ...{ uploads: 1, uploadsNotAsRule: 1 },
    })
    assert.equal(body.truncated, false)
  })

  test('says what becomes of objects with their keys', async () => {
    const body = await coverage(bucketOf({}), {
      versions: [
        [
          version('a', under(ledger)),
          version('b', under(key('off'))),
          version('c', under(key('ends'))),
          version('d', under(key('lost'))),
          version('e', under(key('far', elsewhere))),
          version('f', { mode: 'unreadable', key: undefined, bucketKey: false, byDefault: false }),
        ],
      ],
    })
    assert.deepEqual(
      body.rows.slice(1).map(({ keyState, warning }) => [keyState, warning]),
      [
        ['Enabled', undefined],
        ['Disabled', 'cannot be read while the key is Disabled'],
        [
          'PendingDeletion',
          'about to become unreadable for ever, the key is deleted on 2026-06-08T00:00:00Z',
        ],
        ['gone', 'cannot be read any more: there is no such key'],
        ['unknown', 'the key is of an account that is not of this deployment'],
        [undefined, undefined],
      ],
    )
    assert.equal(body.summary['unreadable'], 3)
    assert.equal(body.summary['aboutToBecomeUnreadable'], 1)
  })

  test('says when a rule can no longer be followed', async () => {
    const ofRule = async (rule: Partial<BucketFacts['rule']>) => {
      const { rows } = await coverage(bucketOf({ mode: 'aws:kms', ...rule }), {})
      return [rows[0]?.['key'], rows[0]?.['keyState'], rows[0]?.['warning']]
    }
    const ends = key('ends')
    assert.deepEqual(await ofRule({ key: ends, keyName: 'alias/books' }), [
      ...[ends, 'PendingDeletion'],
      'nothing can be put while the key is PendingDeletion, it is deleted on 2026-06-08T00:00:00Z',
    ])
    assert.deepEqual(await ofRule({ keyName: 'alias/books' }), [
      ...['alias/books', 'gone', 'nothing can be put: there is no such key'],
    ])
    assert.deepEqual(await ofRule({}), ['alias/aws/s3', 'not made yet', undefined])
    const far = `arn:aws:kms:us-east-1:${elsewhere}:alias/far`
    assert.equal((await ofRule({ keyName: far }))[1], 'unknown')
  })

  test('keeps a bounded number of classes, examples and rows, and counts everything', async () => {
    const told: string[] = []
    const pages = Array.from({ length: 300 }, (_, page) =>
      Array.from({ length: 200 }, (_, at) => version(`${page}/${at}`, under(key(`k${page}`)))),
    )
    const body = await coverage(bucketOf({}), { versions: pages, told })
    assert.equal(body.rows.length, 1 + 100 + 1)
    const others = body.rows.at(-1)
    assert.deepEqual([others?.['encryption'], others?.['count']], ['others', 200 * 200])
    assert.equal(others?.['examples'], '"100/0","100/1","100/2"')
    assert.equal(body.summary['versions'], 60_000)
    assert.equal(body.summary['notAsRuleLatest'], 60_000)
    assert.deepEqual(told, ['50000 versions in 1 buckets counted (books)'])
    const cut = await coverage(bucketOf({}), { versions: pages }, 5)
    assert.deepEqual([cut.rows.length, cut.truncated], [5, true])
    assert.deepEqual(cut.summary, body.summary)
  })
})

test('since when a rule is what it is', () => {
  const event = (members: Partial<Event>): Event => ({
    ...{ eventID: 'e', eventName: 'PutBucketEncryption', eventSource: 's3.amazonaws.com' },
    ...{ awsRegion: 'us-east-1', eventTime: '2026-05-25T00:00:00Z' },
    ...{ userIdentity: { arn: 'ann' }, resources: [{ ARN: 'arn:aws:s3:::books' }], ...members },
  })
  const bucket = bucketOf({})
  const of = (...events: Event[]) => {
    const changes = new RuleChanges([bucket])
    for (const each of events) changes.add(each)
    return changes.of(bucket, now)
  }
  const made = { at: bucket.createdAt, principal: undefined, event: undefined }
  assert.deepEqual(of(), made)
  const later = event({ eventID: 'l', eventTime: '2026-05-26T00:00:00Z' })
  assert.deepEqual(of(later, event({})), {
    ...{ at: Date.UTC(2026, 4, 26), principal: 'ann', event: 'l' },
  })
  assert.deepEqual(of(event({ errorCode: 'AccessDenied' })), made)
  assert.deepEqual(of(event({ eventSource: 'kms.amazonaws.com' })), made)
  assert.deepEqual(of(event({ resources: [{ ARN: 'arn:aws:s3:::other' }] })), made)
  assert.deepEqual(of(event({ eventTime: '2026-05-21T00:00:00Z' })), made, 'of another bucket')
  const old = { ...bucket, createdAt: now - 400 * day }
  assert.equal(new RuleChanges([old]).of(old, now).at, undefined)
})

test('since when, from configuration items, which go back further', async () => {
  const item = (at: string, text: string | undefined, related: readonly string[] = []) =>
    JSON.stringify({
      ...{ configurationItemCaptureTime: at, relatedEvents: related },
      supplementaryConfiguration: { ServerSideEncryptionConfiguration: text },
    })
  const asked: object[] = []
  const of = (...pages: (readonly string[])[]) =>
    sinceOfItems(bucketOf({}), now, {
      async items(query) {
        asked.push(query)
        const at = query.after ?? 0
        return { records: pages[at] ?? [], next: at + 1 < pages.length ? at + 1 : undefined }
      },
    })
  assert.equal(await of([]), undefined)
  assert.equal(await of([item('2026-05-25T00:00:00.000Z', undefined)]), undefined)
  assert.deepEqual(
    await of(
      [item('2026-05-29T00:00:00.000Z', 'x'), item('2026-05-28T00:00:00.000Z', 'x')],
      [item('2026-05-27T00:00:00.000Z', 'x', ['e']), item('2026-05-26T00:00:00.000Z', 'y')],
    ),
    { at: Date.UTC(2026, 4, 27), principal: undefined, event: 'e' },
  )
  assert.deepEqual(asked.at(-1), {
    ...{ account, region: 'us-east-1', type: 'AWS::S3::Bucket', resource: 'books' },
    ...{ from: now - 10 * day, to: now, oldestFirst: false, limit: 100, after: 1 },
  })
})

test('it is about now, and about buckets', () => {
  const input = { report: 'encryption-coverage', bucket: 'books', account }
  const { bucket, period } = readOptions(input, now)
  assert.deepEqual([bucket, period], ['books', { since: 0, until: now }])
  const refusals: [object, RegExp][] = [
    [{ ...input, since: '30d' }, /takes no --since/],
    [{ ...input, until: '30d' }, /takes no --until/],
    [{ ...input, key: 'x' }, /takes no key/],
    [{ report: 'key-use', bucket: 'books' }, /takes no bucket/],
  ]
  for (const [given, reason] of refusals) {
    assert.throws(
      () => readOptions({ ...given }, now),
      (error) => error instanceof OperatorError && reason.test(error.message),
    )
  }
})
