import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { type Clients, clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { policyOf, type Statement } from '../support/policies.ts'
import { TestServer } from '../support/server.ts'
import type { Credentials } from '../support/signer.ts'

const changes = process.env['SLOW'] === '1' ? 10_000 : 250

/** Two processes over one data folder: what one of them has acknowledged decides the very next call on the other. */
describe('a change that one process has acknowledged', () => {
  let first: TestServer
  let second: TestServer
  let iam: readonly Clients[]
  let roots: readonly JsonClient[]
  let users: readonly JsonClient[]
  let user: { readonly arn: string; readonly credentials: Credentials }
  let keyId: string

  before(async () => {
    first = await TestServer.start()
    second = TestServer.over(first.data, first.credentials, { node: 'second' })
    await second.restart()
    iam = [clientsOf(first), clientsOf(second)]
    const { iam: here } = present(iam[0])
    const { User } = await here.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await here.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    user = {
      arn: present(User?.Arn),
      credentials: {
        accessKeyId: present(AccessKey?.AccessKeyId),
        secretAccessKey: present(AccessKey?.SecretAccessKey),
      },
    }
    const clients = (credentials: Credentials) =>
      [first, second].map(({ endpoint }) => new JsonClient(endpoint, credentials))
    roots = clients(first.credentials)
    users = clients(user.credentials)
    const created = await present(roots[0]).call('CreateKey', {})
    const { KeyId } = present(created).body['KeyMetadata'] as { readonly KeyId: string }
    keyId = KeyId
  })
  after(async () => {
    for (const clients of iam) clients.destroy()
    for (const client of [...roots, ...users]) client.close()
    await second.discard()
    await first.discard()
  })

  /** Makes the change through one process and asks the other at once, as the user. */
  async function flip(round: number, change: (at: number) => Promise<unknown>, wanted: string) {
    const at = round % 2
    await change(at)
    const answer = await present(users[1 - at]).call('DescribeKey', { KeyId: keyId })
    assert.equal(answer?.error ?? 'allowed', wanted, `change ${round}, asked at ${1 - at}`)
  }

  async function asRoot(at: number, operation: string, input: object): Promise<void> {
    const answer = await present(roots[at]).call(operation, { KeyId: keyId, ...input })
    assert.equal(answer?.status, 200, `${operation}: ${JSON.stringify(answer?.body)}`)
  }

  /** Each of these lets the user in and then shuts it out again. */
  const ways: Readonly<Record<string, (round: number) => Promise<void>>> = {
    async 'the key policy'(round) {
      const put =
        (...statements: Statement[]) =>
        (at: number) =>
          asRoot(at, 'PutKeyPolicy', { Policy: policyOf(first.account, ...statements) })
      const action = { Action: 'kms:DescribeKey', Resource: '*' }
      const own: Statement = { Effect: 'Allow', Principal: { AWS: user.arn }, ...action }
      await flip(round, put(own), 'allowed')
      await flip(round + 1, put(), 'AccessDeniedException')
    },
    async 'an identity policy'(round) {
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' },
      })
      const name = { UserName: 'ann', PolicyName: 'p' }
      const put = (at: number) =>
        present(iam[at]).iam.send(new PutUserPolicyCommand({ ...name, PolicyDocument }))
      const remove = (at: number) => present(iam[at]).iam.send(new DeleteUserPolicyCommand(name))
      await flip(round, put, 'allowed')
      await flip(round + 1, remove, 'AccessDeniedException')
    },
    async 'a grant'(round) {
      let grantId = ''
      const grant = async (at: number) => {
        const input = { KeyId: keyId, GranteePrincipal: user.arn, Operations: ['DescribeKey'] }
        const answer = await present(roots[at]).call('CreateGrant', input)
        grantId = String(answer?.body['GrantId'])
      }
      await flip(round, grant, 'allowed')
      await flip(
        round + 1,
        (at) => asRoot(at, 'RevokeGrant', { GrantId: grantId }),
        'AccessDeniedException',
      )
    },
    async 'an access key'(round) {
      const { accessKeyId: AccessKeyId } = user.credentials
      const set = (Status: 'Active' | 'Inactive') => (at: number) =>
        present(iam[at]).iam.send(
          new UpdateAccessKeyCommand({ UserName: 'ann', AccessKeyId, Status }),
        )
      await flip(round, set('Inactive'), 'UnrecognizedClientException')
      await flip(round + 1, set('Active'), 'AccessDeniedException')
    },
  }

  const names = Object.keys(ways)

  test(`decides the next call on the other, ${changes} of ${changes} times`, async () => {
    for (let round = 0; round < changes; round += 2) {
      const name = present(names[(round / 2) % names.length])
      await present(ways[name])(round)
    }
  })
})
