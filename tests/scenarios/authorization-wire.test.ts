import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CreatePolicyCommand, CreateRoleCommand, ListUsersCommand } from '@aws-sdk/client-iam'
import { EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { identityPolicies, trustPolicies } from '../authorization/cases/put.ts'
import { conditions } from '../authorization/wire/conditions.ts'
import { forItsOwn, forOthers } from '../authorization/wire/operations.ts'
import { paths } from '../authorization/wire/paths.ts'
import { abroad, arnOf, arns, home, Stage, type WireCase } from '../authorization/wire/stage.ts'
import { allow, deny, to } from '../authorization/wire/statements.ts'
import { trust } from '../authorization/wire/trust.ts'
import { kagibanOk } from '../support/cli.ts'
import { clientsOf } from '../support/clients.ts'
import { documentOf, getSessionToken, type StatementOf } from '../support/iam-people.ts'

const themes: Readonly<Record<string, readonly WireCase[]>> = {
  'who is let in by what': paths,
  'what a request says': conditions,
  'operations that are for the own account alone': forItsOwn,
}

type Failure = Error & { readonly $metadata?: { readonly httpStatusCode?: number } }

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => assert.fail('it was allowed'),
    (error: Failure) => error,
  )
}

function denies(failure: unknown, message: string, status = 400, name = 'AccessDeniedException') {
  assert.ok(failure instanceof Error, 'it was allowed')
  assert.equal(failure.message, message)
  assert.equal(failure.name, name)
  assert.equal((failure as Failure).$metadata?.httpStatusCode, status)
}

