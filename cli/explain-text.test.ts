import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { explain } from '../src/authorize/explain.ts'
import { noLayers } from '../src/authorize/layers.ts'
import { compilePolicy } from '../src/authorize/policy/compile.ts'
import type { PolicyKind } from '../src/authorize/policy/document.ts'
import type { AccessRequest } from '../src/authorize/request.ts'
import { wouldAllow } from '../src/authorize/would-allow.ts'
import type { AccountId, Region } from '../src/base/ids.ts'
import type { EventExplanation } from '../src/operator/explain-event.ts'
import { callText, eventText, printable, printableLines } from './explain-text.ts'

const account = '111122223333' as AccountId
const arn = `arn:aws:kms:us-east-1:${account}:key/k`
const user = `arn:aws:iam::${account}:user/ann`
const policy = (kind: PolicyKind, statement: object) =>
  compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }), kind)
const variable = '$' + '{aws:username}'

const request: AccessRequest = {
  caller: {
    ...{ type: 'user', account, arn: user, principalId: 'AIDAAAAAAAAAAAAAAAAAA' },
    ...{ accessKeyId: '', userName: 'ann' },
  },
  permission: 'kms:Decrypt',
  resource: {
    ...{ type: 'key', arn, account, crossAccount: true },
    policy: policy('key', {
      ...{ Sid: 'Account', Effect: 'Allow', Principal: { AWS: account } },
      ...{ Action: '*', Resource: '*' },
    }),
  },
  conditions: [{ 'aws:username': 'ann', 'kms:EncryptionContext:owner': 'bob' }],
  layers: {
    ...noLayers,
    identity: [
      {
        name: `${user}/own`,
        version: undefined,
        policy: policy('identity', {
          ...{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' },
          Condition: { StringEquals: { 'kms:EncryptionContext:owner': variable } },
        }),
      },
    ],
  },
}

const trace = { ...explain(request), decisiveStep: 6, wouldAllow: wouldAllow(request) }

describe('an explanation', () => {
  test('of a call says what every layer said, and what would have allowed it', () => {
    const text = callText({
      ...{ principal: user, action: 'kms:Decrypt', resource: arn, region: 'us-east-1' as Region },
      ...{ conditions: {}, trace },
      grants: [{ grantId: 'g', grantee: 'user', operation: true, constraint: 'not met' }],
    })
    assert.deepEqual(
      text.split('\n').filter((line) => !line.includes('SHA-256')),
      [
        `kms:Decrypt on ${arn}, in us-east-1, as things are now`,
        `caller    ${user}`,
        '  DENIED at step 6: no identity policy allows',
        '  service control policy               not applicable',
        '  resource control policy              not applicable',
        '  key policy                           allow',
        '      statement 0 "Account"  Allow  matches, by account',
        '  identity policy                      implicit deny',
        '      statement 0  Allow  does not match: condition',
        `        StringEquals kms:EncryptionContext:owner: policy ${variable} (ann); request bob; false (compared)`,
        '  permissions boundary                 not applicable',
        '  session policy                       not applicable',
        '  grant                                not applicable',
        '    grant g to the user: operation is one of its, constraint not met',
        '  would have been allowed, had any one of these been so:',
        `    - an identity policy allowed kms:Decrypt on ${arn}`,
        `    - the policy of the resource allowed kms:Decrypt to ${user}`,
        '    - a grant to the caller permitted kms:Decrypt',
        '    - kms:EncryptionContext:owner were ann',
        '',
      ],
    )
  })

  test('of an event says whether it is unchanged, and what was not found', () => {
    const recorded = {
      ...{ permission: 'kms:Decrypt', resource: arn, allowed: false },
      reason: 'no-identity-policy-allows',
    }
    const event: EventExplanation['event'] = {
      ...{ eventId: 'e', eventName: 'Decrypt', eventTime: 'then', region: 'us-east-1' },
      ...{ recipientAccountId: account, errorCode: 'AccessDenied', errorMessage: 'no\u001b[31m\n' },
      caller: { type: 'IAMUser', arn: user, principalId: 'AIDA' },
    }
    const common = { own: recorded, recorded, missing: [] }
    const text = eventText({
      event,
      decisions: [
        { ...common, outcome: 'unchanged', trace },
        { ...common, outcome: 'incomplete', missing: [{ layer: 'key-policy', digest: 'd' }] },
        { ...common, outcome: 'incomplete', recorded: { ...recorded, side: 'resource' } },
      ],
    })
    for (const line of [
      'Decrypt  then  us-east-1  event e',
      'answered  AccessDenied: no\\u{1b}[31m\\u{a}',
      '  unchanged: the texts that the record names decide the same today',
      '  incomplete: not every text that the record names was found',
      `  not found: key policy ${arn}, SHA-256 d`,
      `  incomplete: this record has the resource's side alone, and the other account's was not found`,
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`)
    }
    assert.equal(
      eventText({ event, decisions: [], note: 'Nothing.' }).split('\n').at(-2),
      'Nothing.',
    )
  })

  test('acts on no terminal', () => {
    assert.equal(
      printable('a\u001b[31m\u0085\u2028\u202eé鍵\n'),
      'a\\u{1b}[31m\\u{85}\\u{2028}\\u{202e}é鍵\n',
    )
  })

  test('lets nobody write a line of their own', () => {
    assert.equal(
      printableLines(['answered  AccessDenied: a\n  ALLOWED at step 5', 'é']),
      'answered  AccessDenied: a\\u{a}  ALLOWED at step 5\né\n',
    )
  })
})
