import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { auditExport } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import { newSigningKey, OidcProvider, tokenOf, vector } from '../support/oidc-provider.ts'
import { TestServer } from '../support/server.ts'

/**
 * A workload that has no credentials but a token of its platform, as in Kubernetes. The service runs under its
 * permission model, and asks the provider over TLS.
 */
describe('a web identity', () => {
  let server: TestServer
  let provider: OidcProvider
  let owner: Clients
  let anybody: STSClient
  let providerArn: string
  let roleArn: string
  const subject = 'system:serviceaccount:payments:worker'

  before(async () => {
    ;[server, provider] = await Promise.all([
      TestServer.start(),
      OidcProvider.start(undefined, '/realms/one'),
    ])
    provider.keys = [newSigningKey('RS256'), newSigningKey('ES256')]
    owner = clientsOf(server)
    const { endpoint, region } = server
    anybody = new STSClient({ endpoint, region, maxAttempts: 1 })
    const authority = new X509Certificate(vector('authority.pem')).fingerprint
    const made = await owner.iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: provider.issuer,
        ClientIDList: ['sts.amazonaws.com'],
        ThumbprintList: [authority.replaceAll(':', '')],
      }),
    )
    providerArn = present(made.OpenIDConnectProviderArn)
    const trust = {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { [`${provider.url}:aud`]: 'sts.amazonaws.com' },
          StringLike: { [`${provider.url}:sub`]: 'system:serviceaccount:payments:*' },
        },
      },
    }
    const role = { RoleName: 'payments', AssumeRolePolicyDocument: JSON.stringify(trust) }
    roleArn = present((await owner.iam.send(new CreateRoleCommand(role))).Role?.Arn)
    const policy = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: ['kms:Encrypt', 'kms:Decrypt'], Resource: '*' },
    }
    await owner.iam.send(
      new PutRolePolicyCommand({
        RoleName: 'payments',
        PolicyName: 'keys',
        PolicyDocument: JSON.stringify(policy),
      }),
    )
  })
  after(async () => {
    owner.destroy()
    anybody.destroy()
    await Promise.all([server.discard(), provider.stop()])
  })

  const claims = (more = {}) =>
    provider.claims(Date.now(), { sub: subject, aud: ['sts.amazonaws.com'], ...more })
  const token = (more = {}) => tokenOf(provider.keys[0] ?? newSigningKey(), claims(more))
  const assume = (WebIdentityToken: string, more = {}) =>
    anybody.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: 'pod',
        WebIdentityToken,
        ...more,
      }),
    )

  /** 403: STS and IAM do not answer 400 as KMS does. */
  const denied = (call: Promise<unknown>) =>
    assert.rejects(call, {
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    })

  test('is refused unless its token is good, with the errors of AWS', async () => {
    const past = Math.floor(Date.now() / 1000) - 60
    await fails(assume(token({ exp: past })), 'ExpiredTokenException')
    await fails(assume(token({ aud: 'others' })), 'InvalidIdentityTokenException')
    await fails(assume(tokenOf(newSigningKey(), claims())), 'InvalidIdentityTokenException')
    await denied(assume(token({ sub: 'system:serviceaccount:default:worker' })))
    await denied(assume(token(), { RoleArn: `${roleArn}s` }))
    provider.answers.set('/keys', (response) => void response.destroy())
    await fails(assume(tokenOf(newSigningKey(), claims())), 'InvalidIdentityTokenException')
    provider.answers.clear()
  })

  test('is a session that uses keys', async () => {
    const second = provider.keys[1] ?? newSigningKey()
    for (const each of [token(), tokenOf(second, claims())]) {
      const answer = await assume(each)
      assert.equal(answer.SubjectFromWebIdentityToken, subject)
      assert.equal(answer.Provider, providerArn)
      assert.equal(answer.Audience, 'sts.amazonaws.com')
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {}
      const left = present(Expiration).getTime() - Date.now()
      assert.ok(left > 3_500_000 && left <= 3_600_000, String(left))
      const credentials = {
        accessKeyId: present(AccessKeyId),
        secretAccessKey: present(SecretAccessKey),
        sessionToken: present(SessionToken),
      }
      const { endpoint, region } = server
      const settings = { endpoint, region, credentials, maxAttempts: 1 }
      const sts = new STSClient(settings)
      const kms = new KMSClient(settings)
      const { Arn } = await sts.send(new GetCallerIdentityCommand({}))
      assert.equal(Arn, `arn:aws:sts::${server.account}:assumed-role/payments/pod`)
      await usesKeys(kms)
      await fails(kms.send(new CreateKeyCommand({})), 'AccessDeniedException')
      sts.destroy()
      kms.destroy()
    }
  })

  async function usesKeys(kms: KMSClient): Promise<void> {
    const { KeyMetadata } = await owner.kms.send(new CreateKeyCommand({}))
    const KeyId = present(KeyMetadata?.KeyId)
    const Plaintext = Buffer.from('from a pod')
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const decrypted = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(present(decrypted.Plaintext)), Plaintext)
  }

  test('is nobody once its provider is deleted', async () => {
    await owner.iam.send(
      new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn }),
    )
    await fails(assume(token()), 'InvalidIdentityTokenException')
  })

  test('stands in the record, and its token does not', async () => {
    const events = await auditExport(server.data)
    const assumed = events.filter(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
    assert.deepEqual(
      assumed.map(({ errorCode }) => errorCode),
      ['AccessDenied', 'AccessDenied', undefined, undefined],
    )
    for (const { userIdentity } of assumed) {
      const identity = userIdentity as Record<string, unknown>
      assert.equal(identity['type'], 'WebIdentityUser')
      assert.equal(identity['identityProvider'], providerArn)
    }
    assert.ok(!JSON.stringify(events).includes(Buffer.from('{"alg"').toString('base64url')))
  })
})
