import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import * as sdk from '@aws-sdk/client-sts'
import {
  type Claims,
  confusedToken,
  json,
  newSigningKey,
  OidcProvider,
  tokenOf,
  unsignedToken,
  vector,
} from '../tests/support/oidc-provider.ts'
import { parseRegion, type Region } from './base/ids.ts'
import { assumeRoleWithWebIdentity } from './services/sts/operations/assume-role-with-web-identity.ts'
import { credentialsOf, trust } from './services/sts/testing/sessions.ts'
import { account, House, otherAccount, region } from './testing/house.ts'
import { iam, type Parameters, query } from './testing/query-calls.ts'
import type { HttpRequest } from './wire/protocol.ts'

const authority = new X509Certificate(vector('authority.pem')).fingerprint.replaceAll(':', '')
const elsewhere = parseRegion('eu-west-1') as Region

/** A house whose first account trusts a provider, and a role that trusts it for one subject of one client. */
async function open(t: TestContext) {
  const provider = await OidcProvider.start()
  t.after(() => provider.stop())
  const house = await House.open(t, { regions: [region, elsewhere] })
  const made = await iam(house, 'CreateOpenIDConnectProvider', {
    Url: provider.issuer,
    ClientIDList: ['kagiban', 'mobile'],
    ThumbprintList: [authority],
  })
  const providerArn = String(made['OpenIDConnectProviderArn'])
  const trusting = (more: object = {}) =>
    trust({ Federated: providerArn }, { Action: 'sts:AssumeRoleWithWebIdentity', ...more })
  const role = await house.addRole({
    name: 'worker',
    trust: trusting({
      Condition: {
        StringEquals: {
          [`${provider.url}:aud`]: 'kagiban',
          [`${provider.url}:sub`]: 'somebody',
        },
      },
    }),
    policies: [
      {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
      },
    ],
  })
  const token = (claims: Claims = {}, header: Claims = {}) =>
    provider.token(house.clock.time, claims, header)
  /** Unsigned, unless `sign` says otherwise. */
  const assume = (parameters: Parameters = {}, change = unsigned) =>
    query(
      house,
      'sts',
      'AssumeRoleWithWebIdentity',
      { RoleArn: role.arn, RoleSessionName: 'job', WebIdentityToken: token(), ...parameters },
      { change },
    )
  const refused = async (parameters: Parameters = {}, change = unsigned) => {
    const { status, code, text } = await assume(parameters, change)
    return `${status} ${code}: ${text}`
  }
  return { house, provider, providerArn, role, token, assume, refused, trusting }
}

/** The request without its signature. */
function unsigned(request: HttpRequest): HttpRequest {
  const kept = request.rawHeaders.flatMap((name, at, all) =>
    at % 2 === 0 && !/^(?:authorization|x-amz-)/i.test(name) ? [name, all[at + 1] ?? ''] : [],
  )
  return { ...request, rawHeaders: kept }
}

const denied = '403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

test('nothing else is answered without a signature', async (t) => {
  const { house, role, token } = await open(t)
  const parameters = { RoleArn: role.arn, RoleSessionName: 'job', WebIdentityToken: token() }
  for (const action of ['GetCallerIdentity', 'AssumeRole', 'assumerolewithwebidentity', '']) {
    const { status, code } = await query(house, 'sts', action, parameters, { change: unsigned })
    assert.equal(`${status} ${code}`, '403 MissingAuthenticationToken', action)
  }
  for (const action of ['ListUsers', 'AssumeRoleWithWebIdentity']) {
    const { status, code } = await query(house, 'iam', action, parameters, { change: unsigned })
    assert.equal(`${status} ${code}`, '403 MissingAuthenticationToken', action)
  }
  const json = await house.call('AssumeRoleWithWebIdentity', parameters, { change: unsigned })
  assert.equal(json.error, 'MissingAuthenticationTokenException')
})

test('a signature that is there has to be right, and then says who it is', async (t) => {
  const { house, refused } = await open(t)
  const wrong = (request: HttpRequest) => ({
    ...request,
    rawHeaders: request.rawHeaders.map((each) => each.replace(/Signature=./, 'Signature=z')),
  })
  assert.match(await refused({}, wrong), /^403 IncompleteSignature|^403 SignatureDoesNotMatch/)
  const presigned = (request: HttpRequest) => ({
    ...unsigned(request),
    target: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256',
  })
  assert.match(await refused({}, presigned), /^403 MissingAuthenticationToken/)
  assert.equal(await refused({}, (request) => request), denied)
  const [event] = house.journal.events.slice(-1)
  assert.equal(event?.eventName, 'AssumeRoleWithWebIdentity')
  assert.equal((event?.userIdentity as { type?: string } | undefined)?.type, 'Root')
  assert.equal(event?.errorCode, 'AccessDenied')
})

