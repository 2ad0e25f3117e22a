import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { Authenticator } from './authenticator.ts'
import { accessKeyId, bench, caller, record, refusal, withKey } from './testing/bench.ts'
import { sign, withHeader } from './testing/signer.ts'

const target = ['X-Amz-Target', 'TrentService.Encrypt'] as const
const good = sign({ headers: [target] }, withKey)
const mismatchText =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
  'and signing method. Consult the service documentation for details.'
const invalidToken = 'The security token included in the request is invalid.'
const nonconforming = 'The request signature does not conform to AWS standards.'

async function refused(request: HttpRequest, code: string, text: string, detail?: string) {
  const error = await refusal(bench().authenticator, request, text)
  assert.equal(error.code, code)
  assert.equal(error.publicMessage, text)
  if (detail !== undefined) assert.equal(error.detail, detail)
}

const withAuthorization = (change: (value: string) => string | undefined, request = good) =>
  withHeader(request, 'authorization', change)
const added = (...pair: string[]) => ({ ...good, rawHeaders: [...good.rawHeaders, ...pair] })
const digestOf = (text: string) => createHash('sha256').update(text).digest('base64')

test('says who signed', async () => {
  const { authenticator } = bench()
  const expected = { caller, region: 'us-east-1', service: 'kms', accessKeyId }
  assert.deepEqual(await authenticator.verify(good), expected)
})

test('answers at once when the signing key is at hand, and throws at once then', async () => {
  const { authenticator } = bench()
  await authenticator.verify(good)
  assert.ok(!(authenticator.verify(good) instanceof Promise))
  assert.throws(
    () => authenticator.verify({ ...good, body: Buffer.from('{ }') }),
    (error: ServiceError) => error.code === 'invalid-signature',
  )
})

