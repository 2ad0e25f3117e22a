import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from './base/caller.ts'
import { ServiceError } from './base/errors.ts'
import type { AccountId, Region } from './base/ids.ts'
import { Directory } from './directory.ts'
import type { Call } from './record/call.ts'
import type { AnyOperation, Service } from './services/operation.ts'
import type { HttpRequest } from './wire/protocol.ts'

const operations = (...names: string[]) =>
  new Map(names.map((name) => [name, { name } as AnyOperation]))

const keys: Service = {
  signingName: 'keys',
  eventSource: 'keys.test',
  protocol: { name: 'json', targetPrefixes: ['Keys', 'com.example.Keys_2014'] },
  operations: operations('Turn'),
  deps: undefined,
}
const names: Service = {
  signingName: 'names',
  eventSource: 'names.test',
  protocol: { name: 'query', version: '2011-06-15', namespace: 'urn:names' },
  operations: operations('Ask'),
  deps: undefined,
}
const places: Service = {
  signingName: 'places',
  eventSource: 'places.test',
  protocol: { name: 'query', version: '2010-05-08', namespace: 'urn:places' },
  operations: operations('Ask', 'Tell'),
  deps: undefined,
}
const directory = new Directory([keys, names, places])

function request(members: Partial<HttpRequest> & { headers?: string[] }): HttpRequest {
  const { headers = [], ...rest } = members
  const body = Buffer.alloc(0)
  return {
    method: 'POST',
    target: '/',
    rawHeaders: headers,
    body,
    remoteAddress: '::1',
    ...rest,
  }
}

const json = (target: string) => request({ headers: ['X-Amz-Target', target] })
const form = (text: string) =>
  request({
    headers: ['content-type', 'application/x-www-form-urlencoded'],
    body: Buffer.from(text),
  })

function find(asked: HttpRequest, service: string): { call: Call; operation: AnyOperation } {
  const call: Call = {
    request: asked,
    reply: () => {},
    evidence: [],
    requestId: '',
    addressed: directory.identify(asked),
  }
  const identity = {
    caller: { account: '111122223333' as AccountId } as Caller,
    region: 'us-east-1' as Region,
    service,
    accessKeyId: 'A',
  }
  return { call, operation: directory.operationOf(call, identity) }
}

const unknown = (message: string | undefined) => (error: unknown) => {
  assert.deepEqual(
    [(error as { code: string }).code, (error as { publicMessage?: string }).publicMessage],
    ['unknown-operation', message],
  )
  return true
}

describe('a request finds its operation', () => {
  test('by its target, in every spelling that a service has', () => {
    for (const target of ['Keys.Turn', 'com.example.Keys_2014.Turn']) {
      const { call, operation } = find(json(target), 'keys')
      assert.equal(operation.name, 'Turn')
      assert.equal(call.service, keys)
      assert.equal(call.addressed?.protocol.name, 'json')
    }
  })

  test('by its action and the service of its signature, in a body or a query', () => {
    const asked = [
      form('Action=Ask&Version=2011-06-15'),
      request({ method: 'GET', target: '/?Action=Ask&Version=2011-06-15' }),
    ]
    for (const each of asked) {
      const { call, operation } = find(each, 'names')
      assert.deepEqual([operation.name, call.service], ['Ask', names])
      assert.equal(call.addressed?.protocol.name, 'query')
    }
  })

  test('by the version that it names, where several services speak the protocol', () => {
    const told = find(form('Action=Tell&Version=2010-05-08'), 'places')
    assert.deepEqual([told.operation.name, told.call.service], ['Tell', places])
    assert.equal(find(form('Action=Ask&Version=2010-05-08'), 'places').call.service, places)
    assert.equal(find(form('Action=Ask&Version=2011-06-15'), 'names').call.service, names)
  })

  test('or not, and then the text is that of its protocol', () => {
    for (const target of ['Keys.Sing', 'Keys.constructor', 'No.Turn', 'keys.Turn', 'Keys.turn']) {
      assert.throws(() => find(json(target), 'keys'), unknown(undefined), target)
    }
    assert.throws(() => find(request({}), 'keys'), unknown(undefined))
    assert.throws(() => find(request({}), 'names'), unknown(undefined))
    assert.throws(
      () => find(form('Action=Sing'), 'names'),
      unknown('Could not find operation Sing for version 2011-06-15'),
    )
    assert.throws(
      () => find(form(`Action=${'x'.repeat(200)}`), 'names'),
      unknown(`Could not find operation ${'x'.repeat(64)} for version 2011-06-15`),
    )
    assert.throws(
      () => find(form(''), 'names'),
      unknown('Could not find operation  for version 2011-06-15'),
    )
    assert.throws(
      () => find(form('Action=Turn'), 'keys'),
      unknown('Could not find operation Turn'),
      'a service is not spoken to in another protocol',
    )
  })

  test('only with a signature for that service', () => {
    assert.throws(() => find(json('Keys.Turn'), 'names'), {
      code: 'invalid-signature',
      publicMessage: "Credential should be scoped to correct service: 'keys'. ",
    })
    assert.throws(() => find(form('Action=Tell&Version=2010-05-08'), 'names'), {
      code: 'invalid-signature',
      publicMessage: "Credential should be scoped to correct service: 'places'. ",
    })
  })
})

