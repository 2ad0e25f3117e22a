import { X509Certificate } from 'node:crypto'
import type { TestContext } from 'node:test'
import { iam } from '../../src/testing/query-calls.ts'
import type { HttpRequest } from '../../src/wire/protocol.ts'
import { OidcProvider, vector } from '../support/oidc-provider.ts'
import { overTls, rootArn, Stage } from './stage.ts'

const RoleSessionName = 'job'

/** Every operation of STS, and calls of KMS by what it gives. */
export async function stsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'sts')
  const { house } = stage
  await stage.query('GetCallerIdentity', {}, { denied: false })
  await stage.query('GetAccessKeyInfo', { AccessKeyId: house.key.accessKeyId })
  await stage.query(
    'GetSessionToken',
    { DurationSeconds: 900 },
    { key: stage.clerk, denied: false },
  )
  const EncodedMessage = 'no-message'
  const error = 'InvalidAuthorizationMessageException'
  await stage.query('DecodeAuthorizationMessage', { EncodedMessage }, { error })
  const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
  const user = await house.addUser({
    name: 'alice',
    policies: [{ Version: '2012-10-17', Statement: everything }],
  })
  const { arn: RoleArn } = await house.addRole({
    name: 'worker',
    path: '/ops/',
    trust: trusting({ AWS: rootArn }, [
      'sts:AssumeRole',
      'sts:TagSession',
      'sts:SetSourceIdentity',
    ]),
    policies: [{ Version: '2012-10-17', Statement: everything }],
  })
  const session = { RoleArn, RoleSessionName, SourceIdentity: 'ann' }
  const Tags = [{ Key: 'team', Value: 'red' }]
  const { Credentials } = await stage.query('AssumeRole', { ...session, Tags }, { key: user })
  await stage.call(
    'ListKeys',
    {},
    { key: keyOf(Credentials), denied: false, note: 'of a role session' },
  )
  await stage.call('ListKeys', {}, { key: user, denied: false, note: 'of a user' })
  const { Credentials: own } = await stage.query(
    'GetSessionToken',
    {},
    { key: user, denied: false, note: 'of a user' },
  )
  await stage.call('ListKeys', {}, { key: keyOf(own), denied: false, note: 'of a user session' })
  await webIdentity(t, stage)
  return stage
}

async function webIdentity(t: TestContext, stage: Stage): Promise<void> {
  const { house } = stage
  const provider = await OidcProvider.start()
  t.after(() => provider.stop())
  const authority = new X509Certificate(vector('authority.pem')).fingerprint.replaceAll(':', '')
  const made = await iam(house, 'CreateOpenIDConnectProvider', {
    ...{ Url: provider.issuer, ClientIDList: ['kagiban'], ThumbprintList: [authority] },
  })
  const Federated = String(made['OpenIDConnectProviderArn'])
  const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
  const newRole = (name: string, subject: string) =>
    house.addRole({
      name,
      trust: trusting({ Federated }, 'sts:AssumeRoleWithWebIdentity', {
        StringEquals: { [`${provider.url}:sub`]: subject },
      }),
      policies: [{ Version: '2012-10-17', Statement: everything }],
    })
  const allowed = await newRole('pod', 'somebody')
  const other = await newRole('other', 'nobody')
  const assume = (RoleArn: string, how: { note?: string; error?: string }) => {
    const WebIdentityToken = provider.token(house.clock.time, {})
    const parameters = { RoleArn, RoleSessionName, WebIdentityToken }
    const change = (request: HttpRequest) => overTls(unsigned(request))
    return stage.query('AssumeRoleWithWebIdentity', parameters, { ...how, denied: false, change })
  }
  await assume(other.arn, { note: 'denied', error: 'AccessDenied' })
  const { Credentials } = await assume(allowed.arn, {})
  const note = 'of a web identity'
  await stage.call('ListKeys', {}, { key: keyOf(Credentials), denied: false, note })
}

function trusting(Principal: object, Action: string | readonly string[], Condition?: object) {
  const statement = { Effect: 'Allow', Principal, Action, ...(Condition && { Condition }) }
  return { Version: '2012-10-17', Statement: [statement] }
}

function keyOf(credentials: unknown) {
  const found = credentials as Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string>
  return {
    accessKeyId: found.AccessKeyId,
    secretAccessKey: found.SecretAccessKey,
    sessionToken: found.SessionToken,
  }
}

function unsigned(request: HttpRequest): HttpRequest {
  const kept = request.rawHeaders.flatMap((name, at, all) =>
    at % 2 === 0 && !/^(?:authorization|x-amz-)/i.test(name) ? [name, all[at + 1] ?? ''] : [],
  )
  return { ...request, rawHeaders: kept }
}