test('no signature', async () => {
  const bare = withAuthorization(() => undefined)
  await refused(bare, 'missing-authentication', 'Missing Authentication Token', 'not signed')
  const inQuery = { ...bare, target: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00' }
  await refused(
    inQuery,
    'missing-authentication',
    'Missing Authentication Token',
    'signed in the query',
  )
})

test('both forms at once', async () => {
  await refused(
    sign({ query: [['X-Amz-Algorithm', 'AWS4-HMAC-SHA256']] }, withKey),
    'invalid-signature',
    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
  )
  for (const target of ['/?x-amz-algorithm', '/?a=b&X-Amz-Algorithm&c=d']) {
    const error = await refusal(bench().authenticator, { ...good, target })
    assert.match(error.message, /^Found both 'X-Amz-Algorithm'/)
  }
})

test('another scheme is not shown again', async () => {
  for (const header of ['Bearer wJalrXUtnFEMI', 'wJalrXUtnFEMI']) {
    const digest = digestOf(header)
    const error = await refusal(
      bench().authenticator,
      withAuthorization(() => header),
    )
    assert.equal(error.code, 'incomplete-signature')
    assert.ok(!`${error.publicMessage}${error.detail}`.includes('wJalr'))
    assert.ok(error.message.includes(digest), error.message)
  }
  await refused(
    withAuthorization(() => 'Bearer abc'),
    'incomplete-signature',
    'Invalid key=value pair (missing equal-sign) in Authorization header ' +
      `(hashed with SHA-256 and encoded with Base64): '${digestOf('Bearer abc')}'.`,
  )
})

test('missing parameters and a missing date stand in one text, in AWS order', async () => {
  const header = 'AWS4-HMAC-SHA256'
  const bare = withHeader(
    withAuthorization(() => header),
    'x-amz-date',
    () => undefined,
  )
  await refused(
    bare,
    'incomplete-signature',
    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
      "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either " +
      "a 'X-Amz-Date' or a 'Date' header. " +
      `(Hashed with SHA-256 and encoded with Base64) Authorization=${digestOf(header)}`,
  )
  for (const name of ['Credential', 'Signature', 'SignedHeaders']) {
    const without = (text: string) =>
      text.replace(new RegExp(`${name}=[^,]+(, )?`), '').replace(/, $/, '')
    const changed = withAuthorization(without)
    const left = without(good.rawHeaders.at(-1) ?? '')
    await refused(
      changed,
      'incomplete-signature',
      `Authorization header requires '${name}' parameter. ` +
        `(Hashed with SHA-256 and encoded with Base64) Authorization=${digestOf(left)}`,
    )
  }
})

test('another algorithm', async () => {
  for (const name of ['AWS4-HMAC-SHA25', 'AWS4-ECDSA-P256-SHA256', 'aws4-hmac-sha256']) {
    await refused(
      withAuthorization((text) => text.replace('AWS4-HMAC-SHA256', name)),
      'incomplete-signature',
      `Unsupported AWS 'algorithm': '${name}' (only AWS4-HMAC-SHA256 for now). `,
    )
  }
  for (const [name, shown] of [
    ['', ''],
    ['a'.repeat(33), 'a'.repeat(32)],
  ] as const) {
    await refused(
      withAuthorization((text) => text.replace('AWS4-HMAC-SHA256', name)),
      'incomplete-signature',
      `Unsupported AWS 'algorithm': '${shown}' (only AWS4-HMAC-SHA256 for now). `,
    )
  }
})

test('a credential that has not five elements is not shown again', async () => {
  for (const credential of ['a/b/c/d', 'a/b/c/d/e/f', '', `${accessKeyId}/`]) {
    await refused(
      withAuthorization((text) => text.replace(/Credential=[^,]+/, `Credential=${credential}`)),
      'incomplete-signature',
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term',
    )
  }
})

test('parameters that could be read in two ways', async () => {
  const twice = (text: string) => `${text}, Signature=${'0'.repeat(64)}`
  const again = 'Signature stands twice'
  await refused(withAuthorization(twice), 'incomplete-signature', nonconforming, again)
  for (const pair of ['Other=1', '=1']) {
    await refused(
      withAuthorization((text) => `${text}, ${pair}`),
      'incomplete-signature',
      nonconforming,
      'unknown parameter in the Authorization header',
    )
  }
  const long = (text: string) => text.padEnd(8193)
  const tooLong = 'Authorization header too long'
  await refused(withAuthorization(long), 'incomplete-signature', nonconforming, tooLong)
  const longest = withAuthorization((text) => text.padEnd(8192))
  assert.equal((await bench().authenticator.verify(longest)).accessKeyId, accessKeyId)
})

test('spaces around parameters do not matter, nor their order', async () => {
  const [, scheme, credential, signed, signature] =
    /^(\S+) (\S+), (\S+), (\S+)$/.exec(good.rawHeaders.at(-1) ?? '') ?? []
  for (const header of [
    `${scheme} ${credential},${signed},${signature}`,
    `${scheme} ${signature},  ${signed} , ${credential}`,
  ]) {
    const accepted = await bench().authenticator.verify(withAuthorization(() => header))
    assert.equal(accepted.accessKeyId, accessKeyId)
  }
})

test('every element of the scope, each with its sentence', async () => {
  const scoped = (from: string, to: string) =>
    withAuthorization((text) => text.replace(`/${from}`, `/${to}`))
  const date = (shown: string) =>
    'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
    `'${shown}' != '20150830', from '20150830T123600Z'.`
  const region = 'Credential should be scoped to a valid region. '
  const service = "Credential should be scoped to correct service: 'kms', 'sts', 'service'. "
  const terminator = "Credential should be scoped with a valid terminator: 'aws4_request'. "
  await refused(scoped('us-east-1', 'us-west-2'), 'invalid-signature', region)
  await refused(scoped('kms', 's3'), 'invalid-signature', service)
  await refused(scoped('aws4_request', 'aws5_request'), 'invalid-signature', terminator)
  await refused(scoped('20150830', '20150831'), 'invalid-signature', date('20150831'))
  await refused(scoped('20150830', '2015'), 'invalid-signature', date('2015'))
  await refused(scoped('20150830', ''), 'invalid-signature', date(''))
  await refused(scoped('20150830', '1'.repeat(33)), 'invalid-signature', date('1'.repeat(32)))
  const all = scoped('20150830/us-east-1/kms/aws4_request', 'b/c/d/e')
  await refused(all, 'invalid-signature', region + service + terminator + date('b'))
})

test('the only service is named alone', async () => {
  const { authenticator } = bench({ services: new Set(['kms']) })
  const error = await refusal(authenticator, sign({}, { ...withKey, service: 'sts' }))
  assert.equal(error.publicMessage, "Credential should be scoped to correct service: 'kms'. ")
})

test('clocks five minutes apart, not a second more', async () => {
  const { authenticator, state } = bench()
  const at = Date.UTC(2015, 7, 30, 12, 36, 0)
  for (const now of [at + 300_000, at + 300_999, at - 300_000]) {
    state.now = now
    assert.equal((await authenticator.verify(good)).accessKeyId, accessKeyId)
  }
  state.now = at + 301_000
  const expired = await refusal(authenticator, good)
  assert.equal(expired.code, 'invalid-signature')
  assert.equal(
    expired.publicMessage,
    'Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)',
  )
  state.now = at - 300_001
  const early = await refusal(authenticator, good)
  assert.equal(early.code, 'invalid-signature')
  assert.equal(
    early.publicMessage,
    'Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)',
  )
})

test('another window', async () => {
  const { authenticator, state } = bench({ windowMs: 15 * 60_000 })
  state.now += 15 * 60_000
  await authenticator.verify(good)
  state.now += 1000
  assert.match((await refusal(authenticator, good)).message, / - 15 min\.\)$/)
})

