import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ServiceError, s3Error } from '../../base/errors.ts'
import { escapeXml } from '../query/xml.ts'
import { integer, list, string, structure, timestamp } from '../schema.ts'
import { GatheringRoom } from './gathering-room.ts'
import { RestXml } from './protocol.ts'
import { readElement } from './read.ts'
import { hostedBucket, resourceOf } from './resource.ts'
import { Routes } from './routes.ts'
import { parseXml } from './xml.ts'

const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (error instanceof ServiceError) return error.code
    throw error
  }
  return undefined
}

describe('XML', () => {
  const bad = [
    ...['', '<', '<a', '<a>', '</a>', '<a></b>', '<a/><b/>', '<a/>x', 'x<a/>', '<a>x<b/></a>'],
    ...[
      '<a><b/>x</a>',
      '<!DOCTYPE a><a/>',
      '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
      '<a>&x;</a>',
    ],
    ...['<a>&amp</a>', '<a>&#0;</a>', '<a>&#xD800;</a>', '<a>&#x110000;</a>', '<a>&#8;</a>'],
    ...['<a><!-- x --></a>', '<a><![CDATA[x]]></a>', '<a><?x y?></a>', '<a b=c/>', '<a b="<"/>'],
    ...['<a>\0</a>', '<a>\ufffe</a>', '</a b="c">', '<a></a b="c">', '<1/>', '< a/>'],
  ]
  for (const text of bad) {
    test(`${JSON.stringify(text)} is malformed`, () => {
      assert.equal(
        codeOf(() => parseXml(Buffer.from(text))),
        'MalformedXML',
      )
    })
  }

  test('bytes that are no UTF-8, too deep and too much', () => {
    const deep = `${'<a>'.repeat(17)}${'</a>'.repeat(17)}`
    for (const bytes of [
      Buffer.from('<a>\xff</a>', 'latin1'),
      Buffer.from(deep),
      Buffer.from(`<a>${'<b/>'.repeat(128 * 1024)}</a>`),
    ]) {
      assert.equal(
        codeOf(() => parseXml(bytes)),
        'MalformedXML',
      )
    }
  })

  test('many texts without references take no longer than as many bytes', () => {
    const text = `<a>${'<b>x</b>'.repeat(100_000)}<c>&lt;1&gt;</c><d e="&amp;">2</d><d>&#51;</d></a>`
    const begun = performance.now()
    const { children } = parseXml(Buffer.from(text))
    // It was ten seconds when each text looked through all that follows.
    assert.ok(performance.now() - begun < 2000)
    assert.deepEqual(
      children.slice(-4).map((each) => each.text),
      ['x', '<1>', '2', '3'],
    )
  })

  test('references have a bound', () => {
    const referring = (count: number) => Buffer.from(`<a>${'&#9;'.repeat(count)}</a>`)
    assert.equal(parseXml(referring(256 * 1024)).text.length, 256 * 1024)
    assert.equal(
      codeOf(() => parseXml(referring(256 * 1024 + 1))),
      'MalformedXML',
    )
  })

  test('what is well formed is read, prefixes and attributes read over', () => {
    const text =
      '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<x:a xmlns:x="u" y=\'z\'> <b>1 &lt;&#65;&#x42;</b>\n<c/></x:a>\n'
    const { name, children } = parseXml(Buffer.from(text))
    assert.equal(name, 'a')
    assert.deepEqual(
      children.map((each) => [each.name, each.text]),
      [
        ['b', '1 <AB'],
        ['c', ''],
      ],
    )
  })

  test('any text comes back as it was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML cannot hold is left out.
        const sound = text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
        assert.equal(parseXml(Buffer.from(`<a>${escapeXml(sound)}</a>`)).text, sound)
      }),
    )
  })

  test('whatever comes is read or refused as malformed', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      'b',
      '&',
      ';',
      'lt',
      '#x41',
      ' ',
      '"',
      '=',
      '!--',
      '<a>',
      '</a>',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const code = codeOf(() => parseXml(Buffer.from(`<a>${pieces.join('')}</a>`)))
        assert.ok(code === undefined || code === 'MalformedXML')
      }),
      { numRuns: 2000 },
    )
  })

  test('elements that a schema does not have, or has once, are malformed', () => {
    const schema = structure({
      Parts: { ...list(structure({ Number: integer() })), element: 'Part' },
      Names: list(string(), { each: 'Name' }),
      Text: string(),
    })
    const read = (text: string) => readElement(schema, parseXml(Buffer.from(`<a>${text}</a>`)))
    assert.deepEqual(
      {
        ...(read('<Part><Number>1</Number></Part><Names><Name>x</Name></Names><Part/>') as object),
      },
      { Parts: [{ Number: 1 }, {}], Names: ['x'] },
    )
    for (const text of [
      ...['<Other/>', '<Text>a</Text><Text>b</Text>', '<Text><b/></Text>', 'text'],
      ...['<Part><Number>1x</Number></Part>', '<Names><Other/></Names>', '<__proto__/>'],
    ]) {
      assert.equal(
        codeOf(() => read(text)),
        'MalformedXML',
        text,
      )
    }
  })
})

