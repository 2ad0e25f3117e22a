import { randomUUID } from 'node:crypto'
import { requestBytes } from './raw-http.ts'
import type { Seeded } from './seeded.ts'
import { newCredentials } from './server.ts'
import { type Credentials, type Header, signedHeaders } from './signer.ts'

/** A request that must be refused. */
export type Malformed = {
  readonly name: string
  readonly bytes: Buffer
  /** `aws`: an error of AWS's in the service's protocol.
   * `http`: any 4xx, or no answer and the end of the connection. */
  readonly expect: 'aws' | 'http'
}

export type Target = {
  readonly endpoint: string
  readonly credentials: Credentials
  readonly keyId: string
  readonly ciphertext: string
}

type Maker = (random: Seeded, target: Target) => Malformed

/** One random malformed request; every kind comes about equally often. */
export function malformedRequest(random: Seeded, target: Target): Malformed {
  return random.pick(makers)(random, target)
}

type Draft = {
  method?: string
  path?: string
  headers?: Header[]
  body: Buffer | string
  service?: string
  region?: string
  credentials?: Credentials
  date?: Date
}

const jsonType: Header = ['content-type', 'application/x-amz-json-1.1']
const kms = (operation: string): Header[] => [
  jsonType,
  ['x-amz-target', `TrentService.${operation}`],
]

function signed(target: Target, draft: Draft): Header[] {
  return signedHeaders(
    {
      method: draft.method ?? 'POST',
      path: draft.path ?? '/',
      headers: draft.headers ?? [],
      body: Buffer.from(draft.body),
    },
    {
      host: new URL(target.endpoint).host,
      region: draft.region ?? 'us-east-1',
      service: draft.service ?? 'kms',
      date: draft.date ?? new Date(),
    },
    draft.credentials ?? target.credentials,
  )
}

function bytesOf(target: Target, draft: Draft): Buffer {
  const body = Buffer.from(draft.body)
  return requestBytes(draft.method ?? 'POST', draft.path ?? '/', signed(target, draft), body)
}

/** A request that would be carried out, had nothing been done to it. */
function valid(random: Seeded, target: Target): { operation: string; input: Input; draft: Draft } {
  const [operation, make] = random.pick(validInputs)
  const input = make(target)
  return { operation, input, draft: { headers: kms(operation), body: JSON.stringify(input) } }
}

type Input = Record<string, unknown>

const validInputs: [string, (target: Target) => Input][] = [
  [
    'CreateKey',
    () => ({
      Description: 'd',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      Origin: 'AWS_KMS',
      MultiRegion: false,
      Tags: [{ TagKey: 'k', TagValue: 'v' }],
    }),
  ],
  ['DescribeKey', ({ keyId }) => ({ KeyId: keyId })],
  ['ListKeys', () => ({ Limit: 10 })],
  ['DisableKey', ({ keyId }) => ({ KeyId: keyId })],
  ['ScheduleKeyDeletion', ({ keyId }) => ({ KeyId: keyId, PendingWindowInDays: 7 })],
  ['UpdateKeyDescription', ({ keyId }) => ({ KeyId: keyId, Description: 'changed' })],
  ['TagResource', ({ keyId }) => ({ KeyId: keyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })],
  ['UntagResource', ({ keyId }) => ({ KeyId: keyId, TagKeys: ['kept'] })],
  ['CreateAlias', ({ keyId }) => ({ AliasName: 'alias/never', TargetKeyId: keyId })],
  ['DeleteAlias', () => ({ AliasName: 'alias/kept' })],
  ['Encrypt', ({ keyId }) => ({ KeyId: keyId, Plaintext: 'AAAA', EncryptionContext: { a: 'b' } })],
  ['Decrypt', ({ ciphertext }) => ({ CiphertextBlob: ciphertext })],
  [
    'ReEncrypt',
    ({ ciphertext, keyId }) => ({ CiphertextBlob: ciphertext, DestinationKeyId: keyId }),
  ],
  ['GenerateDataKey', ({ keyId }) => ({ KeyId: keyId, KeySpec: 'AES_256' })],
  ['GenerateDataKeyWithoutPlaintext', ({ keyId }) => ({ KeyId: keyId, NumberOfBytes: 32 })],
  ['GenerateRandom', () => ({ NumberOfBytes: 8 })],
]

