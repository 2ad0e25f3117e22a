/** Which layer a denial names when several refuse, and in which words. */
import {
  against,
  allow,
  type DecisionCase,
  deny,
  type Named,
  type Policy,
  to,
  type Verdict,
} from '../case.ts'
import { alice, day, home, keyArn, owner, workerArn } from '../people.ts'

const decrypt = 'kms:Decrypt'
const told = (arn: string, because: string) =>
  `User: ${arn} is not authorized to perform: ${decrypt} on resource: ${keyArn} ${because}`

const other = allow({ Action: 'kms:Encrypt' })
const denial = deny({ Action: decrypt })
const boundary = [allow(), denial]

/** Explicit denials in the order in which they are named; each case has its own and all that come after it. */
const explicit: readonly (readonly [Verdict, string, Partial<DecisionCase>])[] = [
  [
    'explicit-deny-in-service-control-policy',
    'with an explicit deny in a service control policy',
    { serviceControl: [[allow(), denial]] },
  ],
  [
    'explicit-deny-in-resource-control-policy',
    'with an explicit deny in a resource control policy',
    { resourceControl: [[allow(), denial]] },
  ],
  [
    'explicit-deny-in-key-policy',
    'with an explicit deny in a resource-based policy',
    { policy: [to('*'), against('*')] },
  ],
  [
    'explicit-deny-in-identity-policy',
    'with an explicit deny in an identity-based policy',
    { identity: [denial] },
  ],
  [
    'explicit-deny-in-permissions-boundary',
    'with an explicit deny in a permissions boundary',
    { boundary },
  ],
  [
    'explicit-deny-in-session-policy',
    'with an explicit deny in a sessions policy',
    { session: [boundary] },
  ],
]

/** Guardrails are told of with their ARNs; the ones of these cases have the name that they are given. */
const nameOf: Readonly<Record<string, string>> = {
  'explicit-deny-in-service-control-policy': ': inline-service-control',
  'explicit-deny-in-resource-control-policy': ': inline-resource-control',
}

/** All refuse at once, and the order is that of the list. */
const refuseEach: Partial<DecisionCase> = {
  policy: to(`arn:aws:iam::${home}:user/nobody`),
  serviceControl: [[other]],
  resourceControl: [[other]],
}

const explicitOrder: readonly DecisionCase[] = explicit.flatMap(([expected, because, own], at) => {
  const later = explicit.slice(at + 1).map(([, , changes]) => changes)
  const text = told(day.arn, because + (nameOf[expected] ?? ''))
  const cases: DecisionCase[] = [
    {
      rule: '6 reason',
      name: `${expected}, alone`,
      caller: day,
      policy: to('*'),
      ...own,
      expected,
      text,
    },
    {
      rule: '6 precedence of explicit denials',
      name: `${expected}, with all later ones`,
      caller: day,
      policy: to('*'),
      ...Object.assign({}, ...later, own),
      expected,
      text,
    },
    {
      rule: '6 explicit before implicit',
      name: `${expected}, with all implicit ones`,
      caller: day,
      ...refuseEach,
      ...withDenial(own),
      expected,
    },
  ]
  return cases
})

/** The denial itself, beside what withholds already. */
function withDenial(own: Partial<DecisionCase>): Partial<DecisionCase> {
  if (own.policy === undefined) return own
  return { policy: against('*') }
}

/** Implicit denials in their order: each with its own reason and all that come after it. */
const implicit: readonly (readonly [Verdict, string, Partial<DecisionCase>])[] = [
  [
    'no-service-control-policy-allows',
    'because no service control policy allows the kms:Decrypt action',
    { serviceControl: [[other]] },
  ],
  [
    'no-resource-control-policy-allows',
    'because no resource control policy allows the kms:Decrypt action',
    { resourceControl: [[other]] },
  ],
  [
    'no-key-policy-allows',
    'because no resource-based policy allows the kms:Decrypt action',
    { policy: to(`arn:aws:iam::${home}:user/nobody`) },
  ],
  [
    'no-identity-policy-allows',
    'because no identity-based policy allows the kms:Decrypt action',
    { policy: to(home), identity: [other] },
  ],
  [
    'no-permissions-boundary-allows',
    'because no permissions boundary allows the kms:Decrypt action',
    { policy: to(home), identity: [allow()], boundary: other },
  ],
  [
    'no-session-policy-allows',
    'because no session policy allows the kms:Decrypt action',
    { policy: to(home), identity: [allow()], session: [other] },
  ],
]

