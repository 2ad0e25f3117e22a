import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { run } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { TestServer } from '../support/server.ts'
import { awsCliMissing, awsEnvironment } from './environment.ts'

const missing = await awsCliMissing()

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

/** The Region of a deployment without us-east-1, which STS and IAM are served in all the same. */
const region = 'eu-central-1'

describe('sessions with the AWS SDK for JavaScript and the AWS CLI', () => {
  let server: TestServer
  let root: Clients
  let user: Keys
  let userArn: string
  let roleArn: string
  let keyId: string
  const opened: { destroy(): void }[] = []

  before(async () => {
    server = await TestServer.start({ regions: [region, 'eu-west-1'] })
    root = clientsOf(server)
    opened.push(root)
    const { User } = await root.iam.send(new CreateUserCommand({ UserName: 'mona' }))
    userArn = present(User?.Arn)
    user = keysOf((await root.iam.send(new CreateAccessKeyCommand({ UserName: 'mona' }))).AccessKey)
    const { Role } = await root.iam.send(
      new CreateRoleCommand({
        RoleName: 'worker',
        Path: '/team/',
        AssumeRolePolicyDocument: policy(['sts:AssumeRole', 'sts:TagSession'], {
          Principal: { AWS: userArn },
        }),
      }),
    )
    roleArn = present(Role?.Arn)
    await root.iam.send(
      new PutRolePolicyCommand({
        RoleName: 'worker',
        PolicyName: 'use-keys',
        PolicyDocument: policy(['kms:Encrypt', 'kms:Decrypt'], { Resource: '*' }),
      }),
    )
    keyId = present((await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId)
  })
  after(async () => {
    for (const each of opened) each.destroy()
    await server?.discard()
  })

  function policy(Action: readonly string[], more: object): string {
    const statement = { Effect: 'Allow', Action, ...more }
    return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  }

  function keysOf(
    keys:
      | {
          AccessKeyId?: string | undefined
          SecretAccessKey?: string | undefined
          SessionToken?: string | undefined
        }
      | undefined,
  ): Keys {
    const { AccessKeyId, SecretAccessKey, SessionToken } = present(keys)
    return {
      accessKeyId: present(AccessKeyId),
      secretAccessKey: present(SecretAccessKey),
      ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
    }
  }

  function clients(keys: Keys): Clients {
    const made = clientsOf(server, keys)
    opened.push(made)
    return made
  }

  async function assume(more: object = {}): Promise<Keys> {
    const asked = { RoleArn: roleArn, RoleSessionName: 'job', ...more }
    return keysOf((await clients(user).sts.send(new AssumeRoleCommand(asked))).Credentials)
  }

  const refusedWith = (call: Promise<unknown>, name: string, message: RegExp) =>
    assert.rejects(call, (error: Error) => {
      assert.equal(error.name, name)
      assert.match(error.message, message)
      return true
    })

  test('a role is assumed, encrypts and decrypts, and is told who it is', async () => {
    const { sts, kms } = clients(await assume({ Tags: [{ Key: 'team', Value: 'blue' }] }))
    const identity = await sts.send(new GetCallerIdentityCommand({}))
    assert.equal(identity.Arn, `arn:aws:sts::${server.account}:assumed-role/worker/job`)
    const plain = Buffer.from('for a session')
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: keyId, Plaintext: plain }),
    )
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(present(Plaintext)), plain)
    await refusedWith(
      kms.send(new CreateKeyCommand({})),
      'AccessDeniedException',
      /assumed-role\/worker\/job is not authorized to perform: kms:CreateKey/,
    )
  })

  test('the answer says when it ends, and how large it is', async () => {
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: 'job',
      DurationSeconds: 900,
      Policy: policy(['kms:*'], { Resource: '*' }),
    })
    const answer = await clients(user).sts.send(command)
    const left = present(answer.Credentials?.Expiration).getTime() - Date.now()
    assert.ok(left > 840_000 && left <= 900_000, `${left}`)
    assert.ok(present(answer.PackedPolicySize) > 0)
    assert.equal(answer.SessionTokenSize, answer.Credentials?.SessionToken?.length)
  })

  test('STS answers for us-east-1 and for each Region, IAM wherever a client signs', async () => {
    for (const each of [region, 'eu-west-1', 'us-east-1']) {
      const sts = new STSClient({ endpoint: server.endpoint, region: each, credentials: user })
      opened.push(sts)
      assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, userArn)
    }
    const elsewhere = clientsOf(server, user, 'us-west-2')
    opened.push(elsewhere)
    await refusedWith(
      elsewhere.sts.send(new GetCallerIdentityCommand({})),
      'SignatureDoesNotMatch',
      /scoped to a valid region/,
    )
  })

  test('what is wrong is told as AWS tells it', async () => {
    const { sts } = clients(user)
    const asked = { RoleArn: `${roleArn}-not`, RoleSessionName: 'job' }
    await refusedWith(
      sts.send(new AssumeRoleCommand(asked)),
      'AccessDenied',
      /is not authorized to perform: sts:AssumeRole on resource: \S+-not/,
    )
    const session = await assume()
    await refusedWith(
      clients({ ...session, sessionToken: `${session.sessionToken}A` }).kms.send(
        new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x') }),
      ),
      'UnrecognizedClientException',
      /security token included in the request is invalid/,
    )
    const big = {
      Tags: [...Array(50).keys()].map((n) => ({ Key: `k${n}`, Value: 'v'.repeat(256) })),
    }
    await refusedWith(assume(big), 'PackedPolicyTooLargeException', /^Packed policy consumes \d+%/)
  })

  test('GetSessionToken and GetAccessKeyInfo', async () => {
    const { Credentials } = await clients(user).sts.send(new GetSessionTokenCommand({}))
    const session = clients(keysOf(Credentials))
    assert.equal((await session.sts.send(new GetCallerIdentityCommand({}))).Arn, userArn)
    await refusedWith(
      session.iam.send(new ListUsersCommand({})),
      'InvalidClientTokenId',
      /security token included in the request is invalid/,
    )
    const asked = new GetAccessKeyInfoCommand({ AccessKeyId: user.accessKeyId })
    assert.equal((await root.sts.send(asked)).Account, server.account)
  })

  const skip =
    missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`
  test('the AWS CLI assumes the role by itself, of a profile', { skip }, async () => {
    const environment = (keys: Keys) => ({
      ...awsEnvironment(server),
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
    })
    const aws = async (keys: Keys, ...args: string[]) => {
      const { code, stdout, stderr } = await run('aws', [...args, '--output', 'json'], {
        env: environment(keys),
        timeoutMs: 60_000,
      })
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout)
    }
    const name = ['--role-arn', roleArn, '--role-session-name', 'cli']
    const { Credentials } = await aws(user, 'sts', 'assume-role', ...name)
    const identity = await aws(keysOf(Credentials), 'sts', 'get-caller-identity')
    assert.equal(identity.Arn, `arn:aws:sts::${server.account}:assumed-role/worker/cli`)
    const { Users } = await aws(server.credentials, 'iam', 'list-users')
    assert.equal(Users[0].UserName, 'mona')
  })

  test('a role that is removed takes its sessions along', async () => {
    const { sts } = clients(await assume())
    await sts.send(new GetCallerIdentityCommand({}))
    await root.iam.send(new DeleteRolePolicyCommand({ RoleName: 'worker', PolicyName: 'use-keys' }))
    await root.iam.send(new DeleteRoleCommand({ RoleName: 'worker' }))
    await refusedWith(
      sts.send(new GetCallerIdentityCommand({})),
      'InvalidClientTokenId',
      /security token included in the request is invalid/,
    )
  })
})
