import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { percentEncodedPath } from './percent-encoding.ts'
import { canonicalQuery, emptySha256, RequestSigner, sha256Hex } from './request-signer.ts'

const folder = join(import.meta.dirname, '../../tests/vectors/sigv4')

/** Of AWS's suite, cases that have no body, and each header and parameter once. */
const suite = [
  ...['get-vanilla', 'get-vanilla-with-session-token', 'get-header-value-trim', 'get-unreserved'],
  ...['get-vanilla-query-unreserved', 'get-vanilla-query-order-encoded', 'get-vanilla-utf8-query'],
  ...['post-header-key-sort', 'post-vanilla-query'],
]

describe('signatures are those that AWS publishes', () => {
  for (const name of suite) {
    test(name, () => {
      const { credentials, region, service, timestamp } = JSON.parse(fileOf(name, 'context.json'))
      const { access_key_id: accessKeyId, secret_access_key: secret, token } = credentials
      const signer = new RequestSigner(
        { accessKeyId, secretAccessKey: Buffer.from(secret), sessionToken: token },
        { region, service },
      )
      const { authorization } = signer.sign(requestOf(name), Date.parse(timestamp))
      assert.equal(signatureIn(authorization), fileOf(name, 'header-signature.txt').trim())
    })
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  test('of S3, and the secret that was given is wiped', () => {
    const secretAccessKey = Buffer.from('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
    const signer = new RequestSigner(
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey },
      { region: 'us-east-1', service: 's3' },
    )
    assert.ok(secretAccessKey.every((byte) => byte === 0))
    const headers = { host: 'examplebucket.s3.amazonaws.com' }
    const get = { method: 'GET', path: '/', query: '', sha256: emptySha256, headers }
    const welcome = sha256Hex(Buffer.from('Welcome to Amazon S3.'))
    const cases = {
      f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41: {
        ...{ ...get, path: '/test.txt', headers: { ...headers, range: 'bytes=0-9' } },
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd': {
        ...{ method: 'PUT', path: percentEncodedPath('/test$file.text'), query: '' },
        headers: {
          ...{ ...headers, date: 'Fri, 24 May 2013 00:00:00 GMT' },
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
        sha256: welcome,
      },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7': {
        ...{ ...get, query: canonicalQuery({ prefix: 'J', 'max-keys': '2' }) },
      },
    }
    for (const [signature, request] of Object.entries(cases)) {
      const signed = signer.sign(request, Date.UTC(2013, 4, 24))
      assert.equal(signatureIn(signed['authorization']), signature)
      assert.equal(signed['x-amz-date'], '20130524T000000Z')
      assert.equal(signed['x-amz-content-sha256'], request.sha256)
    }
  })
})

test('another day has another key', () => {
  const secretAccessKey = 'wJalrXUtnFEMI'
  const signer = () =>
    new RequestSigner(
      { accessKeyId: 'AKID', secretAccessKey: Buffer.from(secretAccessKey) },
      { region: 'eu-west-1', service: 's3' },
    )
  const request = { method: 'GET', path: '/', query: '', headers: {}, sha256: emptySha256 }
  const [first, second] = [Date.UTC(2026, 1, 3), Date.UTC(2026, 1, 4)]
  const one = signer()
  const found = [first, second, first].map((now) => one.sign(request, now))
  const fresh = [first, second, first].map((now) => signer().sign(request, now))
  assert.deepEqual(found, fresh)
  assert.notEqual(found[0]?.['authorization'], found[1]?.['authorization'])
})

test('what is no unreserved character is encoded in paths and parameters', () => {
  const path = percentEncodedPath("/books/it's (a) + ~key*/日本//x%2F")
  assert.equal(path, '/books/it%27s%20%28a%29%20%2B%20~key%2A/%E6%97%A5%E6%9C%AC//x%252F')
  const query = canonicalQuery({ prefix: 'a b/c', 'list-type': '2', delimiter: '' })
  assert.equal(query, 'delimiter=&list-type=2&prefix=a%20b%2Fc')
})

function signatureIn(authorization: string | undefined): string | undefined {
  return authorization?.split('Signature=')[1]
}

function fileOf(name: string, file: string): string {
  return readFileSync(join(folder, name, file), 'utf8')
}

function requestOf(name: string) {
  const [first = '', ...lines] = fileOf(name, 'request.txt').trim().split('\n')
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? []
  const { pathname, searchParams } = new URL(target, 'http://host')
  const headers = lines.map((line): [string, string] => {
    const at = line.indexOf(':')
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1)]
  })
  return {
    ...{ method, path: pathname, query: canonicalQuery(Object.fromEntries(searchParams)) },
    headers: Object.fromEntries(headers),
    sha256: emptySha256,
  }
}
