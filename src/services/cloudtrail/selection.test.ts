import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AccountId, Region } from '../../base/ids.ts'
import { type SelectableEvent, type SelectingTrail, selects } from './selection.ts'
import type { AdvancedSelector, BasicSelector, FieldSelector } from './trails.ts'

const account = '111122223333'

const plain: SelectingTrail = {
  account: account as AccountId,
  homeRegion: 'us-east-1' as Region,
  multiRegion: true,
  globalServiceEvents: true,
}

const management: SelectableEvent = {
  recipientAccountId: account,
  awsRegion: 'us-east-1',
  eventCategory: 'Management',
  eventSource: 'kms.amazonaws.com',
  eventName: 'Decrypt',
  eventType: 'AwsApiCall',
  readOnly: true,
  userIdentity: { arn: `arn:aws:iam::${account}:user/alice` },
  resources: [{ type: 'AWS::KMS::Key', ARN: 'arn:aws:kms:us-east-1:111122223333:key/a' }],
}
const write = { ...management, eventName: 'DisableKey', readOnly: false }
const iam = { ...write, eventSource: 'iam.amazonaws.com', eventName: 'CreateUser' }

function objectEvent(bucket: string, key: string, eventName = 'GetObject'): SelectableEvent {
  return {
    ...management,
    eventCategory: 'Data',
    eventSource: 's3.amazonaws.com',
    eventName,
    readOnly: eventName !== 'PutObject',
    resources: [
      { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucket}/${key}` },
      { type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` },
    ],
  }
}
const read = objectEvent('ledger', 'in/1')
const put = objectEvent('ledger', 'in/1', 'PutObject')
const { resources: _one, ...unlisted } = read
const listing: SelectableEvent = {
  ...unlisted,
  resources: [{ type: 'AWS::S3::Object', ARNPrefix: 'arn:aws:s3:::ledger/in' }],
}

const basic = (selector: Partial<BasicSelector>): SelectingTrail => ({
  ...plain,
  selectors: {
    kind: 'basic',
    selectors: [
      {
        readWriteType: 'All',
        includeManagementEvents: true,
        dataResources: [],
        excludeManagementEventSources: [],
        ...selector,
      },
    ],
  },
})
const objects = (...values: string[]) => ({
  includeManagementEvents: false,
  dataResources: [{ type: 'AWS::S3::Object', values }],
})

const advanced = (...selectors: readonly FieldSelector[][]): SelectingTrail => ({
  ...plain,
  selectors: {
    kind: 'advanced',
    selectors: selectors.map((fieldSelectors): AdvancedSelector => ({ fieldSelectors })),
  },
})
const managementField: FieldSelector = { field: 'eventCategory', equals: ['Management'] }
const dataFields: FieldSelector[] = [
  { field: 'eventCategory', equals: ['Data'] },
  { field: 'resources.type', equals: ['AWS::S3::Object'] },
]
const data = (...more: FieldSelector[]) => advanced([...dataFields, ...more])

type Row = readonly [
  title: string,
  trail: SelectingTrail,
  selected: readonly SelectableEvent[],
  left: readonly SelectableEvent[],
]

const oneRegion = { ...plain, multiRegion: false }
const elsewhere = (event: SelectableEvent) => ({ ...event, awsRegion: 'eu-west-1' })
const ledger = 'arn:aws:s3:::ledger/'

