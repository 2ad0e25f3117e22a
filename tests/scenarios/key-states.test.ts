import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { policyOf } from '../support/policies.ts'
import { TestServer } from '../support/server.ts'

/**
 * What each operation answers in each state of its key: the table "Key states of AWS KMS keys".
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
const plaintext = Buffer.from('state').toString('base64')

type Subject = { id: string; arn: string; ciphertext: string }
type Outcome = 'done' | 'disabled' | 'pending' | 'not pending'

const answers: Record<Exclude<Outcome, 'done'>, (arn: string) => { type: string; text: string }> = {
  disabled: (arn) => ({ type: 'DisabledException', text: `${arn} is disabled.` }),
  pending: (arn) => ({ type: 'KMSInvalidStateException', text: `${arn} is pending deletion.` }),
  'not pending': (arn) => ({
    type: 'KMSInvalidStateException',
    text: `${arn} is not pending deletion.`,
  }),
}

const states = ['Enabled', 'Disabled', 'PendingDeletion'] as const

/** Operation, its input, and its answers in the order of `states`. A row that changes the state comes last. */
const table: [string, (key: Subject) => object, [Outcome, Outcome, Outcome]][] = [
  ['DescribeKey', ({ id }) => ({ KeyId: id }), ['done', 'done', 'done']],
  ['Encrypt', ({ id }) => ({ KeyId: id, Plaintext: plaintext }), ['done', 'disabled', 'pending']],
  [
    'Decrypt',
    ({ ciphertext }) => ({ CiphertextBlob: ciphertext }),
    ['done', 'disabled', 'pending'],
  ],
  [
    'ReEncrypt',
    ({ id, ciphertext }) => ({ CiphertextBlob: ciphertext, DestinationKeyId: id }),
    ['done', 'disabled', 'pending'],
  ],
  [
    'GenerateDataKey',
    ({ id }) => ({ KeyId: id, KeySpec: 'AES_256' }),
    ['done', 'disabled', 'pending'],
  ],
  [
    'GenerateDataKeyWithoutPlaintext',
    ({ id }) => ({ KeyId: id, KeySpec: 'AES_256' }),
    ['done', 'disabled', 'pending'],
  ],
  ['GetKeyPolicy', ({ id }) => ({ KeyId: id }), ['done', 'done', 'done']],
  ['ListKeyPolicies', ({ id }) => ({ KeyId: id }), ['done', 'done', 'done']],
  ['ListResourceTags', ({ id }) => ({ KeyId: id }), ['done', 'done', 'done']],
  ['ListAliases', ({ id }) => ({ KeyId: id }), ['done', 'done', 'done']],
  [
    'PutKeyPolicy',
    ({ id }) => ({ KeyId: id, Policy: policyOf('111122223333') }),
    ['done', 'done', 'done'],
  ],
  [
    'TagResource',
    ({ id }) => ({ KeyId: id, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
    ['done', 'done', 'pending'],
  ],
  ['UntagResource', ({ id }) => ({ KeyId: id, TagKeys: ['a'] }), ['done', 'done', 'pending']],
  [
    'UpdateKeyDescription',
    ({ id }) => ({ KeyId: id, Description: 'new' }),
    ['done', 'done', 'pending'],
  ],
  [
    'CreateAlias',
    ({ id }) => ({ AliasName: `alias/new-${id}`, TargetKeyId: id }),
    ['done', 'done', 'pending'],
  ],
  [
    'UpdateAlias',
    ({ id }) => ({ AliasName: `alias/old-${id}`, TargetKeyId: id }),
    ['done', 'done', 'pending'],
  ],
  ['DeleteAlias', ({ id }) => ({ AliasName: `alias/old-${id}` }), ['done', 'done', 'done']],
  ['CancelKeyDeletion', ({ id }) => ({ KeyId: id }), ['not pending', 'not pending', 'done']],
  ['EnableKey', ({ id }) => ({ KeyId: id }), ['done', 'done', 'pending']],
  ['DisableKey', ({ id }) => ({ KeyId: id }), ['done', 'done', 'pending']],
  ['ScheduleKeyDeletion', ({ id }) => ({ KeyId: id }), ['done', 'done', 'pending']],
]

describe('key states', () => {
  let server: TestServer
  let client: JsonClient

  before(async () => {
    server = await TestServer.start()
    client = new JsonClient(server.endpoint, server.credentials)
  })
  after(async () => {
    client.close()
    await server.discard()
  })

  async function call(operation: string, input: object) {
    return present(await client.call(operation, input), 'an answer')
  }

  async function ok(operation: string, input: object) {
    const answer = await call(operation, input)
    assert.equal(answer.status, 200, `${operation}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async function keyIn(state: (typeof states)[number]): Promise<Subject> {
    const { KeyMetadata } = await ok('CreateKey', {})
    const { KeyId: id, Arn: arn } = KeyMetadata as { KeyId: string; Arn: string }
    const { CiphertextBlob } = await ok('Encrypt', { KeyId: id, Plaintext: plaintext })
    await ok('CreateAlias', { AliasName: `alias/old-${id}`, TargetKeyId: id })
    if (state === 'Disabled') await ok('DisableKey', { KeyId: id })
    if (state === 'PendingDeletion') await ok('ScheduleKeyDeletion', { KeyId: id })
    return { id, arn, ciphertext: String(CiphertextBlob) }
  }

  for (const [column, state] of states.entries()) {
    for (const [operation, input, outcomes] of table) {
      const outcome = outcomes[column] ?? 'done'
      test(`${operation} of a key that is ${state}: ${outcome}`, async () => {
        const key = await keyIn(state)
        const answer = await call(operation, input(key))
        const said = JSON.stringify(answer.body)
        if (outcome === 'done') return assert.equal(answer.status, 200, said)
        const expected = answers[outcome](key.arn)
        assert.equal(answer.status, 400, said)
        assert.equal(answer.error, expected.type, said)
        assert.equal(answer.body['message'], expected.text)
      })
    }
  }
})
