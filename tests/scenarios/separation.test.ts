import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import {
  addRole,
  addUser,
  assumeRole,
  documentOf,
  type SessionCredentials,
  type StatementOf,
  trusting,
} from '../support/iam-people.ts'
import { type Refusal, Refusals } from '../support/refusals.ts'
import { TestServer } from '../support/server.ts'
import type { Credentials } from '../support/signer.ts'

const account = '111122223333'
const rootArn = `arn:aws:iam::${account}:root`
const userArn = (name: string) => `arn:aws:iam::${account}:user/${name}`
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`
const sessionArn = (role: string) => `arn:aws:sts::${account}:assumed-role/${role}/job`
const Plaintext = Buffer.from('the secret')
const use = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncrypt*',
  'kms:GenerateDataKey*',
  'kms:DescribeKey',
]

const allow = (Action: unknown, changes: StatementOf = {}): StatementOf => ({
  ...{ Effect: 'Allow', Action, Resource: '*' },
  ...changes,
})
const to = (AWS: unknown, Action: unknown, changes: StatementOf = {}) =>
  allow(Action, { Principal: { AWS }, ...changes })

/** Leave for the root user to put another policy, which gives its account nothing. */
const upkeep = to(
  rootArn,
  ['kms:PutKeyPolicy', 'kms:GetKeyPolicy', 'kms:CreateGrant', 'kms:ListGrants'],
  {
    Condition: { ArnEquals: { 'aws:PrincipalArn': rootArn } },
  },
)

/** Who administers keys does not use them, who uses them does not administer them, and everyone else does neither. */
describe('separation of duties', () => {
  const refusals = new Refusals()
  const opened: Clients[] = []
  let server: TestServer
  let owner: Clients

  before(async () => {
    server = await TestServer.start({ account })
    owner = clientsOf(server)
    opened.push(owner)
  })
  after(async () => {
    for (const clients of opened) clients.destroy()
    await server.discard()
  })

  function as(credentials: Credentials | SessionCredentials): Clients {
    const clients = clientsOf(server, credentials)
    opened.push(clients)
    return clients
  }

  async function user(name: string, tags: Record<string, string> = {}, own?: StatementOf) {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
    const { credentials } = await addUser(owner.iam, name, Tags)
    if (own !== undefined) await permit(name, own)
    return as(credentials)
  }

  function permit(UserName: string, own: StatementOf | readonly StatementOf[]) {
    const PolicyDocument = documentOf(own)
    return owner.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
  }

  async function key(policy?: readonly StatementOf[], tags: Record<string, string> = {}) {
    const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
    const Policy = policy === undefined ? undefined : documentOf([upkeep, ...policy])
    const { KeyMetadata } = await owner.kms.send(new CreateKeyCommand({ Tags, Policy }))
    return present(KeyMetadata?.Arn)
  }

  async function encrypted(
    { kms }: Clients,
    KeyId: string,
    EncryptionContext?: Record<string, string>,
  ) {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
    )
    return present(CiphertextBlob)
  }

  async function reads(
    { kms }: Clients,
    CiphertextBlob: Uint8Array,
    EncryptionContext?: Record<string, string>,
  ) {
    const answer = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.deepEqual(Buffer.from(present(answer.Plaintext)), Plaintext)
  }

  const noIdentity = (who: string, permission: string, resource: string): Refusal => ({
    ...{ who, permission, resource, reason: 'no-identity-policy-allows' },
    because: `because no identity-based policy allows the ${permission} action`,
  })
  const noKeyPolicy = (who: string, permission: string, resource: string): Refusal => ({
    ...{ who, permission, resource, reason: 'no-key-policy-allows' },
    because: `because no resource-based policy allows the ${permission} action`,
  })

  describe('teams with keys of their own', () => {
    const ownTeam = allow('kms:*', {
      Condition: { StringEquals: { 'aws:ResourceTag/team': `\${aws:PrincipalTag/team}` } },
    })

    test('use and describe those alone that are tagged as they are', async () => {
      const blue = await user('blue', { team: 'blue' }, ownTeam)
      const red = await user('red', { team: 'red' }, ownTeam)
      const nobody = await user('teamless', {}, ownTeam)
      const blueKey = await key(undefined, { team: 'blue' })
      const redKey = await key(undefined, { team: 'red' })
      const ciphertext = await encrypted(blue, blueKey)
      await reads(blue, ciphertext)
      await reads(red, await encrypted(red, redKey))
      for (const [name, { kms }] of [
        ['red', red],
        ['teamless', nobody],
      ] as const) {
        const who = userArn(name)
        await refusals.expect(
          kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })),
          noIdentity(who, 'kms:Decrypt', blueKey),
        )
        await refusals.expect(
          kms.send(new EncryptCommand({ KeyId: blueKey, Plaintext })),
          noIdentity(who, 'kms:Encrypt', blueKey),
        )
        await refusals.expect(
          kms.send(new DescribeKeyCommand({ KeyId: blueKey })),
          noIdentity(who, 'kms:DescribeKey', blueKey),
        )
      }
      await refusals.expect(
        red.kms.send(
          new ReEncryptCommand({ CiphertextBlob: ciphertext, DestinationKeyId: redKey }),
        ),
        noIdentity(userArn('red'), 'kms:ReEncryptFrom', blueKey),
      )
    })

    test('cannot tag themselves, or a key of others, into another team', async () => {
      const green = await user('green', { team: 'green' }, ownTeam)
      const blueKey = await key(undefined, { team: 'blue' })
      await refusals.expect(
        green.iam.send(
          new TagUserCommand({ UserName: 'green', Tags: [{ Key: 'team', Value: 'blue' }] }),
        ),
        noIdentity(userArn('green'), 'iam:TagUser', userArn('green')),
      )
      await refusals.expect(
        green.kms.send(
          new TagResourceCommand({ KeyId: blueKey, Tags: [{ TagKey: 'team', TagValue: 'green' }] }),
        ),
        noIdentity(userArn('green'), 'kms:TagResource', blueKey),
      )
    })

    test('share a key, and read what was encrypted for their own team alone', async () => {
      const mona = await user('mona', { team: 'mint' })
      const rose = await user('rose', { team: 'rose' })
      const Condition = {
        StringEquals: { 'kms:EncryptionContext:team': `\${aws:PrincipalTag/team}` },
      }
      const shared = await key([to([userArn('mona'), userArn('rose')], use, { Condition })])
      const ciphertext = await encrypted(mona, shared, { team: 'mint' })
      await reads(mona, ciphertext, { team: 'mint' })
      for (const EncryptionContext of [{ team: 'mint' }, undefined]) {
        await refusals.expect(
          rose.kms.send(new DecryptCommand({ CiphertextBlob: ciphertext, EncryptionContext })),
          noKeyPolicy(userArn('rose'), 'kms:Decrypt', shared),
        )
      }
      const own = new DecryptCommand({
        CiphertextBlob: ciphertext,
        EncryptionContext: { team: 'rose' },
      })
      await fails(rose.kms.send(own), 'InvalidCiphertextException')
      await refusals.expect(
        mona.kms.send(
          new EncryptCommand({ KeyId: shared, Plaintext, EncryptionContext: { team: 'rose' } }),
        ),
        noKeyPolicy(userArn('mona'), 'kms:Encrypt', shared),
      )
    })

    test('take their tags with them into sessions, and not those that they pass themselves', async () => {
      const nora = await user('nora', {}, allow('sts:*'))
      const trust = trusting(userArn('nora'), {
        Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
      })
      await addRole(owner.iam, 'Team', trust)
      const Condition = {
        StringEquals: { 'kms:EncryptionContext:team': `\${aws:PrincipalTag/team}` },
      }
      const shared = await key([to(roleArn('Team'), use, { Condition })])
      const blue = { Tags: [{ Key: 'team', Value: 'blue' }] }
      const session = as(await assumeRole(nora.sts, roleArn('Team'), blue))
      await reads(session, await encrypted(session, shared, { team: 'blue' }), { team: 'blue' })
      const red = {
        RoleArn: roleArn('Team'),
        RoleSessionName: 'job',
        Tags: [{ Key: 'team', Value: 'red' }],
      }
      await refusals.expect(nora.sts.send(new AssumeRoleCommand(red)), {
        ...{ who: userArn('nora'), permission: 'sts:AssumeRole', resource: roleArn('Team') },
        because: 'because no role trust policy allows the sts:AssumeRole action',
        reason: 'no-trust-policy-allows',
      })
    })
  })

  describe('an administrator of a key', () => {
    /** What the console gives to administrators, without CreateGrant and PutKeyPolicy. */
    const administration = [
      ...['CreateAlias', 'Describe*', 'Enable*', 'List*', 'Update*', 'Revoke*', 'Disable*', 'Get*'],
      ...['Delete*', 'TagResource', 'UntagResource', 'ScheduleKeyDeletion', 'CancelKeyDeletion'],
    ].map((name) => `kms:${name}`)
    const who = userArn('admin')
    let admin: Clients
    let app: Clients
    let arn: string
    let ciphertext: Uint8Array

    before(async () => {
      admin = await user('admin')
      app = await user('app')
      await addRole(owner.iam, 'App', trusting(userArn('app')))
      arn = await key([
        to(rootArn, 'kms:*'),
        to(who, administration),
        to([userArn('app'), roleArn('App')], use),
      ])
      ciphertext = await encrypted(app, arn)
    })

    test('administers it', async () => {
      await admin.kms.send(new DisableKeyCommand({ KeyId: arn }))
      await fails(encrypted(app, arn), 'DisabledException')
      await admin.kms.send(new EnableKeyCommand({ KeyId: arn }))
      await reads(app, ciphertext)
    })

    test('cannot use it', async () => {
      const { kms } = admin
      await refusals.expect(
        kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })),
        noIdentity(who, 'kms:Decrypt', arn),
      )
      await refusals.expect(
        kms.send(new EncryptCommand({ KeyId: arn, Plaintext })),
        noIdentity(who, 'kms:Encrypt', arn),
      )
      await refusals.expect(
        kms.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec: 'AES_256' })),
        noIdentity(who, 'kms:GenerateDataKey', arn),
      )
      await refusals.expect(
        kms.send(new ReEncryptCommand({ CiphertextBlob: ciphertext, DestinationKeyId: arn })),
        noIdentity(who, 'kms:ReEncryptFrom', arn),
      )
    })

    test('cannot make itself a user of it, by the key', async () => {
      const { kms } = admin
      await refusals.expect(
        kms.send(
          new CreateGrantCommand({ KeyId: arn, GranteePrincipal: who, Operations: ['Decrypt'] }),
        ),
        noIdentity(who, 'kms:CreateGrant', arn),
      )
      await refusals.expect(
        kms.send(new PutKeyPolicyCommand({ KeyId: arn, Policy: documentOf(to(who, 'kms:*')) })),
        noIdentity(who, 'kms:PutKeyPolicy', arn),
      )
    })

    test('cannot become a user of it', async () => {
      const { iam, sts } = admin
      const PolicyDocument = documentOf(allow('kms:*'))
      await refusals.expect(
        iam.send(new PutUserPolicyCommand({ UserName: 'admin', PolicyName: 'p', PolicyDocument })),
        noIdentity(who, 'iam:PutUserPolicy', who),
      )
      const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
      await refusals.expect(
        iam.send(new AttachUserPolicyCommand({ UserName: 'admin', PolicyArn })),
        noIdentity(who, 'iam:AttachUserPolicy', who),
      )
      await refusals.expect(
        iam.send(new CreateAccessKeyCommand({ UserName: 'app' })),
        noIdentity(who, 'iam:CreateAccessKey', userArn('app')),
      )
      const trust = documentOf(trusting(who))
      await refusals.expect(
        iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'App', PolicyDocument: trust })),
        noIdentity(who, 'iam:UpdateAssumeRolePolicy', roleArn('App')),
      )
      await refusals.expect(
        sts.send(new AssumeRoleCommand({ RoleArn: roleArn('App'), RoleSessionName: 'job' })),
        {
          ...{ who, permission: 'sts:AssumeRole', resource: roleArn('App') },
          because: 'because no role trust policy allows the sts:AssumeRole action',
          reason: 'no-trust-policy-allows',
        },
      )
    })

    test('is not what a user of it is', async () => {
      const session = as(await assumeRole(app.sts, roleArn('App')))
      await reads(session, ciphertext)
      await refusals.expect(
        session.kms.send(new DisableKeyCommand({ KeyId: arn })),
        noIdentity(sessionArn('App'), 'kms:DisableKey', arn),
      )
      await refusals.expect(
        app.kms.send(new PutKeyPolicyCommand({ KeyId: arn, Policy: documentOf(to('*', 'kms:*')) })),
        noIdentity(userArn('app'), 'kms:PutKeyPolicy', arn),
      )
    })
  })

  test('a database operator reaches neither secrets nor credentials', async () => {
    const vault = await user('vault')
    const dba = await user('dba', {}, allow('sts:AssumeRole'))
    await addRole(owner.iam, 'DatabaseOperator', trusting(userArn('dba')))
    await addRole(owner.iam, 'Vault', trusting(userArn('vault')))
    const broad = allow(['rds:*', 'ec2:*', 's3:*', 'dynamodb:*', 'iam:List*', 'iam:Get*'])
    await owner.iam.send(
      new PutRolePolicyCommand({
        ...{ RoleName: 'DatabaseOperator', PolicyName: 'own' },
        PolicyDocument: documentOf(broad),
      }),
    )
    const arn = await key([to(rootArn, 'kms:*'), to(userArn('vault'), use)])
    const { kms } = vault
    const spec = { KeyId: arn, KeySpec: 'AES_256' } as const
    const { CiphertextBlob } = await kms.send(new GenerateDataKeyCommand(spec))
    const operator = as(await assumeRole(dba.sts, roleArn('DatabaseOperator')))
    const who = sessionArn('DatabaseOperator')
    await operator.iam.send(new ListUsersCommand({}))
    await refusals.expect(
      operator.kms.send(new DecryptCommand({ CiphertextBlob })),
      noIdentity(who, 'kms:Decrypt', arn),
    )
    await refusals.expect(
      operator.kms.send(new GenerateDataKeyCommand(spec)),
      noIdentity(who, 'kms:GenerateDataKey', arn),
    )
    await refusals.expect(
      operator.iam.send(new CreateAccessKeyCommand({ UserName: 'vault' })),
      noIdentity(who, 'iam:CreateAccessKey', userArn('vault')),
    )
    await refusals.expect(
      operator.sts.send(
        new AssumeRoleCommand({ RoleArn: roleArn('Vault'), RoleSessionName: 'job' }),
      ),
      {
        ...{ who, permission: 'sts:AssumeRole', resource: roleArn('Vault') },
        because: 'because no role trust policy allows the sts:AssumeRole action',
        reason: 'no-trust-policy-allows',
      },
    )
  })

  test('all the permissions of an account give nothing on a key that does not leave it to the account', async () => {
    const chief = await user('chief')
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await owner.iam.send(new AttachUserPolicyCommand({ UserName: 'chief', PolicyArn }))
    const clerk = await user('clerk')
    const arn = await key([to(userArn('clerk'), use)])
    const CiphertextBlob = await encrypted(clerk, arn)
    const who = userArn('chief')
    const { kms } = chief
    const GranteePrincipal = who
    const Policy = documentOf(to(who, 'kms:*'))
    const calls = [
      ['kms:Decrypt', () => kms.send(new DecryptCommand({ CiphertextBlob }))],
      [
        'kms:GenerateDataKey',
        () => kms.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec: 'AES_256' })),
      ],
      ['kms:DescribeKey', () => kms.send(new DescribeKeyCommand({ KeyId: arn }))],
      ['kms:PutKeyPolicy', () => kms.send(new PutKeyPolicyCommand({ KeyId: arn, Policy }))],
      [
        'kms:CreateGrant',
        () =>
          kms.send(
            new CreateGrantCommand({ KeyId: arn, GranteePrincipal, Operations: ['Decrypt'] }),
          ),
      ],
    ] as const
    for (const [permission, call] of calls) {
      await refusals.expect(call(), noKeyPolicy(who, permission, arn))
    }
    const own = await key()
    await reads(chief, await encrypted(chief, own))
  })

  test('a revoked session ends at once, and one that is asked for later is none of them', async () => {
    const temp = await user('temp')
    await addRole(owner.iam, 'Shift', trusting(userArn('temp')))
    const arn = await key([to(roleArn('Shift'), use)])
    const session = as(await assumeRole(temp.sts, roleArn('Shift')))
    const ciphertext = await encrypted(session, arn)
    await reads(session, ciphertext)
    const issuedLater = Math.floor(Date.now() / 1000 + 1) * 1000
    const Condition = {
      DateLessThan: { 'aws:TokenIssueTime': new Date(issuedLater).toISOString() },
    }
    const older = { ...allow('*', { Condition }), Effect: 'Deny' }
    await owner.iam.send(
      new PutRolePolicyCommand({
        ...{ RoleName: 'Shift', PolicyName: 'AWSRevokeOlderSessions' },
        PolicyDocument: documentOf(older),
      }),
    )
    await refusals.expect(session.kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })), {
      ...{ who: sessionArn('Shift'), permission: 'kms:Decrypt', resource: arn },
      because: 'with an explicit deny in an identity-based policy',
      reason: 'explicit-deny-in-identity-policy',
    })
    await sleep(issuedLater - Date.now() + 5)
    await reads(as(await assumeRole(temp.sts, roleArn('Shift'))), ciphertext)
  })

  describe('who is made again under a name', () => {
    const invalid = 'Policy contains a statement with one or more invalid principals.'

    test('a user gains nothing of the former', async () => {
      const former = await addUser(owner.iam, 'gone')
      const arn = await key([to(userArn('gone'), use)])
      await owner.kms.send(
        new CreateGrantCommand({
          ...{ KeyId: arn, GranteePrincipal: userArn('gone'), Operations: ['GenerateDataKey'] },
        }),
      )
      const ciphertext = await encrypted(as(former.credentials), arn)
      await owner.iam.send(
        new DeleteAccessKeyCommand({
          UserName: 'gone',
          AccessKeyId: former.credentials.accessKeyId,
        }),
      )
      await owner.iam.send(new DeleteUserCommand({ UserName: 'gone' }))
      const { kms } = await user('gone')
      const who = userArn('gone')
      await refusals.expect(
        kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })),
        noKeyPolicy(who, 'kms:Decrypt', arn),
      )
      await refusals.expect(
        kms.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec: 'AES_256' })),
        noKeyPolicy(who, 'kms:GenerateDataKey', arn),
      )
      const { Grants } = await owner.kms.send(new ListGrantsCommand({ KeyId: arn }))
      assert.equal(Grants?.[0]?.GranteePrincipal, former.id)
      const Policy = await shownPolicy(arn, former.id)
      await fails(
        owner.kms.send(new PutKeyPolicyCommand({ KeyId: arn, Policy })),
        'MalformedPolicyDocumentException',
        invalid,
      )
    })

    test('a role gains nothing of the former, whose sessions have ended', async () => {
      const ivy = await user('ivy')
      const former = await addRole(owner.iam, 'Passing', trusting(userArn('ivy')))
      const arn = await key([to(roleArn('Passing'), use)])
      const session = as(await assumeRole(ivy.sts, roleArn('Passing')))
      const ciphertext = await encrypted(session, arn)
      await owner.iam.send(new DeleteRoleCommand({ RoleName: 'Passing' }))
      const dead = () =>
        fails(
          session.kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })),
          'UnrecognizedClientException',
          'The security token included in the request is invalid.',
        )
      await dead()
      await addRole(owner.iam, 'Passing', trusting(userArn('ivy')))
      await dead()
      const later = as(await assumeRole(ivy.sts, roleArn('Passing')))
      await refusals.expect(
        later.kms.send(new DecryptCommand({ CiphertextBlob: ciphertext })),
        noKeyPolicy(sessionArn('Passing'), 'kms:Decrypt', arn),
      )
      await shownPolicy(arn, former.id)
    })

    /** The policy of the key, in which the id stands for who is gone. */
    async function shownPolicy(KeyId: string, id: string): Promise<string> {
      const { Policy } = await owner.kms.send(new GetKeyPolicyCommand({ KeyId }))
      const { Statement } = JSON.parse(present(Policy)) as {
        readonly Statement: readonly { readonly Principal: { readonly AWS: unknown } }[]
      }
      assert.equal(Statement.at(-1)?.Principal.AWS, id)
      return present(Policy)
    }
  })

  test('the audit record has of each denial who asked, and why not', async () => {
    await refusals.verifyRecord(server.data)
  })
})