const table: readonly Row[] = [
  ['no selectors', plain, [management, write, iam, elsewhere(iam)], [read, put]],
  ['another account', plain, [], [{ ...management, recipientAccountId: '444455556666' }]],
  ['one Region', oneRegion, [management, iam], [elsewhere(management), elsewhere(iam)]],
  [
    'no global services',
    { ...oneRegion, globalServiceEvents: false },
    [management],
    [iam, { ...iam, eventSource: 'sts.amazonaws.com' }],
  ],
  [
    'what comes of delivering',
    { ...plain, recursiveLogging: false },
    [management],
    [{ ...write, userIdentity: { invokedBy: 'cloudtrail.amazonaws.com' } }],
  ],
  [
    'nothing in a basic list',
    { ...plain, selectors: { kind: 'basic', selectors: [] } },
    [],
    [write],
  ],
  ['reads', basic({ readWriteType: 'ReadOnly' }), [management], [write, iam]],
  ['writes', basic({ readWriteType: 'WriteOnly' }), [write, iam], [management]],
  [
    'without KMS',
    basic({ excludeManagementEventSources: ['kms.amazonaws.com'] }),
    [iam],
    [management, write],
  ],
  ['all objects', basic(objects('arn:aws:s3')), [read, put, listing], [management]],
  ['objects of a bucket', basic(objects(ledger)), [read], [objectEvent('ledger-2', 'in/1'), iam]],
  ['objects by prefix', basic(objects(`${ledger}in/`)), [read], [objectEvent('ledger', 'out/1')]],
  [
    'written objects',
    basic({ ...objects('arn:aws:s3:::x/', ledger), readWriteType: 'WriteOnly' }),
    [put],
    [read],
  ],
  [
    'a bucket is no object',
    basic({ dataResources: [{ type: 'AWS::S3::Bucket', values: [ledger] }] }),
    [],
    [read],
  ],
  ['all management events', advanced([managementField]), [management, write, iam], [read]],
  [
    'some sources left out',
    advanced([managementField, { field: 'eventSource', notEquals: ['kms.amazonaws.com', 'x'] }]),
    [iam],
    [management],
  ],
  [
    'reads by field',
    advanced([managementField, { field: 'readOnly', equals: ['true'] }]),
    [management],
    [write],
  ],
  ['either selector', advanced([managementField], dataFields), [write, read], []],
  ['no resource is of the type', data(), [read, listing], [{ ...read, resources: [] }]],
  ['an ARN', data({ field: 'resources.ARN', equals: [`${ledger}in/1`] }), [read], [listing]],
  [
    'the ARN of another type counts for nothing',
    data({ field: 'resources.ARN', startsWith: ['arn:aws:s3:::ledger'], endsWith: ['/1'] }),
    [read],
    [objectEvent('other', 'in/2')],
  ],
  [
    'left out by ARN',
    data({ field: 'resources.ARN', notStartsWith: [ledger] }),
    [objectEvent('other', 'in/1')],
    [read, put],
  ],
  [
    'selected by one and deselected by none',
    data({ field: 'resources.ARN', startsWith: [ledger], notEndsWith: ['.tmp', '.bak'] }),
    [read],
    [objectEvent('ledger', 'a.tmp'), objectEvent('ledger', 'a.bak'), objectEvent('x', 'a')],
  ],
  [
    'names',
    data({ field: 'eventName', startsWith: ['Put'], endsWith: ['Nothing'] }),
    [put],
    [read],
  ],
  [
    'left out by the caller',
    data({ field: 'userIdentity.arn', notEndsWith: ['user/alice'] }),
    [{ ...read, userIdentity: {} }],
    [read],
  ],
  [
    'from the console',
    data({ field: 'sessionCredentialFromConsole', equals: ['true'] }),
    [{ ...read, sessionCredentialFromConsole: 'true' }],
    [read],
  ],
  ['an absent member', data({ field: 'vpcEndpointId', equals: ['vpce-1'] }), [], [read]],
  ['no known member', data({ field: 'colour', equals: ['red'] }), [], [read]],
]

describe('which events a trail delivers', () => {
  for (const [title, trail, selected, left] of table) {
    test(title, () => {
      assert.ok(selected.length + left.length > 0)
      for (const event of selected) assert.equal(selects(trail, event), true, JSON.stringify(event))
      for (const event of left) assert.equal(selects(trail, event), false, JSON.stringify(event))
    })
  }
})