describe('a failure is in the namespace', () => {
  const namespaceOf = (text: string, service?: string): string | undefined => {
    const call: Call = {
      request: form(text),
      reply: () => {},
      evidence: [],
      requestId: '',
      addressed: directory.identify(form(text)),
    }
    const caller = { account: '111122223333' as AccountId } as Caller
    const region = 'us-east-1' as Region
    try {
      if (service !== undefined) {
        directory.operationOf(call, { caller, region, service, accessKeyId: 'A' })
      }
    } catch {
      // What it is answered with is looked at below.
    }
    const answer = call.addressed?.protocol.encodeError(new ServiceError('validation'), '')
    return /xmlns="([^"]*)"/.exec(String(answer?.body))?.[1]
  }

  test('of the version that was named', () => {
    assert.equal(namespaceOf('Action=Ask&Version=2010-05-08'), 'urn:places')
    assert.equal(namespaceOf('Action=Ask&Version=2011-06-15'), 'urn:names')
  })

  test('of the service that was signed for, where no such version is', () => {
    assert.equal(namespaceOf('Action=Tell&Version=1999-01-01', 'places'), 'urn:places')
    assert.equal(namespaceOf('Action=Tell', 'places'), 'urn:places')
    assert.equal(namespaceOf('Action=Tell', 'names'), 'urn:names')
    assert.equal(namespaceOf('Action=Tell'), 'urn:names')
  })
})

test('two services of one version cannot be told apart', () => {
  assert.throws(() => new Directory([names, { ...places, protocol: names.protocol }]), /two of/)
})

test('a directory names what may be signed for', () => {
  assert.deepEqual(directory.signingNames, new Set(['keys', 'names', 'places']))
})

test('a deployment without a service of the Query protocol answers in JSON', () => {
  const { protocol } = new Directory([keys]).identify(form('Action=Ask'))
  assert.equal(protocol.name, 'json')
})

describe('a request of REST XML is known by its head', () => {
  const things: Service = {
    signingName: 's3',
    eventSource: 's3.test',
    protocol: { name: 'rest-xml', namespace: 'urn:things', routes: [] },
    operations: operations(),
    deps: undefined,
  }
  const all = new Directory([keys, names, things])
  const signedFor = (service: string) => [
    'authorization',
    `AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  ]
  const form = ['Content-Type', 'application/x-www-form-urlencoded']
  const target = ['X-Amz-Target', 'Keys.Turn']

  const cases: readonly [
    what: string,
    method: string,
    target: string,
    headers: string[],
    streams: boolean,
  ][] = [
    ['POST /, whoever signed', 'POST', '/', signedFor('s3'), false],
    ['an unsigned GET', 'GET', '/', [], true],
    ['an object', 'PUT', '/a/b', signedFor('s3'), true],
    ['a batch in virtual-hosted style', 'POST', '/?delete', signedFor('s3'), true],
    ['the same as curl sends it', 'POST', '/?delete', [...signedFor('s3'), ...form], true],
    ['a form with a query', 'POST', '/?X-Amz-Algorithm=AWS4-HMAC-SHA256', form, false],
    ['a Query GET', 'GET', '/?Version=1&Action=Ask', signedFor('names'), false],
    ['an unsigned Query GET', 'GET', '/?Action=Ask', [], false],
    ['a list that is signed for S3', 'GET', '/?Action=Ask', signedFor('s3'), true],
    ['an object called like an action', 'GET', '/a?Action=Ask', [], true],
    ['GET / for another service', 'GET', '/', signedFor('keys'), false],
    ['PUT / for another service', 'PUT', '/', signedFor('keys'), false],
    ['another path for another service', 'POST', '/keys', signedFor('keys'), false],
    ['a target on another path', 'POST', '/keys', target, false],
    ['a target that is signed for S3', 'PUT', '/a', [...target, ...signedFor('s3')], true],
    ['a service that there is not', 'PUT', '/a', signedFor('constructor'), true],
    ['no scope at all', 'PUT', '/a', ['authorization', 'AWS A:b'], true],
  ]
  for (const [what, method, path, rawHeaders, streams] of cases) {
    test(`${what}: ${streams}`, () => {
      assert.equal(all.streams({ method, target: path, rawHeaders }), streams)
      const { protocol } = all.identify(request({ method, target: path, headers: rawHeaders }))
      assert.equal(protocol.name === 'rest-xml', streams)
      assert.equal(directory.streams({ method, target: path, rawHeaders }), false)
    })
  }
})
