/** Who may assume a role, through the wire. */
import { trusting } from '../../support/iam-people.ts'
import { abroad, arns, home, type TrustCase } from './stage.ts'
import { allow } from './statements.ts'

const noTrust = 'because no role trust policy allows the sts:AssumeRole action'
const noIdentity = 'because no identity-based policy allows the sts:AssumeRole action'
const all = allow({ Action: '*' })
const externalId = { Condition: { StringEquals: { 'sts:ExternalId': 'e-1234' } } }
const mona = { Condition: { StringEquals: { 'sts:SourceIdentity': 'mona' } } }
const assumeOnly = (AWS: string) => trusting(AWS, {}, 'sts:AssumeRole')
const deny = { ...trusting(arns.alice, {}, 'sts:AssumeRole'), Effect: 'Deny' }

export const trust: readonly TrustCase[] = [
  { rule: '7.3 same account', name: 'names the user', who: 'alice', trust: trusting(arns.alice) },
  {
    rule: '7.3 same account',
    name: 'names another',
    who: 'alice',
    trust: trusting(arns.worker),
    identity: all,
    denied: noTrust,
  },
  {
    rule: '7.3 same account',
    name: 'names the account',
    who: 'alice',
    trust: trusting(home),
    identity: all,
  },
  {
    rule: '7.3 same account',
    name: 'names the account, without leave',
    who: 'alice',
    trust: trusting(home),
    denied: noIdentity,
  },
  {
    rule: '7.3 same account',
    name: 'names the account, leave for another role',
    who: 'alice',
    trust: trusting(home),
    identity: allow({ Action: 'sts:*', Resource: arns.worker }),
    denied: noIdentity,
  },
  {
    rule: '7.3 explicit deny',
    name: 'of the trust policy',
    who: 'alice',
    trust: [trusting(arns.alice), deny],
    denied: 'with an explicit deny in the role trust policy',
  },
  {
    rule: '7.3 explicit deny',
    name: 'of the identity policy',
    who: 'alice',
    trust: trusting(arns.alice),
    identity: { ...all, Effect: 'Deny' },
    denied: 'with an explicit deny in an identity-based policy',
  },
  { rule: '7.3 chaining', name: 'names a role', who: 'worker', trust: trusting(arns.worker) },
  { rule: '7.3 chaining', name: 'names the session', who: 'worker', trust: trusting(arns.job) },
  {
    rule: '7.3 chaining',
    name: 'names another session',
    who: 'worker',
    trust: trusting(`${arns.job}2`),
    identity: all,
    denied: noTrust,
  },
  {
    rule: '7.3 chaining',
    name: 'names who assumed the caller',
    who: 'worker',
    trust: trusting(arns.alice),
    identity: all,
    denied: noTrust,
  },
  {
    rule: '7.3 cross-account',
    name: 'both sides',
    who: 'bob',
    trust: trusting(abroad),
    identity: all,
  },
  {
    rule: '7.3 cross-account',
    name: 'the role alone',
    who: 'bob',
    trust: trusting(arns.bob),
    denied: noIdentity,
  },
  {
    rule: '7.3 cross-account',
    name: 'the caller alone',
    who: 'bob',
    trust: trusting(home),
    identity: all,
    denied: '',
  },
  {
    rule: '7.3 cross-account',
    name: 'a role by name',
    who: 'guest',
    trust: trusting(arns.guest),
    identity: all,
  },
  {
    rule: '7.3 ExternalId',
    name: 'the right one',
    who: 'bob',
    trust: trusting(abroad, externalId),
    identity: all,
    request: { ExternalId: 'e-1234' },
  },
  {
    rule: '7.3 ExternalId',
    name: 'another',
    who: 'bob',
    trust: trusting(abroad, externalId),
    identity: all,
    request: { ExternalId: 'e-4321' },
    denied: '',
  },
  {
    rule: '7.3 ExternalId',
    name: 'none',
    who: 'bob',
    trust: trusting(abroad, externalId),
    identity: all,
    denied: '',
  },
  {
    rule: '7.3 RoleSessionName',
    name: 'the name of the user',
    who: 'alice',
    trust: trusting(arns.alice, {
      Condition: { StringEquals: { 'sts:RoleSessionName': '${' + 'aws:username}' } },
    }),
    request: { RoleSessionName: 'alice' },
  },
  {
    rule: '7.3 RoleSessionName',
    name: 'another name',
    who: 'alice',
    trust: trusting(arns.alice, {
      Condition: { StringEquals: { 'sts:RoleSessionName': '${' + 'aws:username}' } },
    }),
    request: { RoleSessionName: 'mona' },
    denied: noTrust,
  },
  {
    rule: '7.3 SourceIdentity',
    name: 'the right one',
    who: 'alice',
    trust: trusting(arns.alice, mona),
    request: { SourceIdentity: 'mona' },
  },
  {
    rule: '7.3 SourceIdentity',
    name: 'none',
    who: 'alice',
    trust: trusting(arns.alice, mona),
    denied: noTrust,
  },
  {
    rule: '7.3 SourceIdentity',
    name: 'without sts:SetSourceIdentity',
    who: 'alice',
    trust: assumeOnly(arns.alice),
    request: { SourceIdentity: 'mona' },
    permission: 'sts:SetSourceIdentity',
    denied: 'because no role trust policy allows the sts:SetSourceIdentity action',
  },
  {
    rule: '7.3 TagSession',
    name: 'without sts:TagSession',
    who: 'alice',
    trust: assumeOnly(arns.alice),
    request: { Tags: [{ Key: 'team', Value: 'red' }] },
    permission: 'sts:TagSession',
    denied: 'because no role trust policy allows the sts:TagSession action',
  },
  {
    rule: '7.3 RequestTag',
    name: 'the right tag',
    who: 'alice',
    trust: trusting(arns.alice, { Condition: { StringEquals: { 'aws:RequestTag/team': 'red' } } }),
    request: { Tags: [{ Key: 'Team', Value: 'red' }] },
  },
  {
    rule: '7.3 RequestTag',
    name: 'another tag',
    who: 'alice',
    trust: trusting(arns.alice, { Condition: { StringEquals: { 'aws:RequestTag/team': 'red' } } }),
    request: { Tags: [{ Key: 'team', Value: 'blue' }] },
    denied: noTrust,
  },
  {
    rule: '7.3 GetSessionToken',
    name: 'may assume roles',
    who: 'aliceSession',
    trust: trusting(arns.alice),
  },
]