const refusals: readonly [
  what: string,
  make: (all: Awaited<ReturnType<typeof open>>) => Parameters,
  expected: RegExp,
][] = [
  ['no token', () => ({ WebIdentityToken: undefined }), /^400 ValidationError: .*webIdentityToken/],
  ['too short', () => ({ WebIdentityToken: 'abc' }), /^400 ValidationError: .*webIdentityToken/],
  ['too long', () => ({ WebIdentityToken: 'a'.repeat(20_001) }), /^400 ValidationError/],
  ['no token at all', () => ({ WebIdentityToken: 'abcd' }), /^400 InvalidIdentityToken/],
  ['no role', () => ({ RoleArn: undefined }), /^400 ValidationError/],
  [
    'no ARN of a role',
    () => ({ RoleArn: `arn:aws:iam::${account}:user/worker` }),
    /^400 ValidationError: Request ARN is invalid/,
  ],
  [
    'an account that trusts nobody',
    ({ role }) => ({ RoleArn: role.arn.replace(account, otherAccount) }),
    /^400 InvalidIdentityToken: No OpenIDConnect provider found in your account for https:/,
  ],
  [
    'an account that is not there',
    ({ role }) => ({ RoleArn: role.arn.replace(account, '999999999999') }),
    /^400 InvalidIdentityToken: No OpenIDConnect provider/,
  ],
  [
    'another issuer',
    ({ token }) => ({ WebIdentityToken: token({ iss: 'https://accounts.example' }) }),
    /^400 InvalidIdentityToken: No OpenIDConnect provider/,
  ],
  [
    'expired',
    ({ token, house }) => ({ WebIdentityToken: token({ exp: house.clock.time / 1000 - 60 }) }),
    /^400 ExpiredTokenException/,
  ],
  [
    'another audience',
    ({ token }) => ({ WebIdentityToken: token({ aud: 'others' }) }),
    /^400 InvalidIdentityToken: Incorrect token audience/,
  ],
  [
    'the algorithm none',
    ({ provider, house }) => ({
      WebIdentityToken: `${unsignedToken({ alg: 'none' }, provider.claims(house.clock.time))}.`,
    }),
    /^400 InvalidIdentityToken: Tokens must be signed/,
  ],
  [
    'an HMAC by the public key',
    ({ provider, house }) => ({
      WebIdentityToken: confusedToken(
        provider.keys[0] ?? newSigningKey(),
        provider.claims(house.clock.time),
      ),
    }),
    /^400 InvalidIdentityToken: Tokens must be signed/,
  ],
  [
    'a key that nobody published',
    ({ provider, house }) => ({
      WebIdentityToken: tokenOf(newSigningKey(), provider.claims(house.clock.time)),
    }),
    /^400 InvalidIdentityToken: No key/,
  ],
  [
    'another key of the same name',
    ({ provider, house }) => ({
      WebIdentityToken: tokenOf(
        newSigningKey('ES256', provider.keys[0]?.kid),
        provider.claims(house.clock.time),
      ),
    }),
    /^400 InvalidIdentityToken: .*signature/,
  ],
]

test('tokens that do not say who somebody is are refused, and counted together', async (t) => {
  const all = await open(t)
  const before = all.house.journal.events.length
  for (const [what, make, expected] of refusals) {
    assert.match(await all.refused(make(all)), expected, what)
  }
  assert.equal(all.house.journal.events.length, before, 'each one was recorded by itself')
  await all.house.refusals.flush()
  const counted = all.house.journal.events.slice(before)
  assert.ok(counted.every(({ eventName }) => eventName === 'RefusedUnauthenticated'))
  const kinds = new Map(
    counted.map(({ errorCode, serviceEventDetails }) => [
      errorCode,
      (serviceEventDetails as { requests: number }).requests,
    ]),
  )
  assert.equal(
    [...kinds.values()].reduce((sum, each) => sum + each, 0),
    refusals.length,
  )
  assert.deepEqual([...kinds.keys()].sort(), [
    'ExpiredTokenException',
    'InvalidIdentityToken',
    'ValidationError',
  ])
})

