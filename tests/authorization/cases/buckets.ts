/** Objects in buckets: within an account one policy is enough, between accounts it takes both. */
import { against, allow, type DecisionCase, deny, rootOf, to, type Verdict } from '../case.ts'
import {
  abroad,
  alice,
  bob,
  day,
  guest,
  guestRoleArn,
  home,
  night,
  owner,
  stranger,
  workerArn,
} from '../people.ts'

const object = 'arn:aws:s3:::ledger/2026/q1.csv'
const read = { Action: 's3:GetObject', Resource: 'arn:aws:s3:::ledger/*' }
const write = { Action: 's3:PutObject', Resource: 'arn:aws:s3:::ledger/*' }
const none = 'no-identity-policy-allows'
const closed = 'no-bucket-policy-allows'

type Row = readonly [name: string, Omit<DecisionCase, 'rule' | 'name' | 'expected'>, Verdict]

const within: readonly Row[] = [
  ['root', { caller: owner }, 'account-root'],
  ['root, denied', { caller: owner, policy: against('*', read) }, 'explicit-deny-in-bucket-policy'],
  ['nobody allows', { caller: alice }, none],
  ['an identity policy', { caller: alice, identity: [allow(read)] }, 'identity-policy'],
  ['an identity policy of something else', { caller: alice, identity: [allow(write)] }, none],
  ['a policy that names the user', { caller: alice, policy: to(alice.arn, read) }, 'A'],
  ['a policy that names another', { caller: alice, policy: to(bob.arn, read) }, none],
  ['a policy that names everyone', { caller: alice, policy: to('*', read) }, 'E'],
  [
    'a policy of other objects',
    { caller: alice, policy: to(alice.arn, { ...read, Resource: 'arn:aws:s3:::other/*' }) },
    none,
  ],
  ['its own account, named, is no leave', { caller: alice, policy: to(rootOf(home), read) }, none],
  [
    'its own account, not named, takes none away',
    { caller: alice, identity: [allow(read)], policy: to(rootOf(abroad), read) },
    'identity-policy',
  ],
  [
    'the bucket denies',
    { caller: alice, identity: [allow()], policy: [to(alice.arn, read), against(alice.arn, read)] },
    'explicit-deny-in-bucket-policy',
  ],
  [
    'the identity is denied',
    { caller: alice, identity: [deny(read)], policy: to(alice.arn, read) },
    'explicit-deny-in-identity-policy',
  ],
  [
    'beyond the boundary',
    { caller: alice, identity: [allow()], boundary: allow(write) },
    'no-permissions-boundary-allows',
  ],
  [
    'the user by name, whatever the boundary leaves out',
    { caller: alice, boundary: allow(write), policy: to(alice.arn, read) },
    'A',
  ],
  [
    'the role by name, beyond its boundary',
    { caller: day, boundary: allow(write), policy: to(workerArn, read) },
    'no-permissions-boundary-allows',
  ],
  ['the role by name', { caller: day, policy: to(workerArn, read) }, 'C'],
  [
    'the role by name, beyond its session policy',
    { caller: day, session: [allow(write)], policy: to(workerArn, read) },
    'no-session-policy-allows',
  ],
  ['one session by name', { caller: day, policy: to(day.arn, read) }, 'B'],
  ['another session of that role', { caller: night, policy: to(day.arn, read) }, none],
  [
    'a service control policy',
    { caller: alice, identity: [allow()], serviceControl: [[allow(write)]] },
    'no-service-control-policy-allows',
  ],
  [
    'a resource control policy, where the bucket has no policy either',
    { caller: alice, identity: [allow()], resourceControl: [[allow(), deny(read)]] },
    'explicit-deny-in-resource-control-policy',
  ],
  [
    'without TLS',
    {
      caller: alice,
      identity: [allow()],
      policy: against('*', { ...read, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      conditions: { 'aws:SecureTransport': 'false' },
    },
    'explicit-deny-in-bucket-policy',
  ],
  [
    'a put that is not encrypted under the key',
    {
      caller: alice,
      permission: 's3:PutObject',
      identity: [allow()],
      policy: against('*', {
        ...write,
        Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
      }),
      conditions: { 's3:x-amz-server-side-encryption': 'AES256' },
    },
    'explicit-deny-in-bucket-policy',
  ],
]

const across: readonly Row[] = [
  ['no bucket policy', { caller: bob, identity: [allow()] }, closed],
  ['root of the other account', { caller: stranger }, closed],
  ['root, let in', { caller: stranger, policy: to(rootOf(abroad), read) }, 'G'],
  ['named, and no leave at home', { caller: bob, policy: to(bob.arn, read) }, none],
  [
    'named, with leave at home',
    { caller: bob, identity: [allow(read)], policy: to(bob.arn, read) },
    'A',
  ],
  [
    'the account, with leave at home',
    { caller: bob, identity: [allow(read)], policy: to(rootOf(abroad), read) },
    'F',
  ],
  [
    'the role, with leave at home',
    { caller: guest, identity: [allow(read)], policy: to(guestRoleArn, read) },
    'C',
  ],
  [
    'everyone, with leave at home',
    { caller: bob, identity: [allow(read)], policy: to('*', read) },
    'E',
  ],
  [
    'everyone, where public access is restricted',
    { caller: bob, identity: [allow(read)], policy: to('*', read), crossAccount: false },
    'cross-account-operation',
  ],
  [
    'denied by the bucket',
    { caller: bob, identity: [allow()], policy: [to('*', read), against(rootOf(abroad), read)] },
    'explicit-deny-in-bucket-policy',
  ],
  [
    'another action',
    { caller: bob, permission: 's3:PutObject', identity: [allow()], policy: to('*', read) },
    closed,
  ],
  [
    'a namesake of a user at home',
    { caller: bob, identity: [allow()], policy: to(alice.arn, read) },
    closed,
  ],
]

export const buckets: readonly DecisionCase[] = [
  ...within.map(([name, given, expected]) => ({
    ...{
      rule: '4.2 (4) the union of identity and resource policies',
      name,
      on: object,
      ...given,
      expected,
    },
  })),
  ...across.map(([name, given, expected]) => ({
    ...{
      rule: '4.3 across accounts',
      name,
      on: object,
      ...given,
      expected,
    },
    ...(isOfBucketSide(expected) ? { text: 'Access Denied' } : {}),
  })),
]

function isOfBucketSide(expected: Verdict): boolean {
  return [closed, 'explicit-deny-in-bucket-policy', 'cross-account-operation'].includes(expected)
}