describe('where a request points', () => {
  const bases = ['localhost', 's3.localhost', 's3.example.org']
  const at = (target: string, host = '127.0.0.1:7781') => {
    const { bucket, key } = resourceOf(target, ['Host', host], bases)
    return [bucket, key]
  }

  test('in path style', () => {
    assert.deepEqual(at('/'), [undefined, undefined])
    assert.deepEqual(at('/b'), ['b', undefined])
    assert.deepEqual(at('/b/'), ['b', undefined])
    assert.deepEqual(at('/b/k'), ['b', 'k'])
    assert.deepEqual(at('/b//k/'), ['b', '/k/'])
    assert.deepEqual(at('/b/a%2Fb%20c+d'), ['b', 'a/b c+d'])
    assert.deepEqual(at('/b/%2561'), ['b', '%61'])
    assert.deepEqual(at('/b/../c'), ['b', '../c'])
  })

  test('in virtual-hosted style', () => {
    assert.deepEqual(at('/k', 'b.localhost:1'), ['b', 'k'])
    assert.deepEqual(at('/b/k', 's3.localhost'), ['b', 'k'])
    assert.deepEqual(at('/k', 'a.b.S3.localhost'), ['a.b', 'k'])
    assert.deepEqual(at('/', 'b.s3.eu-west-1.amazonaws.com'), ['b', undefined])
    assert.deepEqual(at('/b', 's3.eu-west-1.amazonaws.com'), ['b', undefined])
    assert.deepEqual(at('/k', 'b.s3.example.org'), ['b', 'k'])
    assert.equal(hostedBucket('s3.example.org', bases), undefined)
    assert.equal(hostedBucket('other.example.org', bases), undefined)
  })

  test('empty parameters push none out', () => {
    const { query } = resourceOf(`/b?${'&'.repeat(200)}prefix=a&&list-type=2`, [], [])
    assert.deepEqual(
      [...query],
      [
        ['prefix', 'a'],
        ['list-type', '2'],
      ],
    )
    const many = Array.from({ length: 65 }, (_, at) => `p${at}=`).join('&')
    assert.equal(
      codeOf(() => resourceOf(`/b?${many}`, [], [])),
      'InvalidArgument',
    )
  })

  test('what could be read in two ways is refused', () => {
    for (const [target, code] of [
      ['/b/%FF', 'InvalidURI'],
      ['/b/%C0%AF', 'InvalidURI'],
      ['/b/%', 'InvalidURI'],
      ['/b/%ED%A0%80', 'InvalidURI'],
      ['//k', 'InvalidURI'],
      [`/b/${'%E2%82%AC'.repeat(342)}`, 'KeyTooLongError'],
      ['/b?a=1&a=2', 'InvalidArgument'],
      ['/b?a&%61', 'InvalidArgument'],
      ['/b?%FF', 'InvalidURI'],
    ] as const) {
      assert.equal(
        codeOf(() => at(target)),
        code,
        target,
      )
    }
    assert.deepEqual(at(`/b/${'%E2%82%AC'.repeat(341)}`)[1]?.length, 341)
  })
})

