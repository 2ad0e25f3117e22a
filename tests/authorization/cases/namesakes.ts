/** Names that come back: who is made again under an ARN is somebody else. */
import type { PrincipalNames } from '../../../src/authorize/policy/bind.ts'
import { names } from '../../../src/authorize/test-samples.ts'
import { against, allow, type DecisionCase, to } from '../case.ts'
import { alice, day, home, night, owner, workerArn } from '../people.ts'

/** When the policy was put, these ARNs belonged to others, who are gone. */
const before: PrincipalNames = {
  idOf(principal) {
    if (!('arn' in principal)) return names.idOf(principal)
    if (principal.arn === alice.arn) return 'AIDAFORMERALICE00000'
    if (principal.arn === workerArn) return 'AROAFORMERWORKER0000'
    if (principal.arn === day.arn) return 'AROAFORMERWORKER0000:day-shift'
    return names.idOf(principal)
  },
  arnOf: () => undefined,
}

const no = 'no-key-policy-allows'
const byArn = (arn: string) => to('*', { Condition: { ArnEquals: { 'aws:PrincipalArn': arn } } })

const rows: readonly (Omit<DecisionCase, 'rule'> & { readonly rule?: string })[] = [
  { name: 'a user made again', caller: alice, policy: to(alice.arn), names: before, expected: no },
  { name: 'a role made again', caller: day, policy: to(workerArn), names: before, expected: no },
  {
    name: 'a session of a role made again',
    caller: day,
    policy: to(day.arn),
    names: before,
    expected: no,
  },
  {
    name: 'a user made again, under an identity policy',
    caller: alice,
    policy: to(alice.arn),
    names: before,
    identity: [allow()],
    expected: no,
  },
  {
    name: 'a user made again, besides the account',
    caller: alice,
    policy: [to(alice.arn), to(home)],
    names: before,
    identity: [allow()],
    expected: 'F',
  },
  {
    name: 'a Deny of the former user',
    caller: alice,
    policy: [to('*'), against(alice.arn)],
    names: before,
    expected: 'E',
  },
  {
    name: 'a Deny of the former role',
    caller: night,
    policy: [to('*'), against(workerArn)],
    names: before,
    expected: 'E',
  },
  {
    name: 'NotPrincipal of the former user denies the new one',
    caller: alice,
    policy: [to('*'), { ...allow({ NotPrincipal: { AWS: [home, alice.arn] } }), Effect: 'Deny' }],
    names: before,
    expected: 'explicit-deny-in-key-policy',
  },
  { name: 'the present user', caller: alice, policy: to(alice.arn), expected: 'A' },
  {
    name: 'the account is not renamed',
    caller: owner,
    policy: to(home),
    names: before,
    expected: 'G',
  },
  {
    rule: '1.3 conditions are never mapped',
    name: 'aws:PrincipalArn of a user made again',
    caller: alice,
    policy: byArn(alice.arn),
    names: before,
    conditions: { 'aws:PrincipalArn': alice.arn },
    expected: 'E',
  },
  {
    rule: '1.3 conditions are never mapped',
    name: 'aws:PrincipalArn of a role made again',
    caller: day,
    policy: byArn(workerArn),
    names: before,
    conditions: { 'aws:PrincipalArn': workerArn },
    expected: 'E',
  },
  {
    rule: '3.2 PrincipalArn',
    name: 'is the role ARN, not the session ARN',
    caller: day,
    policy: byArn(day.arn),
    conditions: { 'aws:PrincipalArn': workerArn },
    expected: no,
  },
  {
    rule: '2.3 aws:userid',
    name: 'tells the new user from the former',
    caller: alice,
    policy: to('*', { Condition: { StringEquals: { 'aws:userid': 'AIDAFORMERALICE00000' } } }),
    conditions: { 'aws:userid': alice.principalId },
    expected: no,
  },
]

export const namesakes: readonly DecisionCase[] = rows.map((given) => ({
  rule: '1.3 unique-id replacement',
  ...given,
}))