test('dates that are none', async () => {
  for (const date of [
    '201',
    '20150230T123600Z',
    '2015-08-30T12:36:00Z',
    '20150830T123600z',
    '20150830T243600Z',
    '',
  ]) {
    await refused(
      withHeader(good, 'x-amz-date', () => date),
      'incomplete-signature',
      `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
})

test('Date stands in for X-Amz-Date, in both forms, when it is signed', async () => {
  // The timestamp in the string to sign is the same one, whatever header it came in.
  for (const value of ['20150830T123600Z', 'Sun, 30 Aug 2015 12:36:00 GMT']) {
    const signed = ['date', 'host']
    const request = sign({ headers: [['Date', value]], signed }, withKey)
    const { authenticator } = bench()
    const withoutAmz = withHeader(request, 'x-amz-date', () => undefined)
    assert.equal((await authenticator.verify(withoutAmz)).accessKeyId, accessKeyId)
    const other = withHeader(withoutAmz, 'date', () => 'Sun, 30 Aug 2015 12:36:01 GMT')
    assert.equal((await refusal(authenticator, other)).message, mismatchText)
  }
  const unsigned = sign({ headers: [['Date', '20150830T123600Z']], signed: ['host'] }, withKey)
  const error = await refusal(
    bench().authenticator,
    withHeader(unsigned, 'x-amz-date', () => undefined),
  )
  assert.equal(error.detail, 'unsigned header date')
  const odd = withHeader(unsigned, 'x-amz-date', () => undefined)
  for (const value of ['Sun, 30 Aug 2015 12:36:00 EST', 'Mon, 30 Aug 2015 12:36:00 GMT', '2015']) {
    const { code } = await refusal(
      bench().authenticator,
      withHeader(odd, 'date', () => value),
    )
    assert.equal(code, 'incomplete-signature', value)
  }
})

test('host must be signed', async () => {
  const text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
  await refused(sign({ signed: ['x-amz-date'] }, withKey), 'invalid-signature', text)
  const none = withAuthorization((value) => value.replace(/SignedHeaders=[^,]+/, 'SignedHeaders='))
  await refused(none, 'invalid-signature', text)
})

test('every x-amz header that is there must be signed', async () => {
  const text = 'There were headers present in the request which were not signed'
  for (const name of ['X-Amz-Meta', 'x-amz-security-token', 'X-AMZ-CONTENT-SHA256']) {
    await refused(
      added(name, 'x'),
      'invalid-signature',
      text,
      `unsigned header ${name.toLowerCase()}`,
    )
  }
  const noDate = sign({ headers: [target], signed: ['host', 'x-amz-target'] }, withKey)
  await refused(noDate, 'invalid-signature', text, 'unsigned header x-amz-date')
})

test('headers that others may add or change on the way need not be signed', async () => {
  const request = added('User-Agent', 'test', 'Content-Type', 'x', 'x-amzn-trace-id', 'Root=1')
  assert.equal((await bench().authenticator.verify(request)).accessKeyId, accessKeyId)
})

test('a signed header that is not there', async () => {
  const request = sign(
    { headers: [target], signed: ['host', 'x-amz-date', 'x-amz-target', 'x-b'] },
    withKey,
  )
  await refused(request, 'invalid-signature', mismatchText, 'signed header x-b is not there')
})

test('a list of signed headers that is not canonical', async () => {
  for (const list of [
    'x-amz-date;host;x-amz-target',
    'host;host;x-amz-date;x-amz-target',
    'host;;x-amz-date',
    'host;X-Amz-Date',
  ]) {
    const request = withAuthorization((value) =>
      value.replace(/SignedHeaders=[^,]+/, `SignedHeaders=${list}`),
    )
    await refused(request, 'invalid-signature', mismatchText, 'SignedHeaders not canonical')
  }
})

test('more than 64 signed headers', async () => {
  const headers = Array.from({ length: 63 }, (_, i) => [`x-h${i}`, 'v'] as const)
  assert.ok(await bench().authenticator.verify(sign({ headers: headers.slice(1) }, withKey)))
  await refused(
    sign({ headers }, withKey),
    'incomplete-signature',
    nonconforming,
    'too many signed headers',
  )
})

test('too many headers', async () => {
  const many = Array.from({ length: 300 }, (_, i) => [`h${i}`, 'v']).flat()
  await refused(added(...many), 'incomplete-signature', nonconforming, 'too many headers')
})

test('headers that may stand once only', async () => {
  for (const name of [
    'Authorization',
    'X-Amz-Date',
    'Host',
    'X-Amz-Target',
    'Date',
    'x-amz-content-sha256',
  ]) {
    const value = good.rawHeaders[good.rawHeaders.indexOf(name) + 1] ?? 'x'
    const twice = added(name, value, name.toUpperCase(), value)
    const detail = `header ${name.toLowerCase()} stands twice`
    await refused(twice, 'incomplete-signature', nonconforming, detail)
  }
  for (const name of ['Content-Type', 'X-Amz-Security-Token']) {
    const twice = sign(
      {
        headers: [
          [name, 'a'],
          [name, 'a'],
        ],
      },
      withKey,
    )
    await refused(twice, 'incomplete-signature', nonconforming)
  }
})

test('unknown, inactive and replaced access keys look the same', async () => {
  const { authenticator, records } = bench()
  const unknown = await refusal(authenticator, sign({}, { ...withKey, accessKeyId: 'AKIDUNKNOWN' }))
  records.set(accessKeyId, record({ status: 'Inactive' }))
  const inactive = await refusal(authenticator, good)
  for (const error of [unknown, inactive]) {
    assert.equal(error.code, 'unrecognized-client')
    assert.equal(error.publicMessage, invalidToken)
    assert.equal(error.detail, 'no such active access key')
  }
})

test('a key made inactive, deleted or active again acts on the next call', async () => {
  const { authenticator, records, state } = bench()
  await authenticator.verify(good)
  records.set(accessKeyId, record({ status: 'Inactive' }))
  assert.equal((await refusal(authenticator, good)).code, 'unrecognized-client')
  records.set(accessKeyId, record())
  assert.ok(!(authenticator.verify(good) instanceof Promise))
  records.delete(accessKeyId)
  assert.equal((await refusal(authenticator, good)).code, 'unrecognized-client')
  assert.equal(state.derivations, 1)
})

test('a new secret acts on the next call, and the old one no longer does', async () => {
  const { authenticator, records, secrets } = bench()
  await authenticator.verify(good)
  secrets.set('resealed', 'another secret')
  records.set(accessKeyId, record({ sealedSecret: 'resealed' }))
  assert.equal((await refusal(authenticator, good)).message, mismatchText)
  const again = sign({}, { ...withKey, secret: 'another secret' })
  assert.equal((await authenticator.verify(again)).accessKeyId, accessKeyId)
})

test('a key that changes while its signing key is derived', async () => {
  for (const [change, detail] of [
    [record({ status: 'Inactive' }), 'no such active access key'],
    [record({ sealedSecret: 'other' }), 'access key replaced'],
    [undefined, 'no such active access key'],
  ] as const) {
    const { authenticator, records } = bench()
    const answer = authenticator.verify(good)
    assert.ok(answer instanceof Promise)
    if (change === undefined) records.delete(accessKeyId)
    else records.set(accessKeyId, change)
    await assert.rejects(
      answer,
      (error: ServiceError) => error.code === 'unrecognized-client' && error.detail === detail,
    )
  }
})

test('a token with a long-term key, and a session key without its token', async () => {
  const token = sign({ headers: [['X-Amz-Security-Token', 'abc']] }, withKey)
  await refused(token, 'unrecognized-client', invalidToken, 'no such session')
  const withoutSessions = bench({ session: () => undefined })
  assert.equal((await refusal(withoutSessions.authenticator, token)).code, 'unrecognized-client')
  const { session: _, ...noSessions } = bench().options
  const nowhere = await refusal(new Authenticator(noSessions), token)
  assert.equal(nowhere.detail, 'no such session')
  const { authenticator, records } = bench()
  records.set('ASIAEXAMPLE', record({ accessKeyId: 'ASIAEXAMPLE' }))
  const error = await refusal(authenticator, sign({}, { ...withKey, accessKeyId: 'ASIAEXAMPLE' }))
  assert.equal(error.code, 'unrecognized-client')
  assert.equal(error.detail, 'session key without its token')
})

test('a session until it ends', async () => {
  const { authenticator, sessions, state } = bench()
  const session = { ...record({ accessKeyId: 'ASIAEXAMPLE' }), expiresAt: state.now + 1000 }
  sessions.set('ASIAEXAMPLE abc', session)
  const key = { ...withKey, accessKeyId: 'ASIAEXAMPLE' }
  const request = sign({ headers: [['X-Amz-Security-Token', 'abc']] }, key)
  assert.equal((await authenticator.verify(request)).accessKeyId, 'ASIAEXAMPLE')
  state.now += 1000
  const error = await refusal(authenticator, request)
  assert.equal(error.code, 'expired-token')
  assert.equal(error.publicMessage, 'The security token included in the request is expired')
  sessions.set('ASIAEXAMPLE abc', { ...session, status: 'Inactive' })
  assert.equal((await refusal(authenticator, request)).code, 'unrecognized-client')
})

test('the hash of the body, when it is sent, is the hash of the body', async () => {
  const hash = createHash('sha256').update('{}').digest('hex')
  const request = sign({ headers: [['x-amz-content-sha256', hash]] }, withKey)
  assert.equal((await bench().authenticator.verify(request)).accessKeyId, accessKeyId)
  for (const literal of [
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    hash.toUpperCase(),
    '',
  ]) {
    const other = sign({ headers: [['x-amz-content-sha256', literal]] }, withKey)
    const detail = 'x-amz-content-sha256 is not the hash of the body'
    await refused(other, 'invalid-signature', mismatchText, detail)
  }
})

test('a signature in another spelling', async () => {
  const upper = (text: string) => text.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase())
  const shorter = (text: string) => text.slice(0, -1)
  const longer = (text: string) => `${text}0`
  // U+0161 is `a` in its low byte.
  const wider = (text: string) => text.replace(/a(?=[0-9a-f]*$)/, 'š')
  for (const change of [upper, shorter, longer, wider]) {
    assert.notEqual(change(good.rawHeaders.at(-1) ?? ''), good.rawHeaders.at(-1))
    await refused(withAuthorization(change), 'invalid-signature', mismatchText)
  }
})

test('targets that have no canonical form', async () => {
  for (const strange of ['http://kms.test/', '*', '', '/?a=%', '/?a=%g0', '/Ā', '/?%4=1']) {
    await refused({ ...good, target: strange }, 'invalid-signature', mismatchText)
  }
})

test('an encoded plus sign does not become a space on the way', async () => {
  const request = sign({ method: 'GET', query: [['Action', 'a+b']] }, withKey)
  assert.equal(request.target, '/?Action=a%2Bb')
  assert.equal((await bench().authenticator.verify(request)).accessKeyId, accessKeyId)
  const changed = { ...request, target: '/?Action=a+b' }
  await refused(changed, 'invalid-signature', mismatchText, 'a plus sign in the query')
})

test('bytes beyond ASCII, in a header and in the path, are compared as bytes', async () => {
  // The signer hashes UTF-8; the listener hands the same bytes over as Latin-1.
  const request = sign({ headers: [['X-Amz-Name', 'ሴ  à']] }, withKey)
  const latin1 = withHeader(request, 'x-amz-name', (text) => Buffer.from(text).toString('latin1'))
  const { authenticator } = bench()
  assert.equal((await authenticator.verify(latin1)).accessKeyId, accessKeyId)
  assert.equal((await refusal(authenticator, request)).detail, 'characters that are no bytes')
})

test('a failing key core fails the request with its own error, and is asked again', async () => {
  let failing = true
  const { authenticator } = bench({
    signingKey: async () => {
      if (failing) throw new ServiceError('unavailable')
      return Buffer.alloc(32)
    },
  })
  assert.equal((await refusal(authenticator, good)).code, 'unavailable')
  failing = false
  assert.equal((await refusal(authenticator, good)).code, 'invalid-signature')
})

test('a key core that answers something else than 32 bytes', async () => {
  const { authenticator } = bench({ signingKey: async () => Buffer.alloc(31) })
  const error = await refusal(authenticator, good)
  assert.deepEqual([error.code, error.detail], ['internal', 'a signing key is 32 bytes'])
})

test('a Region that is none is refused at the start', () => {
  assert.throws(() => bench({ regions: new Set(['nowhere']) }), /'nowhere' is no Region/)
})