describe('a route', () => {
  const routes = new Routes([
    { operation: 'PutObject', method: 'PUT', on: 'object' },
    { operation: 'CopyObject', method: 'PUT', on: 'object', headers: ['x-amz-copy-source'] },
    { operation: 'UploadPart', method: 'PUT', on: 'object', query: ['partNumber', 'uploadId'] },
    { operation: 'GetObject', method: 'GET', on: 'object', may: ['partNumber'] },
    { operation: 'ListObjects', method: 'GET', on: 'bucket' },
    { operation: 'ListObjectsV2', method: 'GET', on: 'bucket', query: ['list-type=2'] },
  ])
  const find = (method: string, target: string, ...headers: string[]) =>
    routes.find(method, resourceOf(target, [], []), (name) => headers.includes(name)).operation

  test('is the one with the most conditions', () => {
    assert.equal(find('PUT', '/b/k'), 'PutObject')
    assert.equal(find('PUT', '/b/k', 'x-amz-copy-source'), 'CopyObject')
    assert.equal(find('PUT', '/b/k?partNumber=1&uploadId=x'), 'UploadPart')
    assert.equal(find('GET', '/b/k?partNumber=1'), 'GetObject')
    assert.equal(find('GET', '/b?prefix=acl'), 'ListObjects')
    assert.equal(find('GET', '/b?list-type=2'), 'ListObjectsV2')
  })

  test('is never one that does not know what makes the request another', () => {
    for (const target of [
      '/b/k?acl',
      '/b/k?acl=',
      '/b/k?tagging',
      '/b/k?uploadId=x',
      '/b/k?%61cl',
      '/b',
    ]) {
      assert.equal(find('PUT', target), undefined, target)
    }
    assert.equal(find('PUT', '/b/k?uploadId=x&partNumber=1&acl'), undefined)
    assert.equal(find('GET', '/b?list-type=1'), undefined)
    assert.equal(find('DELETE', '/b/k'), undefined)
  })
})

describe('an answer', () => {
  const protocol = new RestXml(
    resourceOf('/b/a<b', [], []),
    'http://ns/',
    new Set(),
    new GatheringRoom(),
  )

  test('of an error tells what S3 tells', () => {
    const error = s3Error('NoSuchKey', { Key: 'a<b' }, { detail: 'hidden' })
    const { status, headers, body } = protocol.encodeError(error, 'id-1')
    assert.equal(status, 404)
    assert.equal(
      body,
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>' +
        '<Message>The specified key does not exist.</Message><Key>a&lt;b</Key><Resource>/b/a&lt;b</Resource>' +
        '<RequestId>id-1</RequestId><HostId>aWQtMQ==</HostId></Error>',
    )
    assert.ok(headers.includes('x-amz-request-id') && headers.includes('x-amz-id-2'))
  })

  test('304 has no body and no length', () => {
    const { status, headers, body } = protocol.encodeError(s3Error('NotModified'), 'id-1')
    assert.deepEqual([status, body, headers.includes('Content-Length')], [304, '', false])
  })

  test('of failures that are not of S3 alone', () => {
    for (const [code, status, name] of [
      ['access-denied', 403, 'AccessDenied'],
      ['missing-authentication', 403, 'AccessDenied'],
      ['invalid-signature', 403, 'SignatureDoesNotMatch'],
      ['unrecognized-client', 403, 'InvalidAccessKeyId'],
      ['disabled', 400, 'KMS.DisabledException'],
      ['invalid-state', 400, 'KMS.KMSInvalidStateException'],
      ['not-found', 400, 'KMS.NotFoundException'],
      ['throttled', 503, 'SlowDown'],
      ['internal', 500, 'InternalError'],
      ['policy-evaluation', 500, 'InternalError'],
    ] as const) {
      const reply = protocol.encodeError(new ServiceError(code, 'words'), 'id')
      assert.deepEqual(
        [reply.status, /<Code>(.*)<\/Code>/.exec(String(reply.body))?.[1]],
        [status, name],
      )
    }
  })

  test('of XML has the root, the names and the times of S3', () => {
    const output = structure(
      {
        Buckets: list(structure({ Name: string(), CreationDate: timestamp() }), { each: 'Bucket' }),
        Keys: { ...list(string()), element: 'Key' },
      },
      { root: 'Root' },
    )
    const { body } = protocol.encode(
      'X',
      output,
      { Buckets: [{ Name: 'a&b', CreationDate: 1000 }], Keys: ['k', 'l'] },
      'id',
    )
    assert.equal(
      body,
      '<?xml version="1.0" encoding="UTF-8"?>\n<Root xmlns="http://ns/"><Buckets><Bucket><Name>a&amp;b</Name>' +
        '<CreationDate>1970-01-01T00:00:01.000Z</CreationDate></Bucket></Buckets><Key>k</Key><Key>l</Key></Root>',
    )
  })
})