test('a provider that is not there, and comes back', async (t) => {
  const { house, provider, assume, refused } = await open(t)
  const { configurationPath } = provider
  provider.answers.set(configurationPath, (response) => void response.writeHead(503).end())
  const unreachable = /^400 IDPCommunicationError: The identity provider could not be reached/
  assert.match(await refused(), unreachable)
  provider.answers.set(configurationPath, json({ issuer: 'https://x.example', jwks_uri: '' }))
  assert.match(await refused(), unreachable)
  house.clock.time += 10_000
  assert.match(await refused(), /^400 InvalidIdentityToken: Couldn't retrieve verification key/)
  provider.answers.clear()
  house.clock.time += 10_000
  assert.equal((await assume()).status, 200)
})

test('who is verified and may not is denied, in the words of AWS, and recorded', async (t) => {
  const { house, providerArn, provider, role, token, refused, trusting } = await open(t)
  const before = house.journal.events.length
  const strange = { WebIdentityToken: token({ sub: 'else' }) }
  assert.equal(await refused(strange), denied)
  assert.equal(await refused({ WebIdentityToken: token({ aud: 'mobile' }) }), denied)
  assert.equal(await refused({ RoleArn: `${role.arn}s` }), denied)
  const other = await house.addRole({ name: 'other', trust: trust({ AWS: '*' }) })
  assert.equal(await refused({ RoleArn: other.arn }), denied)
  const shut = await house.addRole({
    name: 'shut',
    trust: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Federated: providerArn }, Action: 'sts:*' },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: { StringEquals: { [`${provider.url}:sub`]: 'somebody' } },
        },
      ],
    },
  })
  assert.equal(await refused({ RoleArn: shut.arn }), denied)
  const noTags = await house.addRole({ name: 'no-tags', trust: trusting() })
  const claims = { 'https://aws.amazon.com/tags': { principal_tags: { team: ['a'] } } }
  assert.equal(
    await refused({ RoleArn: noTags.arn, WebIdentityToken: token(claims) }),
    '403 AccessDenied: Not authorized to perform sts:TagSession',
  )
  const events = house.journal.events.slice(before)
  assert.deepEqual(
    events.map(({ eventName, errorCode }) => `${eventName} ${errorCode}`),
    Array(6).fill('AssumeRoleWithWebIdentity AccessDenied'),
  )
  const [first] = events
  assert.deepEqual(first?.userIdentity, {
    type: 'WebIdentityUser',
    principalId: `${providerArn}:kagiban:else`,
    userName: 'else',
    identityProvider: providerArn,
  })
  assert.equal(first?.recipientAccountId, account)
  assert.deepEqual(first?.requestParameters, { roleArn: role.arn, roleSessionName: 'job' })
  assert.ok(!JSON.stringify(events).includes(String(strange.WebIdentityToken)))
})

test('denials beyond the first sixty are counted, and whoever is let in is recorded', async (t) => {
  const { house, assume, refused, token } = await open(t)
  const { journal, refusals, clock } = house
  const Policy = 'é'.repeat(2048)
  const strange = { WebIdentityToken: token({ sub: 'else' }), Policy }
  const denials = async (count: number) => {
    const before = journal.size
    for (let time = 0; time < count; time += 1) assert.equal(await refused(strange), denied)
    return journal.size - before
  }
  assert.equal(await denials(65), 60)
  const last = journal.events.at(-1)?.requestParameters as { readonly policy: unknown }
  assert.deepEqual(last.policy, { omitted: true, originalSize: 4098 })
  const answer = await assume()
  assert.equal(answer.status, 200)
  assert.equal(house.recordsOf(answer).length, 1)
  clock.time += 20_000
  assert.equal(await denials(4), 2)
  await refusals.flush()
  const counted = journal.events.filter(({ eventName }) => eventName === 'RefusedUnauthenticated')
  assert.deepEqual(
    counted.map((event) => [event.errorCode, event.serviceEventDetails?.['requests']]),
    [['AccessDenied', 7]],
  )
  journal.break('EIO')
  assert.match(await refused(strange), /^500 InternalFailure/)
})