/** Decision cases through AWS's own clients: real identities, real sessions, and what they are told. */
describe('decisions through the wire', () => {
  let stage: Stage

  before(async () => {
    stage = await Stage.open()
  })
  after(() => stage.close())

  for (const [theme, cases] of Object.entries(themes)) {
    describe(theme, () => {
      for (const each of cases) {
        test(`${each.rule}: ${each.who}: ${each.name}`, () => plays(each))
      }
    })
  }

  async function plays(each: WireCase): Promise<void> {
    const failure = await stage.play(each)
    if (each.denied === undefined) assert.equal(failure, undefined)
    else denies(failure, stage.refusalOf(each))
  }

  describe('operations that other accounts may call', () => {
    for (const each of forOthers) {
      test(`${each.rule}: ${each.name}`, async () => {
        const failure = await stage.play(each)
        const name = failure instanceof Error ? failure.name : undefined
        assert.equal(name, each.refusal, String(failure))
      })
    }
  })

  describe('who may assume a role', () => {
    for (const each of trust) {
      test(`${each.rule}: ${each.who}: ${each.name}`, async () => {
        const { who, permission = 'sts:AssumeRole', denied } = each
        const answer = await stage.assumeTarget(each)
        if (denied === undefined) {
          assert.ok(!(answer instanceof Error), String(answer))
          const clients = clientsOf(stage.server, answer)
          const { Arn } = await clients.sts.send(new GetCallerIdentityCommand({}))
          clients.destroy()
          const name = each.request?.RoleSessionName ?? 'job'
          assert.equal(Arn, `arn:aws:sts::${home}:assumed-role/Target/${name}`)
          return
        }
        const begin = `User: ${arnOf[who]} is not authorized to perform: ${permission} on resource: ${arns.target}`
        denies(answer, denied === '' ? begin : `${begin} ${denied}`, 403, 'AccessDenied')
      })
    }

    test('7.3: root users assume no role', async () => {
      const { sts } = stage.clients.owner
      const request = { RoleArn: arns.target, RoleSessionName: 'job' }
      const failure = await failureOf(sts.send(new AssumeRoleCommand(request)))
      denies(failure, 'Roles may not be assumed by root accounts.', 403, 'AccessDenied')
    })
  })

  describe('credentials of GetSessionToken', () => {
    const all: WireCase = {
      ...{ rule: '7.3', name: '', who: 'aliceSession' },
      identity: allow({ Action: '*' }),
    }

    test('7.3: are the user, by its ARN', async () => {
      const { sts } = stage.clients.aliceSession
      const { Arn } = await sts.send(new GetCallerIdentityCommand({}))
      assert.equal(Arn, arns.alice)
    })

    test('7.3: may not call IAM, whatever the user may', async () => {
      await stage.play({ ...all, policy: to(home) })
      await stage.clients.alice.iam.send(new ListUsersCommand({}))
      const failure = await failureOf(stage.clients.aliceSession.iam.send(new ListUsersCommand({})))
      assert.equal(failure.$metadata?.httpStatusCode, 403)
    })

    test('7.3: may call of STS AssumeRole and GetCallerIdentity alone', async () => {
      await stage.play({ ...all, policy: to(home) })
      const { sts } = stage.clients.aliceSession
      const AccessKeyId = stage.server.credentials.accessKeyId
      const calls = [
        () => sts.send(new GetSessionTokenCommand({})),
        () => sts.send(new GetAccessKeyInfoCommand({ AccessKeyId })),
        () => sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'x' })),
      ]
      for (const call of calls) {
        const failure = await failureOf(call())
        assert.equal(failure.$metadata?.httpStatusCode, 403, failure.message)
        assert.equal(failure.name, 'AccessDenied')
      }
    })

    test('7.3: no policy denies anybody to ask for them, nor who one is', async () => {
      await stage.play({ ...all, identity: deny({ Action: '*' }), who: 'alice' })
      const { sts } = stage.clients.alice
      await sts.send(new GetCallerIdentityCommand({}))
      await getSessionToken(sts)
    })
  })

  describe('putting a policy', () => {
    const put = (
      statements: StatementOf | readonly StatementOf[],
      who: 'owner' | 'alice' = 'owner',
    ) =>
      failureOf(
        stage.clients[who].kms.send(
          new PutKeyPolicyCommand({ KeyId: stage.key.id, Policy: documentOf(statements) }),
        ),
      )
    const malformed = 'MalformedPolicyDocumentException'

    test('1.4: the lockout check', async () => {
      const lockout =
        'The new key policy will not allow you to update the key policy in the future.'
      denies(await put(to(home, { Action: 'kms:Decrypt' })), lockout, 400, malformed)
      await stage.play({ rule: '1.4', name: '', who: 'alice', policy: to(arns.alice) })
      denies(await put(to(home), 'alice'), lockout, 400, malformed)
    })

    test('1.3: principals that are not there, and unique ids', async () => {
      const invalid = 'Policy contains a statement with one or more invalid principals.'
      for (const AWS of [`${arns.alice}x`, 'AIDAFORMERALICE00000', '777788889999']) {
        denies(await put([to(home), to(AWS)]), invalid, 400, malformed)
      }
    })

    test('1.2: ForAllValues on a key of one value', async () => {
      const Condition = { 'ForAllValues:StringEquals': { 'kms:EncryptionContext:Dept': 'x' } }
      const failure = await put([to(home), to(arns.alice, { Condition })])
      assert.equal(failure.name, malformed)
      assert.match(failure.message, /^OverlyPermissiveCondition: .*encryption context/)
    })

    test('1.2: too long is beyond a limit', async () => {
      const failure = await put(to(home, { Sid: 'x'.repeat(32_768) }))
      assert.equal(failure.name, 'LimitExceededException')
    })

    for (const { rule, name, text, refused } of identityPolicies) {
      if (typeof refused !== 'string') continue
      test(`${rule}: managed policy: ${name}`, async () => {
        const { iam } = stage.clients.owner
        const request = { PolicyName: 'malformed', PolicyDocument: text }
        const failure = await failureOf(iam.send(new CreatePolicyCommand(request)))
        denies(failure, refused, 400, malformed)
      })
    }

    for (const { rule, name, text, refused } of trustPolicies) {
      if (typeof refused !== 'string') continue
      test(`${rule}: trust policy: ${name}`, async () => {
        const { iam } = stage.clients.owner
        const request = { RoleName: 'malformed', AssumeRolePolicyDocument: text }
        const failure = await failureOf(iam.send(new CreateRoleCommand(request)))
        denies(failure, refused, 400, malformed)
      })
    }
  })

  describe('guardrails of the organisation', () => {
    const encryption = { Action: 'kms:Encrypt' }
    const open: readonly [WireCase, WireCase] = [
      { rule: '4.1 step 4', name: '', who: 'bob', policy: to('*'), identity: allow() },
      { rule: '4.1 step 4', name: '', who: 'stranger', policy: to('*') },
    ]
    const alice: WireCase = { rule: '4.1 step 3', name: '', who: 'alice', policy: to(arns.alice) }

    const guardrail = (...words: readonly string[]) =>
      kagibanOk('guardrail', ...words, '--data', stage.server.data)
    async function put(name: string, kind: string, statements: readonly StatementOf[]) {
      const file = join(stage.server.data, '..', `${name}.json`)
      writeFileSync(file, documentOf(statements))
      const text = await guardrail('put', name, file, '--kind', kind, '--json')
      const { arn } = JSON.parse(text) as { readonly arn: string }
      return arn
    }

    test('4.1 step 4: a service control policy binds an account, its root user too', async () => {
      for (const each of open) await plays(each)
      const arn = await put('no-encrypt', 'service-control', [deny(encryption)])
      for (const each of open) await plays(each)
      await guardrail('attach', 'no-encrypt', abroad)
      const denied = `with an explicit deny in a service control policy: ${arn}`
      for (const each of open) await plays({ ...each, denied })
      await plays(alice)
      await guardrail('detach', 'no-encrypt', abroad)
      for (const each of open) await plays(each)
    })

    test('4.1 step 4: a level has to allow', async () => {
      await put('decrypt-only', 'service-control', [allow({ Action: 'kms:Decrypt' })])
      await guardrail('attach', 'decrypt-only', abroad)
      for (const each of open) await plays(each)
      await guardrail('detach', 'FullAWSAccess', abroad)
      const denied = 'because no service control policy allows the kms:Encrypt action'
      for (const each of open) await plays({ ...each, denied })
      await guardrail('attach', 'FullAWSAccess', abroad)
    })

    test('4.1 step 3: a resource control policy binds whoever uses the keys of an account', async () => {
      const Condition = { StringNotEquals: { 'aws:PrincipalAccount': home } }
      const ours = deny({ ...encryption, Principal: '*', Condition })
      await put('ours', 'resource-control', [ours])
      await guardrail('attach', 'ours', home, '--kind', 'resource-control')
      for (const each of open) await plays({ ...each, denied: 'unknown' })
      await plays(alice)
      const arn = await put('ours', 'resource-control', [deny({ ...encryption, Principal: '*' })])
      const denied = `with an explicit deny in a resource control policy: ${arn}`
      await plays({ ...alice, denied })
      await plays({ ...alice, who: 'owner', policy: to(home), denied })
      await guardrail('detach', 'ours', home, '--kind', 'resource-control')
      const { kms } = stage.clients.alice
      await plays(alice)
      await kms.send(new EncryptCommand({ KeyId: stage.key.arn, Plaintext: Buffer.from('x') }))
    })
  })

  test('there are as many cases as there should be', () => {
    const all = [...Object.values(themes).flat(), ...forOthers, ...trust]
    assert.ok(all.length >= 100, `${all.length} cases`)
    assert.equal(forOthers.length, 21, 'operations that are for other accounts too')
  })
})
