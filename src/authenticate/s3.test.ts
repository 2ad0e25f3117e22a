import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../base/caller.ts'
import { checksum } from '../base/checksums.ts'
import { ServiceError } from '../base/errors.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { Authenticator } from './authenticator.ts'
import {
  authorizationOf,
  type Chunk,
  encodedChunks,
  presigned,
  type S3ToSign,
  signedChunks,
  signS3,
  trailerSignature,
} from './testing/s3-signer.ts'
import { signingKey } from './testing/signer.ts'

/** Those of AWS's examples. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
const key = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 's3',
  timestamp: '20130524T000000Z',
}
const signedAt = Date.UTC(2013, 4, 24)
const empty = createHash('sha256').digest('hex')
const caller = { account: '111122223333', arn: 'arn:aws:iam::111122223333:root' } as Caller

function authenticator(now = signedAt): Authenticator {
  const record = { ...key, status: 'Active', sealedSecret: 'sealed', caller, createdAt: 0 } as const
  return new Authenticator({
    credential: (id) => (id === key.accessKeyId ? record : undefined),
    signingKey: async ({ date, region, service }) =>
      signingKey(key.secret, [date, region, service, 'aws4_request']),
    clock: { now: () => now },
    regions: new Set(['us-east-1']),
    services: new Set(['s3', 'kms']),
  })
}

type Sent = Omit<S3ToSign, 'contentSha256'> & { readonly body?: Buffer; readonly target?: string }

function request(sent: Sent, authorization?: string): HttpRequest {
  const query = Object.entries(sent.query ?? {}).map(([name, value]) =>
    value === '' ? name : `${name}=${encodeURIComponent(value)}`,
  )
  return {
    method: sent.method,
    target: sent.target ?? sent.path + (query.length === 0 ? '' : `?${query.join('&')}`),
    rawHeaders: [
      ...Object.entries(sent.headers).flat(),
      ...(authorization === undefined ? [] : ['Authorization', authorization]),
    ],
    body: sent.body ?? Buffer.alloc(0),
    remoteAddress: '127.0.0.1',
  }
}

async function read(sent: HttpRequest, now?: number): Promise<string> {
  const { body, refusal } = await authenticator(now).verifyS3(sent)
  if (refusal !== undefined) throw refusal
  assert.ok(body)
  const pieces: Buffer[] = []
  for await (const piece of body) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString('latin1')
}

async function refusal(sent: HttpRequest, now?: number): Promise<ServiceError> {
  const failure = await read(sent, now).then(
    () => assert.fail('it was taken'),
    (error: unknown) => error,
  )
  if (!(failure instanceof ServiceError)) throw failure
  return failure
}

const host = 'examplebucket.s3.amazonaws.com'
const dated = { host, 'x-amz-date': key.timestamp }
const plain = { ...dated, 'x-amz-content-sha256': empty }
const welcome = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'

describe("AWS's own examples", () => {
  const examples: readonly [string, Sent, string, string][] = [
    [
      'GET object',
      { method: 'GET', path: '/test.txt', headers: { ...plain, range: 'bytes=0-9' } },
      empty,
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT object',
      {
        method: 'PUT',
        path: '/test%24file.text',
        headers: {
          ...dated,
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-content-sha256': welcome,
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
        body: Buffer.from('Welcome to Amazon S3.'),
      },
      welcome,
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET bucket lifecycle',
      { method: 'GET', path: '/', query: { lifecycle: '' }, headers: plain },
      empty,
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'list objects',
      { method: 'GET', path: '/', query: { 'max-keys': '2', prefix: 'J' }, headers: plain },
      empty,
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ]
  for (const [name, sent, contentSha256, signature] of examples) {
    test(name, async () => {
      const authorization =
        `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/20130524/us-east-1/s3/aws4_request,` +
        `SignedHeaders=${Object.keys(sent.headers).sort().join(';')},Signature=${signature}`
      assert.equal(signS3({ ...sent, contentSha256 }, key), signature)
      assert.equal(await read(request(sent, authorization)), sent.body?.toString() ?? '')
      const other = authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      const { code, members } = await refusal(request(sent, other))
      assert.equal(code, 'invalid-signature')
      assert.match(members?.['StringToSign'] ?? '', /^AWS4-HMAC-SHA256\n20130524T000000Z\n/)
      assert.match(members?.['CanonicalRequest'] ?? '', new RegExp(`^${sent.method}\n/`))
    })
  }

  test('a presigned URL', async () => {
    const target = presigned({ method: 'GET', path: '/test.txt', headers: { host } }, key, 86400)
    assert.match(target, /aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/)
    const sent = request({ method: 'GET', path: '', target, headers: { host } })
    assert.equal(await read(sent, signedAt + 86_400_000), '')
    const late = await refusal(sent, signedAt + 86_401_000)
    assert.deepEqual([late.code, late.publicMessage], ['access-denied', 'Request has expired'])
    assert.equal(late.members?.['X-Amz-Expires'], '86400')
    assert.equal(
      (await refusal(sent, signedAt - 16 * 60_000)).publicMessage,
      'Request is not yet valid',
    )
  })
})

const chunked = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  headers: {
    host: 's3.amazonaws.com',
    'x-amz-date': key.timestamp,
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'content-length': '66824',
  },
}
const letters = Buffer.alloc(66560, 'a')

function chunkedRequest(change: (chunks: Chunk[]) => Chunk[] | Buffer): HttpRequest {
  const toSign = { ...chunked, contentSha256: chunked.headers['x-amz-content-sha256'] }
  const chunks = change(signedChunks(letters, 65536, signS3(toSign, key), key))
  const body = Buffer.isBuffer(chunks) ? chunks : encodedChunks(chunks)
  return request({ ...chunked, body }, authorizationOf(toSign, key))
}

describe('signed chunks', () => {
  test("AWS's own example", async () => {
    const signatures: string[] = []
    const sent = chunkedRequest((chunks) => {
      signatures.push(...chunks.map(({ signature }) => signature))
      return chunks
    })
    assert.deepEqual(signatures, [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ])
    assert.equal(sent.body.length, 66824)
    assert.equal(await read(sent), letters.toString())
  })

  const swapped = ([first, second, ...rest]: Chunk[]) => [second, first, ...rest] as Chunk[]
  const refused: readonly [string, (chunks: Chunk[]) => Chunk[] | Buffer, string][] = [
    [
      'a chunk that is not what was signed',
      (chunks) =>
        chunks.map((each, at) => (at === 1 ? { ...each, data: Buffer.alloc(1024, 'b') } : each)),
      'invalid-signature',
    ],
    ['chunks in another order', swapped, 'invalid-signature'],
    [
      'a chunk that comes twice',
      ([first, , last]) => [first, first, last] as Chunk[],
      'IncompleteBody',
    ],
    [
      'no chunk that ends it',
      (chunks) => encodedChunks(chunks.slice(0, -1)).subarray(0, -2),
      'IncompleteBody',
    ],
    ['half a chunk', (chunks) => encodedChunks(chunks).subarray(0, 70000 - 4000), 'IncompleteBody'],
    [
      'an end that is not signed',
      (chunks) =>
        chunks.map((each) =>
          each.data.length === 0 ? { ...each, signature: '0'.repeat(64) } : each,
        ),
      'invalid-signature',
    ],
    [
      'a header too long',
      () => Buffer.from(`${'0'.repeat(200)};chunk-signature=`),
      'IncompleteBody',
    ],
    [
      'a size too large',
      () => Buffer.from(`fffffffffff;chunk-signature=${'0'.repeat(64)}\r\n`),
      'IncompleteBody',
    ],
    ['a chunk without a signature', () => Buffer.from('400\r\n'), 'IncompleteBody'],
    [
      'bytes behind the end',
      (chunks) => Buffer.concat([encodedChunks(chunks), Buffer.from('x')]),
      'IncompleteBody',
    ],
    [
      'bytes behind a chunk',
      (chunks) =>
        Buffer.from(encodedChunks(chunks).toString('latin1').replace('a\r\n', 'aa\r\n'), 'latin1'),
      'IncompleteBody',
    ],
    ['nothing', () => Buffer.alloc(0), 'IncompleteBody'],
  ]
  for (const [name, change, code] of refused) {
    test(`${name} is refused`, async () => {
      assert.equal((await refusal(chunkedRequest(change))).code, code)
    })
  }

  test('small chunks are refused, but for the last', async () => {
    const toSign = { ...chunked, contentSha256: chunked.headers['x-amz-content-sha256'] }
    const chunks = signedChunks(letters, 8191, signS3(toSign, key), key)
    const sent = request({ ...chunked, body: encodedChunks(chunks) }, authorizationOf(toSign, key))
    assert.equal((await refusal(sent)).code, 'InvalidChunkSizeError')
  })

  test('any changed byte is found, wherever the pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(66823),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(66824),
        async (at, mask, cut) => {
          const sent = chunkedRequest((chunks) => chunks)
          const body = Buffer.from(sent.body)
          body[at] = (body[at] ?? 0) ^ mask
          const pieces = [body.subarray(0, cut), body.subarray(cut)]
          const stream = {
            length: body.length,
            async *[Symbol.asyncIterator]() {
              yield* pieces
            },
          }
          const whole = await read({ ...sent, body: Buffer.alloc(0), stream }).catch(
            (error) => error.code,
          )
          // The digits of a size have two spellings; nothing else has.
          if (whole !== 'IncompleteBody' && whole !== 'invalid-signature') {
            assert.equal(whole, letters.toString())
            assert.equal(mask, 0x20)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('trailers', () => {
  const crc = (body: Buffer) => {
    const sum = checksum('crc32c')
    sum.update(body)
    return sum.digest().toString('base64')
  }
  const trailing = (form: string, body: (seed: string) => Buffer) => {
    const headers = {
      ...chunked.headers,
      'x-amz-content-sha256': form,
      'x-amz-trailer': 'x-amz-checksum-crc32c',
    }
    const toSign = { ...chunked, headers, contentSha256: form }
    return request(
      { ...chunked, headers, body: body(signS3(toSign, key)) },
      authorizationOf(toSign, key),
    )
  }
  const signedForm = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
  const signed = (value: string, covered = value) =>
    trailing(signedForm, (seed) => {
      const chunks = signedChunks(letters, 65536, seed, key)
      const line = (text: string) => `x-amz-checksum-crc32c:${text}`
      const signature = trailerSignature(`${line(covered)}\n`, chunks.at(-1)?.signature ?? '', key)
      return encodedChunks(chunks, `${line(value)}\r\nx-amz-trailer-signature:${signature}\r\n`)
    })
  const unsigned = (trailers: string) =>
    trailing('STREAMING-UNSIGNED-PAYLOAD-TRAILER', () =>
      Buffer.from(`${(66560).toString(16)}\r\n${letters}\r\n0\r\n${trailers}\r\n`),
    )

  test('signed', async () => {
    assert.equal(await read(signed(crc(letters))), letters.toString())
    assert.equal((await refusal(signed(crc(letters), 'AAAAAA=='))).code, 'invalid-signature')
    assert.equal((await refusal(signed('AAAAAA=='))).code, 'BadDigest')
  })

  test('unsigned', async () => {
    const good = `x-amz-checksum-crc32c:${crc(letters)}\r\n`
    assert.equal(await read(unsigned(good)), letters.toString())
    for (const [trailers, code] of [
      ['x-amz-checksum-crc32c:AAAAAA==\r\n', 'BadDigest'],
      ['x-amz-checksum-crc32c:AAAA\r\n', 'InvalidRequest'],
      ['', 'MalformedTrailerError'],
      [`${good}${good}`, 'MalformedTrailerError'],
      [`${good}x-amz-checksum-crc32:AAAAAA==\r\n`, 'MalformedTrailerError'],
      [`x-amz-checksum-crc32c=${crc(letters)}\r\n`, 'MalformedTrailerError'],
      [`x-amz-checksum-crc32c:${'A'.repeat(5000)}`, 'IncompleteBody'],
    ] as const) {
      assert.equal((await refusal(unsigned(trailers))).code, code, trailers)
    }
  })
})

test('small chunks are refused in an unsigned body as well', async () => {
  const form = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  const headers = {
    ...chunked.headers,
    'x-amz-content-sha256': form,
    'x-amz-decoded-content-length': '8193',
  }
  const toSign = { ...chunked, headers, contentSha256: form }
  const sent = (...sizes: readonly number[]) => {
    const chunks = sizes.map((size) => `${size.toString(16)}\r\n${'a'.repeat(size)}\r\n`)
    const body = Buffer.from(`${chunks.join('')}0\r\n\r\n`)
    return request({ ...chunked, headers, body }, authorizationOf(toSign, key))
  }
  assert.equal((await read(sent(8192, 1))).length, 8193)
  assert.equal((await refusal(sent(1, 8192))).code, 'InvalidChunkSizeError')
  assert.equal((await refusal(sent(8191, 1, 1))).code, 'InvalidChunkSizeError')
})

describe('digests and literals', () => {
  const body = Buffer.from('Welcome to Amazon S3.')
  const put = (more: Record<string, string>, contentSha256 = welcome, content = body) => {
    const headers = { ...dated, 'x-amz-content-sha256': contentSha256, ...more }
    const toSign = { method: 'PUT', path: '/a', headers, contentSha256 }
    return request({ ...toSign, body: content }, authorizationOf(toSign, key))
  }
  const md5 = createHash('md5').update(body).digest('base64')

  test('are compared', async () => {
    assert.equal(await read(put({ 'content-md5': md5 })), body.toString())
    assert.equal(await read(put({}, 'UNSIGNED-PAYLOAD')), body.toString())
    const refused: readonly [HttpRequest, string][] = [
      [put({}, welcome, Buffer.from('Welcome to Amazon S4.')), 'XAmzContentSHA256Mismatch'],
      [put({ 'content-md5': md5 }, 'UNSIGNED-PAYLOAD', Buffer.from('other')), 'BadDigest'],
      [put({ 'content-md5': 'AAAA' }), 'InvalidDigest'],
      [put({ 'x-amz-checksum-sha256': Buffer.alloc(32).toString('base64') }), 'BadDigest'],
      [put({ 'x-amz-checksum-crc64nvme': 'AAAA' }), 'InvalidRequest'],
      [
        put({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }),
        'InvalidRequest',
      ],
      [put({ 'x-amz-sdk-checksum-algorithm': 'CRC32' }), 'InvalidRequest'],
      [put({}, 'nonsense'), 'InvalidArgument'],
      [put({}, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), 'MissingContentLength'],
    ]
    for (const [sent, code] of refused) assert.equal((await refusal(sent)).code, code)
  })

  test('a body of unknown length needs a coding that tells it', async () => {
    const stream = { length: undefined, async *[Symbol.asyncIterator]() {} }
    const sent = { ...put({}, 'UNSIGNED-PAYLOAD'), body: Buffer.alloc(0), stream }
    const { code, members } = await refusal(sent)
    assert.deepEqual([code, members], ['NotImplemented', { Header: 'Transfer-Encoding' }])
  })
})

describe('a head that does not say who sent it', () => {
  const get = { method: 'GET', path: '/a', headers: plain, contentSha256: empty }
  const good = request(get, authorizationOf(get, key))
  const without = (name: string) => {
    const at = good.rawHeaders.indexOf(name)
    return { ...good, rawHeaders: good.rawHeaders.toSpliced(at, 2) }
  }
  const signedBy = (change: object) => request(get, authorizationOf(get, { ...key, ...change }))
  const url = (expires: number | string, headers = { host }) =>
    request({ ...get, headers, target: presigned({ ...get, headers }, key, expires) })
  const refused: readonly [string, HttpRequest, string, RegExp][] = [
    ['no signature', without('Authorization'), 'missing-authentication', /Missing/],
    [
      'no hash',
      without('x-amz-content-sha256'),
      'InvalidRequest',
      /required header.*x-amz-content-sha256/,
    ],
    ['no date', without('x-amz-date'), 'access-denied', /valid Date or x-amz-date/],
    [
      'another Region',
      signedBy({ region: 'eu-west-1' }),
      'AuthorizationHeaderMalformed',
      /expecting 'us-east-1'/,
    ],
    [
      'another service',
      signedBy({ service: 'kms' }),
      'AuthorizationHeaderMalformed',
      /incorrect service/,
    ],
    ['an unknown key', signedBy({ accessKeyId: 'AKIAOTHER' }), 'unrecognized-client', /token/],
    ['another secret', signedBy({ secret: 'x' }), 'invalid-signature', /does not match/],
    [
      'a header that was not signed',
      { ...good, rawHeaders: [...good.rawHeaders, 'x-amz-acl', 'private'] },
      'access-denied',
      /not signed/,
    ],
    ['another scheme', request(get, 'AWS AKIA:abc'), 'InvalidRequest', /not supported/],
    [
      'two forms',
      { ...url(60), rawHeaders: good.rawHeaders },
      'InvalidArgument',
      /Only one auth mechanism/,
    ],
    ['more than a week', url(604801), 'AuthorizationQueryParametersError', /less than a week/],
    [
      'a time that is no number',
      url('soon'),
      'AuthorizationQueryParametersError',
      /should be a number/,
    ],
    ['a negative time', url(-1), 'AuthorizationQueryParametersError', /non-negative/],
    [
      'half a URL',
      { ...good, target: '/a?X-Amz-Signature=1', rawHeaders: ['host', host] },
      'AuthorizationQueryParametersError',
      /requires the/,
    ],
  ]
  for (const [name, sent, code, text] of refused) {
    test(name, async () => {
      const failure = await refusal(sent)
      assert.equal(failure.code, code)
      assert.match(failure.publicMessage ?? '', text)
    })
  }

  test('too early and too late', async () => {
    for (const minutes of [-16, 16]) {
      const { code, members } = await refusal(good, signedAt + minutes * 60_000)
      assert.equal(code, 'RequestTimeTooSkewed')
      assert.equal(members?.['MaxAllowedSkewMilliseconds'], '900000')
    }
    assert.equal(await read(good, signedAt + 15 * 60_000), '')
  })

  test('a path is neither normalized nor encoded twice', async () => {
    for (const path of ['/a//b', '/a/../b', '/%25', '/a%20b', '/%E2%82%AC', '/.']) {
      const each = { ...get, path }
      assert.equal(await read(request(each, authorizationOf(each, key))), '', path)
    }
    const other = request(
      { ...get, target: '/b' },
      authorizationOf({ ...get, path: '/a/../b' }, key),
    )
    assert.equal((await refusal(other)).code, 'invalid-signature')
  })
})
