import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HttpRequest } from '../wire/protocol.ts'
import { parseAmzDate } from './amz-date.ts'
import type { Authenticator } from './authenticator.ts'
import { bench, record, refusal } from './testing/bench.ts'
import { withHeader } from './testing/signer.ts'

const folder = join(import.meta.dirname, '../../tests/vectors/sigv4')
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

/** The one case that adds an unsigned token after signing, which is not offered here. */
const unsignedToken = 'post-sts-header-after'
const mismatchText = /^The request signature we calculated does not match/

test('there are 38 cases', () => assert.equal(cases.length, 38))

for (const name of cases) {
  test(name, async () => {
    const { authenticator, sessions, records, normalized } = setUp(name)
    const signed = readRequest(name, 'header-signed-request.txt')
    if (name === unsignedToken) {
      const error = await refusal(authenticator, signed)
      assert.equal(error.code, 'invalid-signature')
      assert.equal(error.detail, 'unsigned header x-amz-security-token')
    }
    const request =
      name === unsignedToken ? withHeader(signed, 'x-amz-security-token', () => undefined) : signed
    const accepted = await authenticator.verify(request)
    assert.equal(accepted.accessKeyId, 'AKIDEXAMPLE')
    assert.equal(accepted.region, 'us-east-1')
    assert.equal(accepted.service, 'service')
    // The key is at hand now: the same request is answered at once.
    assert.ok(!(authenticator.verify(request) instanceof Promise))

    await refusedOnceChanged(authenticator, request, normalized)

    // The same access key with another secret.
    records.set('AKIDEXAMPLE', record({ sealedSecret: 'other' }))
    for (const [key, session] of sessions) sessions.set(key, { ...session, sealedSecret: 'other' })
    assert.match((await refusal(authenticator, request)).message, mismatchText)
  })

  test(`${name}, signed in the query, is refused`, async () => {
    const { authenticator } = setUp(name)
    const error = await refusal(authenticator, readRequest(name, 'query-signed-request.txt'))
    assert.equal(error.code, 'missing-authentication')
  })
}

async function refusedOnceChanged(
  authenticator: Authenticator,
  request: HttpRequest,
  normalized: boolean,
) {
  let changes = 0
  const refused = async (what: string, code: string, changed: HttpRequest) => {
    changes++
    assert.equal((await refusal(authenticator, changed, what)).code, code, what)
  }
  const mismatched = async (what: string, changed: HttpRequest) => {
    changes++
    const error = await refusal(authenticator, changed, what)
    assert.equal(error.code, 'invalid-signature', what)
    assert.match(error.message, mismatchText, what)
  }

  await mismatched('method', { ...request, method: request.method === 'GET' ? 'POST' : 'GET' })
  await mismatched('body', { ...request, body: Buffer.concat([request.body, Buffer.from(' ')]) })
  for (let at = 0; at < request.body.length; at++) {
    const body = Buffer.from(request.body)
    body[at] = (body[at] ?? 0) ^ 1
    await mismatched(`body byte ${at}`, { ...request, body })
  }

  const { target } = request
  const inQuery = target.includes('?')
  await mismatched('longer target', { ...request, target: `${target}x` })
  await mismatched('parameter', { ...request, target: `${target}${inQuery ? '&' : '?'}a=b` })
  for (let at = 0; at < target.length; at++) {
    // In a normalized path, dots, slashes and what stands before `..` may change and leave it the same.
    if (/[./?&]/.test(target[at] ?? '') || (normalized && target.includes('..'))) continue
    await mismatched(`target byte ${at}`, { ...request, target: flipped(target, at) })
  }

  const authorization = headerOf(request, 'authorization')
  const signedNames = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
  assert.ok(signedNames.length >= 2)
  for (const name of signedNames) {
    const value = headerOf(request, name)
    const codes = codesOf(name)
    for (let at = 0; at < value.length; at++) {
      changes++
      const changed = withHeader(request, name, (text) => flipped(text, at))
      const what = `${name} byte ${at}`
      const { code } = await refusal(authenticator, changed, what)
      assert.ok(codes.includes(code), `${what}: ${code}`)
    }
    await refused(
      `${name} dropped`,
      codes[0] ?? '',
      withHeader(request, name, () => undefined),
    )
    await refused(`${name} renamed`, codes[0] ?? '', renamed(request, name))
    const fewer = signedNames.filter((other) => other !== name).join(';')
    const unlisted = withHeader(request, 'authorization', (text) =>
      text.replace(/SignedHeaders=[^,]+/, `SignedHeaders=${fewer}`),
    )
    await refused(`${name} taken from the list`, 'invalid-signature', unlisted)
  }
  await refused('added x-amz header', 'invalid-signature', {
    ...request,
    rawHeaders: [...request.rawHeaders, 'X-Amz-Target', 'TrentService.ListKeys'],
  })

  const signatureAt = authorization.indexOf('Signature=') + 'Signature='.length
  for (let at = signatureAt; at < authorization.length; at++) {
    await mismatched(`signature digit ${at - signatureAt}`, {
      ...withHeader(request, 'authorization', (text) => flipped(text, at)),
    })
  }
  const credentialAt = authorization.indexOf('=') + 1
  const credentialEnd = authorization.indexOf(',')
  for (let at = credentialAt; at < credentialEnd; at++) {
    if (authorization[at] === '/') continue
    const inId = at < authorization.indexOf('/')
    const changed = withHeader(request, 'authorization', (text) => flipped(text, at))
    // A dash becomes a comma, which ends the parameter too early.
    const cut = authorization[at] === '-' ? 'incomplete-signature' : 'invalid-signature'
    await refused(`credential byte ${at}`, inId ? 'unrecognized-client' : cut, changed)
  }
  const elsewhere = withHeader(request, 'authorization', (text) =>
    text.replace('/us-east-1/', '/eu-central-1/'),
  )
  await mismatched('another Region that is served', elsewhere)
  const otherService = withHeader(request, 'authorization', (text) =>
    text.replace('/service/', '/kms/'),
  )
  await mismatched('another service that is served', otherService)
  assert.ok(changes > 150, `only ${changes} changes`)
}