const implicitOrder: readonly DecisionCase[] = implicit.flatMap(([expected, because, own], at) => {
  const text = told(day.arn, because)
  const later = Object.assign(
    {},
    ...implicit
      .slice(at + 1)
      .map(([, , changes]) => changes)
      .reverse(),
  )
  const base = { policy: to(home), identity: [allow()] }
  return [
    { rule: '6 reason', name: `${expected}, alone`, caller: day, ...base, ...own, expected, text },
    {
      rule: '6 precedence of implicit denials',
      name: `${expected}, with all later ones`,
      caller: day,
      ...base,
      ...later,
      ...own,
      expected,
      text,
    },
  ]
})

/** Since 2026 an explicit denial names the policy that denies, where it has an ARN. */
const named = (arn: string, ...statements: readonly Policy[]): Named => ({
  arn,
  statements: statements.flat(),
})
const managed = `arn:aws:iam::${home}:policy/team/no-decrypt`
const control = `arn:aws:organizations::${home}:policy/o-exampleorg/service_control_policy/p-1234`
const resource = `arn:aws:organizations::${home}:policy/o-exampleorg/resource_control_policy/p-5678`

const withArn: readonly (readonly [string, Verdict, string, Partial<DecisionCase>])[] = [
  [
    'managed policy',
    'explicit-deny-in-identity-policy',
    `with an explicit deny in an identity-based policy: ${managed}`,
    { identity: [allow(), named(managed, denial)] },
  ],
  [
    'inline policy',
    'explicit-deny-in-identity-policy',
    'with an explicit deny in an identity-based policy',
    { identity: [allow(), denial] },
  ],
  [
    'boundary',
    'explicit-deny-in-permissions-boundary',
    `with an explicit deny in a permissions boundary: ${managed}`,
    { boundary: named(managed, allow(), denial) },
  ],
  [
    'session policy',
    'explicit-deny-in-session-policy',
    `with an explicit deny in a sessions policy: ${managed}`,
    { session: [named(managed, allow(), denial)] },
  ],
  [
    'service control policy',
    'explicit-deny-in-service-control-policy',
    `with an explicit deny in a service control policy: ${control}`,
    { serviceControl: [[allow()], [allow(), named(control, denial)]] },
  ],
  [
    'resource control policy',
    'explicit-deny-in-resource-control-policy',
    `with an explicit deny in a resource control policy: ${resource}`,
    { resourceControl: [[allow(), named(resource, denial)]] },
  ],
  [
    'the first that denies',
    'explicit-deny-in-identity-policy',
    `with an explicit deny in an identity-based policy: ${managed}`,
    { identity: [named(managed, denial), named(`${managed}-either`, denial)] },
  ],
]

const arns: readonly DecisionCase[] = withArn.map(([name, expected, because, changes]) => ({
  ...{ rule: '6 policy ARN', name, caller: day, policy: to('*'), ...changes, expected },
  text: told(day.arn, because),
}))

const implicitHasNoArn: DecisionCase = {
  rule: '6 policy ARN',
  name: 'an implicit denial names none',
  caller: alice,
  policy: to(home),
  identity: [allow()],
  boundary: named(managed, other),
  expected: 'no-permissions-boundary-allows',
  text: told(alice.arn, 'because no permissions boundary allows the kms:Decrypt action'),
}

/** The caller by its own ARN; keys by theirs; the permission that was asked. */
const words: readonly DecisionCase[] = [
  {
    rule: '6 template',
    name: 'a user',
    caller: alice,
    policy: to(home),
    expected: 'no-identity-policy-allows',
    text: told(alice.arn, 'because no identity-based policy allows the kms:Decrypt action'),
  },
  {
    rule: '6 template',
    name: 'the root user',
    caller: owner,
    policy: to(alice.arn),
    expected: 'no-key-policy-allows',
    text: told(owner.arn, 'because no resource-based policy allows the kms:Decrypt action'),
  },
  {
    rule: '6 template',
    name: 'a session by its session ARN',
    caller: day,
    policy: to(workerArn),
    session: [other],
    expected: 'no-session-policy-allows',
    text: told(day.arn, 'because no session policy allows the kms:Decrypt action'),
  },
  {
    rule: '5 ReEncrypt',
    name: 'the permission of its side',
    caller: alice,
    permission: 'kms:ReEncryptFrom',
    policy: to(home),
    expected: 'no-identity-policy-allows',
    text: `User: ${alice.arn} is not authorized to perform: kms:ReEncryptFrom on resource: ${keyArn} because no identity-based policy allows the kms:ReEncryptFrom action`,
  },
  {
    rule: '6 template',
    name: 'a call that is about no key',
    caller: alice,
    on: '*',
    permission: 'kms:GenerateRandom',
    expected: 'no-identity-policy-allows',
    text: `User: ${alice.arn} is not authorized to perform: kms:GenerateRandom on resource: * because no identity-based policy allows the kms:GenerateRandom action`,
  },
]

export const denials: readonly DecisionCase[] = [
  ...explicitOrder,
  ...implicitOrder,
  ...arns,
  implicitHasNoArn,
  ...words,
]