/** Values of other JSON types than the given one. Null is left out: it means absent. */
function otherTypes(value: unknown): unknown[] {
  const candidates = [5, -1.5, 1e308, true, 'text', [], [[]], {}, { a: {} }, [1], '']
  const kind = kindOf(value)
  return candidates.filter((candidate) => kindOf(candidate) !== kind)
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Another letter or digit than before, in either case: no reader may take it for the same. */
function otherLetter(random: Seeded, letter: string): string {
  return random.pick([...letters].filter((candidate) => candidate !== letter.toLowerCase()))
}

/** The text with one letter or digit replaced, between `from` and its end. */
function altered(random: Seeded, text: string, from = 0): string {
  const places = [...text.matchAll(/[A-Za-z0-9]/g)].filter(({ index }) => index >= from)
  const place = random.pick(places)
  const letter = otherLetter(random, place[0])
  return text.slice(0, place.index) + letter + text.slice(place.index + 1)
}

const withoutHeader = (headers: readonly Header[], name: string) =>
  headers.filter(([candidate]) => candidate.toLowerCase() !== name)

/** The request with one header's value altered after signing. */
function alteredHeader(random: Seeded, target: Target, name: string): Buffer {
  const { draft } = valid(random, target)
  const headers = signed(target, draft).map(([key, value]): Header => {
    return key === name ? [key, altered(random, value)] : [key, value]
  })
  return requestBytes('POST', '/', headers, Buffer.from(draft.body))
}

/** Behind `depth` brackets. */
function nested(open: string, close: string, depth: number): string {
  return `${open.repeat(depth)}1${close.repeat(depth)}`
}

const aws = (name: string, make: (random: Seeded, target: Target) => Buffer): Maker => {
  return (random, target) => ({ name, bytes: make(random, target), expect: 'aws' })
}
const http = (name: string, make: (random: Seeded, target: Target) => Buffer | string): Maker => {
  return (random, target) => {
    return { name, bytes: Buffer.from(make(random, target) as string, 'latin1'), expect: 'http' }
  }
}

/** A signed request whose body is the given text instead of an operation's input. */
const withBody = (name: string, body: (random: Seeded, target: Target) => Buffer | string) =>
  aws(name, (random, target) => {
    const { operation } = valid(random, target)
    return bytesOf(target, { headers: kms(operation), body: body(random, target) })
  })

const unauthentic: Maker[] = [
  aws('unsigned', (random, target) => {
    const { draft } = valid(random, target)
    const headers: Header[] = [['host', new URL(target.endpoint).host], ...(draft.headers ?? [])]
    return requestBytes('POST', '/', headers, Buffer.from(draft.body))
  }),
  aws('body altered after signing', (random, target) => {
    const { draft } = valid(random, target)
    const body = Buffer.from(altered(random, draft.body.toString()))
    return requestBytes('POST', '/', signed(target, draft), body)
  }),
  aws('target altered after signing', (random, target) =>
    alteredHeader(random, target, 'x-amz-target'),
  ),
  aws('date altered after signing', (random, target) =>
    alteredHeader(random, target, 'x-amz-date'),
  ),
  aws('authorization altered', (random, target) => alteredHeader(random, target, 'authorization')),
  aws('a header that the signature names is missing', (random, target) => {
    const { draft } = valid(random, target)
    const name = random.pick(['x-amz-date', 'x-amz-target', 'content-type'])
    const headers = withoutHeader(signed(target, draft), name)
    return requestBytes('POST', '/', headers, Buffer.from(draft.body))
  }),
  aws('unknown access key or wrong secret', (random, target) => {
    const wrong = newCredentials()
    const credentials = random.chance(0.5)
      ? wrong
      : { ...wrong, accessKeyId: target.credentials.accessKeyId }
    return bytesOf(target, { ...valid(random, target).draft, credentials })
  }),
  aws('signed for another service, Region or time', (random, target) => {
    const hours = (count: number) => new Date(Date.now() + count * 3_600_000)
    const scope = random.pick<Partial<Draft>>([
      { service: 's3' },
      { service: 'sts' },
      { service: 'KMS' },
      { service: '' },
      { region: 'mars-north-1' },
      { region: '' },
      { date: hours(-1) },
      { date: hours(1) },
      { date: hours(-24 * 365) },
    ])
    return bytesOf(target, { ...valid(random, target).draft, ...scope })
  }),
  aws('an authorization of another kind', (random, target) => {
    const value = random.pick([
      'Basic YWxhZGRpbjpvcGVuc2VzYW1l',
      'AWS4-HMAC-SHA256',
      'AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=',
      'AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00',
      'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request',
      'AWS AKIA:signature',
      ',,,',
    ])
    const { draft } = valid(random, target)
    const headers = withoutHeader(signed(target, draft), 'authorization')
    return requestBytes(
      'POST',
      '/',
      [...headers, ['authorization', value]],
      Buffer.from(draft.body),
    )
  }),
  aws('a second authorization, target or date', (random, target) => {
    const { draft } = valid(random, target)
    const headers = signed(target, draft)
    const name = random.pick(['authorization', 'x-amz-target', 'x-amz-date'])
    const second = headers.find(([candidate]) => candidate === name)?.[1] ?? ''
    const value = random.chance(0.5) ? second : altered(random, second)
    return requestBytes('POST', '/', [...headers, [name, value]], Buffer.from(draft.body))
  }),
]

const broken: Maker[] = [
  withBody('JSON cut short', (random, target) => {
    const text = JSON.stringify(valid(random, target).input)
    return text.slice(0, random.between(1, text.length))
  }),
  withBody('JSON followed by more', (random, target) => {
    const more = random.pick(['{}', ',', 'x', '\0', '//', ']'])
    return JSON.stringify(valid(random, target).input) + more
  }),
  withBody('something else than a JSON object', (random) =>
    random.pick([
      '[]',
      '1',
      '"text"',
      'true',
      'NaN',
      '{]',
      "{'KeyId':'a'}",
      '\ufeff{',
      '<a/>',
      ' ',
    ]),
  ),
  withBody('random bytes', (random) => Buffer.concat([Buffer.from([0xff]), random.bytes(200)])),
  aws('text that is no UTF-8', (random, target) => {
    const wrong = random.pick(['c080', 'eda080', 'f8', 'ff', 'e282'])
    const body = Buffer.concat([
      Buffer.from(`{"KeyId":"${target.keyId}`),
      Buffer.from(wrong, 'hex'),
      Buffer.from('"}'),
    ])
    const headers = kms('DescribeKey')
    return bytesOf(target, { headers, body })
  }),
  withBody('deep nesting', (random) => {
    const depth = random.pick([65, 1000, 20_000])
    const member = random.pick(['KeyId', 'Tags', 'EncryptionContext', 'Unknown'])
    const deep = random.chance(0.5) ? nested('[', ']', depth) : nested('{"a":', '}', depth)
    return `{"${member}":${deep}}`
  }),
  aws('a member of another type', (random, target) => {
    const { input, draft } = valid(random, target)
    const name = random.pick(Object.keys(input))
    const body = JSON.stringify({ ...input, [name]: random.pick(otherTypes(input[name])) })
    return bytesOf(target, { ...draft, body })
  }),
  aws('a map or list with members of another type', (random, target) => {
    const [operation, input] = random.pick<[string, Input]>([
      ['TagResource', { KeyId: target.keyId, Tags: [{ TagKey: ['a'], TagValue: 'b' }] }],
      ['TagResource', { KeyId: target.keyId, Tags: ['a'] }],
      ['UntagResource', { KeyId: target.keyId, TagKeys: [{}] }],
      ['Encrypt', { KeyId: target.keyId, Plaintext: 'AAAA', EncryptionContext: { a: [] } }],
      ['Encrypt', { KeyId: target.keyId, Plaintext: 'AAAA', EncryptionContext: { a: {} } }],
      ['Encrypt', { KeyId: target.keyId, Plaintext: 'AAAA', GrantTokens: 'token' }],
    ])
    return bytesOf(target, { headers: kms(operation), body: JSON.stringify(input) })
  }),
]

const semantic: Maker[] = [
  aws('a value out of bounds', (random, target) => {
    const { keyId: KeyId } = target
    const [operation, input] = random.pick<[string, Input]>([
      ['DescribeKey', { KeyId: '' }],
      ['DescribeKey', { KeyId: 'k'.repeat(2049) }],
      ['DescribeKey', {}],
      ['DescribeKey', { KeyId: null }],
      ['DescribeKey', { ['__proto__']: { KeyId } }],
      ['ListKeys', { Limit: random.pick([0, -1, 1001, 2 ** 31, 2 ** 53]) }],
      ['ListKeys', { Marker: 'made-up' }],
      ['GenerateRandom', { NumberOfBytes: random.pick([0, -1, 1025, 1e9]) }],
      ['GenerateDataKey', { KeyId, NumberOfBytes: 32, KeySpec: 'AES_256' }],
      ['GenerateDataKey', { KeyId }],
      ['Encrypt', { KeyId, Plaintext: '' }],
      ['Encrypt', { KeyId, Plaintext: Buffer.alloc(4097).toString('base64') }],
      ['Encrypt', { KeyId, Plaintext: random.pick(['*', 'A', '====', 'AA AA', 'AAA%', 'Ä']) }],
      ['Encrypt', { KeyId, Plaintext: 'AAAA', EncryptionAlgorithm: 'ROT13' }],
      ['CreateKey', { KeySpec: 'RSA_1' }],
      ['CreateKey', { Description: 'd'.repeat(8193) }],
      ['CreateKey', { Policy: random.pick(['{', '[]', '{"Statement":[]}', ' ']) }],
      ['CreateKey', { Policy: 'p'.repeat(131_073) }],
      ['CreateKey', { Tags: [{ TagKey: 'aws:a', TagValue: '' }] }],
      ['CreateKey', { Tags: [{ TagValue: 'no key' }] }],
      ['PutKeyPolicy', { KeyId, Policy: '{}', PolicyName: 'default' }],
      ['PutKeyPolicy', { KeyId, Policy: '{}', PolicyName: 'other' }],
      ['ScheduleKeyDeletion', { KeyId, PendingWindowInDays: random.pick([-1, 0, 6, 31, 366]) }],
      ['CreateAlias', { AliasName: 'alias/ä', TargetKeyId: KeyId }],
      ['CreateAlias', { AliasName: 'alias/', TargetKeyId: KeyId }],
      ['CreateAlias', { AliasName: 'alias/kept', TargetKeyId: KeyId }],
      ['CreateAlias', { AliasName: 'alias/aws/x', TargetKeyId: KeyId }],
      ['UpdateAlias', { AliasName: 'alias/absent', TargetKeyId: KeyId }],
    ])
    return bytesOf(target, { headers: kms(operation), body: JSON.stringify(input) })
  }),
  aws('an identifier that leads nowhere', (random, target) => {
    const id = random.pick([
      randomUUID(),
      altered(random, target.keyId),
      `mrk-${'0'.repeat(32)}`,
      'alias/absent',
      'alias/../kept',
      `arn:aws:kms:us-east-1:111122223333:key/${randomUUID()}`,
      `arn:aws:kms:us-east-1:999999999999:key/${target.keyId}`,
      `arn:aws:kms:eu-west-1:111122223333:key/${target.keyId}`,
      `arn:aws:iam::111122223333:key/${target.keyId}`,
      'arn:aws:kms',
      `${target.keyId}\0`,
      ` ${target.keyId}`,
      '../../hsm',
      '\ud800',
    ])
    const operation = random.pick([
      'DescribeKey',
      'DisableKey',
      'ScheduleKeyDeletion',
      'GetKeyPolicy',
    ])
    return bytesOf(target, { headers: kms(operation), body: JSON.stringify({ KeyId: id }) })
  }),
  aws('a ciphertext with one bit flipped, cut, or longer', (random, target) => {
    const blob = Buffer.from(target.ciphertext, 'base64')
    const place = random.between(0, blob.length)
    const flipped = Buffer.from(blob)
    flipped.writeUInt8(blob.readUInt8(place) ^ (1 << random.between(0, 8)), place)
    const made = random.pick([
      flipped,
      blob.subarray(0, place),
      Buffer.concat([blob, random.bytes(1)]),
    ])
    const CiphertextBlob = (made.length === 0 ? random.bytes(64) : made).toString('base64')
    return bytesOf(target, { headers: kms('Decrypt'), body: JSON.stringify({ CiphertextBlob }) })
  }),
  aws('an operation that does not exist', (random, target) => {
    const { draft } = valid(random, target)
    const value = random.pick([
      'TrentService.',
      'TrentService',
      '.DescribeKey',
      'TrentService.describekey',
      'TrentService.__proto__',
      'TrentService.constructor',
      'Trent.DescribeKey',
      'TrentService.DescribeKey.DescribeKey',
      'DynamoDB_20120810.GetItem',
      ` ${'x'.repeat(4000)}`,
      'TrentService.Sign',
    ])
    return bytesOf(target, { ...draft, headers: [jsonType, ['x-amz-target', value]] })
  }),
  aws('another content type, or none', (random, target) => {
    const type = random.pick(['text/plain', 'application/cbor', 'application/xml', 'x', undefined])
    const headers: Header[] = [['x-amz-target', 'TrentService.DescribeKey']]
    if (type !== undefined) headers.push(['content-type', type])
    return bytesOf(target, { headers, body: JSON.stringify({ KeyId: randomUUID() }) })
  }),
  aws('another method or path', (random, target) => {
    const { draft } = valid(random, target)
    const where = random.pick([
      { method: 'GET' },
      { method: 'PUT' },
      { method: 'DELETE' },
      { path: '/kms' },
      { path: '/../' },
      { path: '/health/x' },
      { path: '/%2e%2e/%00' },
    ])
    return bytesOf(target, { ...draft, ...where })
  }),
  aws('a broken call of STS', (random, target) => {
    const body = random.pick([
      '',
      'Action=',
      'Action=GetCallerIdentity',
      'Version=2011-06-15',
      'Action=AssumeRole&Version=2011-06-15',
      'Action=GetCallerIdentity&Version=1999-01-01',
      'Action=%zz&Version=2011-06-15',
      'Action=GetCallerIdentity&Action=GetCallerIdentity&Version=2011-06-15%',
      '{"Action":"GetCallerIdentity"}',
    ])
    const headers: Header[] = [['content-type', 'application/x-www-form-urlencoded; charset=utf-8']]
    // A wrong service in the scope makes those wrong that could pass for right.
    return bytesOf(target, { headers, body, service: random.pick(['kms', 's3', 'iam']) })
  }),
  aws('a broken call of CloudTrail', (random, target) => {
    const input = random.pick<unknown>([
      { MaxResults: 0 },
      { MaxResults: 51 },
      { MaxResults: '5' },
      { NextToken: 'made-up' },
      { StartTime: 'yesterday' },
      { StartTime: 2e9, EndTime: 1e9 },
      { LookupAttributes: [{ AttributeKey: 'Colour', AttributeValue: 'red' }] },
      { LookupAttributes: {} },
      { LookupAttributes: [{}] },
      { EventCategory: 'insight-ish' },
      [],
    ])
    const name = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents'
    const headers: Header[] = [jsonType, ['x-amz-target', name]]
    return bytesOf(target, { headers, body: JSON.stringify(input), service: 'cloudtrail' })
  }),
]

const framing: Maker[] = [
  http('a request line that is none', (random, target) => {
    const line = random.pick([
      'POST /',
      'POST  / HTTP/1.1',
      'POST / HTTP/1.2',
      'POST / HTTP/3',
      'post / HTTP/1.1',
      '\0 / HTTP/1.1',
      'POST /\0 HTTP/1.1',
      'PRI * HTTP/2.0',
      `POST /${'a'.repeat(20_000)} HTTP/1.1`,
      'SSH-2.0-OpenSSH_9.6',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ])
    return `${line}\r\nhost: ${new URL(target.endpoint).host}\r\ncontent-length: 0\r\n\r\n`
  }),
  http('a header that is none', (random) => {
    const header = random.pick([
      'no colon',
      'space before : colon',
      ': no name',
      'folded: a\r\n b',
      'na\0me: a',
      'name: a\0b',
      'name: a\nb: c',
      'name: a\rb',
      'näme: a',
      `long: ${'a'.repeat(70_000)}`,
    ])
    return `POST / HTTP/1.1\r\nhost: a\r\n${header}\r\ncontent-length: 0\r\n\r\n`
  }),
  http('too many headers', (random) => {
    const many = Array.from({ length: random.between(300, 2000) }, (_, n) => `x-${n}: a\r\n`)
    return `POST / HTTP/1.1\r\nhost: a\r\n${many.join('')}content-length: 0\r\n\r\n`
  }),
  http('a length that is none, or more than one', (random) => {
    const length = random.pick([
      'content-length: -1',
      'content-length: +5',
      'content-length: 5e0',
      'content-length: 0x5',
      'content-length: 99999999999999999999',
      'content-length: 5, 5',
      'content-length: ',
      'content-length: 5\r\ncontent-length: 6',
      'transfer-encoding: chunked\r\ncontent-length: 5',
      'transfer-encoding: chunked, chunked',
      'transfer-encoding: gzip',
      'content-length: 104857600',
    ])
    return `POST / HTTP/1.1\r\nhost: a\r\n${length}\r\n\r\nhello`
  }),
  http('a chunked body that is none', (random) => {
    const chunk = random.pick([
      'zz\r\nhello\r\n0\r\n\r\n',
      '-5\r\nhello',
      '5\r\nhelloX',
      'ffffffffffff\r\n',
    ])
    return `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`
  }),
  http('random bytes', (random) =>
    Buffer.concat([random.bytes(random.between(1, 400)), Buffer.from('\r\n\r\n')]).toString(
      'latin1',
    ),
  ),
  http('a request cut short', (random, target) => {
    const whole = bytesOf(target, valid(random, target).draft)
    return whole.subarray(0, random.between(1, whole.length)).toString('latin1')
  }),
  http('a body beyond all bounds', (random, target) => {
    // Rare, because it is slow.
    const size = random.chance(0.05) ? 5 * 1024 * 1024 : 1000
    const body = `{"KeyId":"${'k'.repeat(size)}"}`
    return bytesOf(target, { headers: kms('DescribeKey'), body }).toString('latin1')
  }),
  http('hosts that are none or many', (random) => {
    const hosts = random.pick(['', 'host: a\r\nhost: b\r\n', 'host: a b\r\n', 'host: @\r\n'])
    return `POST / HTTP/1.1\r\n${hosts}content-length: 0\r\n\r\n`
  }),
]

const makers: readonly Maker[] = [...unauthentic, ...broken, ...semantic, ...framing]