/** What a changed header is refused with; the first one also when it is gone. */
function codesOf(name: string): string[] {
  if (name === 'x-amz-date') return ['incomplete-signature', 'invalid-signature']
  if (name === 'x-amz-security-token') return ['invalid-signature', 'unrecognized-client']
  return ['invalid-signature']
}

function setUp(name: string) {
  const context = JSON.parse(readFileSync(join(folder, name, 'context.json'), 'utf8'))
  const setting = bench({ normalizePath: context.normalize })
  assert.equal(context.credentials.access_key_id, 'AKIDEXAMPLE')
  setting.secrets.set('sealed', context.credentials.secret_access_key)
  setting.secrets.set('other', `${context.credentials.secret_access_key}x`)
  setting.state.now = Date.parse(context.timestamp)
  assert.equal(setting.state.now, parseAmzDate('20150830T123600Z'))
  const { token } = context.credentials
  if (token !== undefined) {
    const session = record({ caller: { ...record().caller, type: 'role-session' } })
    setting.sessions.set(`AKIDEXAMPLE ${token}`, {
      ...session,
      expiresAt: setting.state.now + 1000,
    })
  }
  return { ...setting, normalized: context.normalize === true }
}

/** Request line, header lines (a line that begins with a space goes on with the one before), empty line, body. */
function readRequest(name: string, file: string): HttpRequest {
  const text = readFileSync(join(folder, name, file), 'latin1')
  const end = text.indexOf('\n\n')
  const [requestLine = '', ...lines] = (end < 0 ? text.trimEnd() : text.slice(0, end)).split('\n')
  const [, method = '', target = ''] = /^([A-Z]+) (.*) HTTP\/1\.1$/.exec(requestLine) ?? []
  const rawHeaders: string[] = []
  for (const line of lines) {
    if (line.startsWith(' ')) rawHeaders.push(`${rawHeaders.pop()}${line}`)
    else rawHeaders.push(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1))
  }
  const body = Buffer.from(end < 0 ? '' : text.slice(end + 2), 'latin1')
  return { method, target, rawHeaders, body, remoteAddress: '127.0.0.1' }
}

function headerOf(request: HttpRequest, name: string): string {
  const at = request.rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name)
  const value = request.rawHeaders[at + 1]
  assert.ok(at >= 0 && value !== undefined, name)
  return value
}

function renamed(request: HttpRequest, name: string): HttpRequest {
  const rawHeaders = request.rawHeaders.map((text, index) =>
    index % 2 === 0 && text.toLowerCase() === name ? `${text}x` : text,
  )
  return { ...request, rawHeaders }
}

function flipped(text: string, at: number): string {
  const character = String.fromCharCode(text.charCodeAt(at) ^ 1)
  return text.slice(0, at) + character + text.slice(at + 1)
}