test('ProviderId is for tokens of another kind', async (t) => {
  const { refused } = await open(t)
  assert.match(await refused({ ProviderId: 'www.amazon.com' }), /^400 ValidationError: ProviderId/)
})

test('a session, what it may do, and what the record says', async (t) => {
  const { house, provider, providerArn, role, token, assume } = await open(t)
  const WebIdentityToken = token()
  const answer = await assume({ WebIdentityToken, DurationSeconds: 900 })
  const session = credentialsOf(answer)
  const { Credentials: _, SessionTokenUtilization, SessionTokenSize, ...rest } = answer.result
  assert.ok(Number(SessionTokenUtilization) > 0 && Number(SessionTokenSize) > 0)
  assert.deepEqual(rest, {
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:job`,
      Arn: `arn:aws:sts::${account}:assumed-role/worker/job`,
    },
    SubjectFromWebIdentityToken: 'somebody',
    Provider: providerArn,
    Audience: 'kagiban',
  })
  const [event] = house.recordsOf(answer)
  assert.equal(event?.eventName, 'AssumeRoleWithWebIdentity')
  assert.equal(event?.awsRegion, region)
  assert.deepEqual(event?.requestParameters, {
    roleArn: role.arn,
    roleSessionName: 'job',
    durationSeconds: 900,
  })
  const response = event?.responseElements as Record<string, unknown>
  assert.equal(response['provider'], providerArn)
  assert.equal(response['audience'], 'kagiban')
  assert.equal(response['subjectFromWebIdentityToken'], 'somebody')
  const text = JSON.stringify(house.journal.events)
  for (const secret of [WebIdentityToken, session.secretAccessKey, session.sessionToken]) {
    assert.ok(!text.includes(secret))
  }

  // Who it was goes on counting: the key policy asks for the subject.
  const allow = (subject: string) => ({
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' },
        {
          Effect: 'Deny',
          Principal: { AWS: role.arn },
          Action: 'kms:Encrypt',
          Resource: '*',
          Condition: { StringNotEquals: { [`${provider.url}:sub`]: subject } },
        },
      ],
    }),
  })
  const Plaintext = Buffer.from('text').toString('base64')
  const own = await house.newKey(allow('somebody'))
  assert.equal(
    (await house.call('Encrypt', { KeyId: own, Plaintext }, { key: session })).status,
    200,
  )
  const other = await house.newKey(allow('else'))
  const refusal = await house.call('Encrypt', { KeyId: other, Plaintext }, { key: session })
  assert.equal(refusal.error, 'AccessDeniedException')
  assert.match(refusal.message ?? '', /with an explicit deny in a resource-based policy/)

  house.clock.time += 900_000
  const late = await house.call('Encrypt', { KeyId: own, Plaintext }, { key: session })
  assert.equal(late.error, 'ExpiredTokenException')
})

test('a variable of a policy is the subject of the token', async (t) => {
  const { house, provider, assume, trusting } = await open(t)
  const home = await house.addRole({
    name: 'home',
    trust: trusting(),
    policies: [
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'kms:CreateAlias',
            Resource: [`arn:aws:kms:*:*:alias/\${${provider.url}:sub}`, 'arn:aws:kms:*:*:key/*'],
          },
        ],
      },
    ],
  })
  const key = credentialsOf(await assume({ RoleArn: home.arn }))
  const TargetKeyId = await house.newKey()
  const named = async (name: string) =>
    (await house.call('CreateAlias', { AliasName: `alias/${name}`, TargetKeyId }, { key })).status
  assert.equal(await named('anybody'), 400)
  assert.equal(await named('somebody'), 200)
})

test('session tags and source identity of a token', async (t) => {
  const { house, providerArn, provider, token, assume } = await open(t)
  const role = await house.addRole({
    name: 'tagged',
    trust: trust(
      { Federated: providerArn },
      {
        Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: {
          StringEquals: { 'aws:RequestTag/team': 'a', 'sts:SourceIdentity': 'me' },
          'ForAnyValue:StringEquals': { [`${provider.url}:amr`]: 'mfa' },
        },
      },
    ),
  })
  const claims = {
    amr: ['pwd', 'mfa'],
    'https://aws.amazon.com/tags': { principal_tags: { team: ['a'] } },
    'https://aws.amazon.com/source_identity': 'me',
  }
  const good = await assume({ RoleArn: role.arn, WebIdentityToken: token(claims) })
  assert.equal(good.result['SourceIdentity'], 'me')
  credentialsOf(good)
  const poor = { ...claims, amr: ['pwd'] }
  const answer = await assume({ RoleArn: role.arn, WebIdentityToken: token(poor) })
  assert.equal(`${answer.status} ${answer.code}`, '403 AccessDenied')
})

test('rotated keys are taken up, and retired ones let go, without a restart', async (t) => {
  const { house, provider, token, assume, refused } = await open(t)
  assert.equal((await assume()).status, 200)
  const old = token()
  provider.keys = [newSigningKey('RS256')]
  house.clock.time += 10_000
  assert.equal((await assume()).status, 200)
  assert.match(await refused({ WebIdentityToken: old }), /^400 InvalidIdentityToken: No key/)
})

test('a change of the provider acts on the next call', async (t) => {
  const { house, providerArn, assume, refused } = await open(t)
  assert.equal((await assume()).status, 200)
  const named = { OpenIDConnectProviderArn: providerArn }
  await iam(house, 'RemoveClientIDFromOpenIDConnectProvider', { ...named, ClientID: 'kagiban' })
  assert.match(await refused(), /Incorrect token audience/)
  await iam(house, 'AddClientIDToOpenIDConnectProvider', { ...named, ClientID: 'kagiban' })
  assert.equal((await assume()).status, 200)
  const other = [createHash('sha1').update('another certificate').digest('hex')]
  await iam(house, 'UpdateOpenIDConnectProviderThumbprint', { ...named, ThumbprintList: other })
  assert.match(await refused(), /^400 IDPCommunicationError/)
  await iam(house, 'DeleteOpenIDConnectProvider', named)
  assert.match(await refused(), /No OpenIDConnect provider found/)
})

test('a provider that is deleted while a slow one answers vouches for nobody', async (t) => {
  const { house, provider, providerArn, refused } = await open(t)
  const begun = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  provider.answers.set(provider.configurationPath, (response) => {
    begun.resolve()
    const { issuer } = provider
    void held.promise.then(() => json({ issuer, jwks_uri: `${issuer}/keys` })(response))
  })
  const pending = refused()
  await begun.promise
  await iam(house, 'DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn: providerArn })
  held.resolve()
  assert.match(await pending, /^400 InvalidIdentityToken: No OpenIDConnect provider found/)
})

test('a call in the query of a GET is taken as AWS takes it', async (t) => {
  const { house, assume } = await open(t)
  const answer = await assume({}, (request) => ({
    ...unsigned(request),
    method: 'GET',
    rawHeaders: ['Host', 'localhost'],
    target: `/?${request.body}`,
    body: Buffer.alloc(0),
  }))
  assert.equal(answer.status, 200, String(answer.reply.body))
  assert.equal(house.recordsOf(answer).length, 1)
})

test('members are those of AWS, but for one that trusted identity propagation has', () => {
  const { input, output } = assumeRoleWithWebIdentity
  const asked = [...(sdk.AssumeRoleWithWebIdentityRequest$[4] as string[])].sort()
  assert.deepEqual(Object.keys(input.members).sort(), asked)
  const answered = (sdk.AssumeRoleWithWebIdentityResponse$[4] as string[])
    .filter((name) => name !== 'TrustedIdentityPropagationContext')
    .sort()
  assert.deepEqual(Object.keys(output.members).sort(), answered)
})

test('is nobody of the account, nor of the organisation', async (t) => {
  const { house, providerArn, refused, assume, trusting } = await open(t)
  const { organizationId } = house.tables.guardrails
  const strangers = {
    'aws:PrincipalOrgID': organizationId,
    'aws:PrincipalAccount': account,
    'aws:PrincipalArn': providerArn,
  }
  for (const [key, value] of Object.entries(strangers)) {
    const { Statement } = trusting() as { Statement: readonly object[] | object }
    const shut = {
      ...{ Effect: 'Deny', Principal: '*', Action: 'sts:*' },
      Condition: { StringNotEquals: { [key]: value } },
    }
    const role = await house.addRole({
      name: key.slice(4),
      trust: { Version: '2012-10-17', Statement: [Statement, shut].flat() },
    })
    assert.equal(await refused({ RoleArn: role.arn }), denied, key)
  }
  const welcoming = await house.addRole({ name: 'welcoming', trust: trusting() })
  assert.equal((await assume({ RoleArn: welcoming.arn })).status, 200)
})
