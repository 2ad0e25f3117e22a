import {
  alice,
  bob,
  type Case,
  deny,
  everyone,
  guest,
  naming,
  nobody,
  other,
  roleArn,
  table,
  toAccount,
  whole,
  work,
} from './test-layers.ts'
import {
  abroad,
  home,
  own,
  providerArn,
  root,
  type StatementJson,
  statement,
  webIdentity,
} from './test-samples.ts'

table('an explicit deny in any layer is final, and beats grants too', [
  [
    'service control policy',
    { policy: everyone, serviceControl: [[own()], [own(), deny()]] },
    'explicit-deny-in-service-control-policy',
  ],
  [
    'resource control policy',
    { policy: everyone, resourceControl: [[own(), deny()], [own()]] },
    'explicit-deny-in-resource-control-policy',
  ],
  [
    'identity policy, without delegation',
    { policy: [naming(alice.arn)], identity: [own(), deny()] },
    'explicit-deny-in-identity-policy',
  ],
  [
    'boundary',
    { policy: [naming(alice.arn)], boundary: deny() },
    'explicit-deny-in-permissions-boundary',
  ],
  [
    'session policy',
    { caller: work, policy: [naming(work.arn)], session: [own(), deny()] },
    'explicit-deny-in-session-policy',
  ],
  [
    'key policy',
    { policy: [...everyone, naming('*', { Effect: 'Deny' })], grant: 'user' },
    'explicit-deny-in-key-policy',
  ],
  [
    'service control policy against a grant',
    { policy: nobody, grant: 'user', serviceControl: [[own(), deny()]] },
    'explicit-deny-in-service-control-policy',
  ],
  [
    'resource control policy against a grant',
    { policy: nobody, grant: 'user', resourceControl: [[own(), deny()]] },
    'explicit-deny-in-resource-control-policy',
  ],
  [
    'identity policy against a grant',
    { policy: nobody, grant: 'user', identity: [deny()] },
    'explicit-deny-in-identity-policy',
  ],
  [
    'boundary against a grant',
    { policy: nobody, grant: 'user', boundary: deny() },
    'explicit-deny-in-permissions-boundary',
  ],
  [
    'session policy against a grant',
    { caller: work, policy: nobody, grant: 'role-session', session: [own(), deny()] },
    'explicit-deny-in-session-policy',
  ],
  [
    'service control policy against the root user',
    { caller: root(home), policy: everyone, serviceControl: [[own(), deny()]] },
    'explicit-deny-in-service-control-policy',
  ],
  [
    'a deny of another action is none',
    { policy: everyone, serviceControl: [[own(), deny({ Action: 'kms:Encrypt' })]] },
    'E',
  ],
])

{
  const all: Case = {
    caller: work,
    policy: [naming('*', { Effect: 'Deny' })],
    identity: [deny()],
    boundary: deny(),
    session: [deny()],
    serviceControl: [[deny()]],
    resourceControl: [[deny()]],
  }
  const { serviceControl: _1, ...second } = all
  const { resourceControl: _2, ...third } = second
  const fourth = { ...third, policy: everyone }
  const { identity: _3, ...fifth } = fourth
  const { boundary: _4, ...sixth } = fifth
  table('of several denials one is named, in a fixed order', [
    ['service control', all, 'explicit-deny-in-service-control-policy'],
    ['resource control', second, 'explicit-deny-in-resource-control-policy'],
    ['resource', third, 'explicit-deny-in-key-policy'],
    ['identity', fourth, 'explicit-deny-in-identity-policy'],
    ['boundary', fifth, 'explicit-deny-in-permissions-boundary'],
    ['session', sixth, 'explicit-deny-in-session-policy'],
    [
      'explicit before implicit',
      { ...all, serviceControl: [[other]], resourceControl: [[other]] },
      'explicit-deny-in-key-policy',
    ],
  ])
}

table('at every level of the organisation one policy has to allow', [
  [
    'no level of service control',
    { policy: everyone, serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'the second level',
    { policy: everyone, serviceControl: [[own()], [other]] },
    'no-service-control-policy-allows',
  ],
  [
    'the first level',
    { policy: everyone, serviceControl: [[other], [own()]] },
    'no-service-control-policy-allows',
  ],
  [
    'an empty level',
    { policy: everyone, serviceControl: [[own()], []] },
    'no-service-control-policy-allows',
  ],
  [
    'no level of resource control',
    { policy: everyone, resourceControl: [[own()], [other]] },
    'no-resource-control-policy-allows',
  ],
  [
    'an empty level of resource control',
    { policy: everyone, resourceControl: [[]] },
    'no-resource-control-policy-allows',
  ],
  [
    'the root user',
    { caller: root(home), policy: toAccount, serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'a grant',
    { policy: nobody, grant: 'user', serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'a guardrail grants nothing',
    { policy: nobody, serviceControl: [[own()]], resourceControl: [[own()]] },
    'no-key-policy-allows',
  ],
  [
    'service control is named before resource control',
    { policy: everyone, serviceControl: [[other]], resourceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  ['one of several suffices', { policy: everyone, serviceControl: [[other, own()], [own()]] }, 'E'],
  [
    'one per level',
    {
      policy: everyone,
      resourceControl: [
        [other, own()],
        [own(), other],
      ],
    },
    'E',
  ],
  [
    'no levels are no guardrails',
    { policy: everyone, serviceControl: [], resourceControl: [] },
    'E',
  ],
])

table('a key policy that names the user or the session is limited by no implicit deny', [
  ['A: boundary', { policy: [naming(alice.arn)], boundary: other }, 'A'],
  [
    'B: identity, boundary and session',
    {
      caller: work,
      policy: [naming(work.arn)],
      identity: [other],
      boundary: other,
      session: [other],
    },
    'B',
  ],
  ['E: boundary', { policy: everyone, boundary: other }, 'E'],
  [
    'E: boundary and session',
    { caller: work, policy: everyone, boundary: other, session: [] },
    'E',
  ],
  [
    'B beats the role',
    { caller: work, policy: [naming(work.roleArn), naming(work.arn)], boundary: other },
    'B',
  ],
  [
    'E beats the role, in whatever order',
    { caller: work, policy: [naming(work.roleArn), naming(home), ...everyone], boundary: other },
    'E',
  ],
])

table('a key policy that names the role is limited by boundary and session policy', [
  [
    'boundary',
    { caller: work, policy: [naming(work.roleArn)], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'session policy',
    { caller: work, policy: [naming(work.roleArn)], session: [other] },
    'no-session-policy-allows',
  ],
  [
    'session policies that are gone',
    { caller: work, policy: [naming(work.roleArn)], session: [] },
    'no-session-policy-allows',
  ],
  [
    'the boundary is named first',
    { caller: work, policy: [naming(work.roleArn)], session: [], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'an identity policy does not help',
    {
      caller: work,
      policy: [naming(work.roleArn), ...toAccount],
      identity: [own()],
      boundary: other,
    },
    'no-permissions-boundary-allows',
  ],
  ['C: no identity policy is needed', { caller: work, policy: [naming(work.roleArn)] }, 'C'],
  [
    'C: within both',
    { caller: work, policy: [naming(work.roleArn)], boundary: own(), session: [other, own()] },
    'C',
  ],
])

table('what is left to the account needs an identity policy, within boundary and session policy', [
  ['no policy', { policy: toAccount }, 'no-identity-policy-allows'],
  [
    'the boundary grants nothing',
    { policy: toAccount, boundary: own() },
    'no-identity-policy-allows',
  ],
  [
    'session policies grant nothing',
    { caller: work, policy: toAccount, session: [own()] },
    'no-identity-policy-allows',
  ],
  [
    'boundary',
    { policy: toAccount, identity: [own()], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'session policy',
    { caller: work, policy: toAccount, identity: [own()], session: [other] },
    'no-session-policy-allows',
  ],
  ['F', { policy: toAccount, identity: [other, own()], boundary: own() }, 'F'],
  [
    'F: session',
    { caller: work, policy: toAccount, identity: [own()], session: [other, own()] },
    'F',
  ],
  ['G: the root user', { caller: root(home), policy: toAccount }, 'G'],
])

table('a grant is limited as a key policy that names its grantee so', [
  [
    'role: boundary',
    { caller: work, policy: nobody, grant: 'role', boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'role: session policy',
    { caller: work, policy: nobody, grant: 'role', session: [other] },
    'no-session-policy-allows',
  ],
  ['account: identity policy', { policy: nobody, grant: 'account' }, 'no-identity-policy-allows'],
  [
    'account: boundary',
    { policy: nobody, grant: 'account', identity: [own()], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'a grant that does not suffice leaves the reason of the policies',
    { policy: toAccount, grant: 'account', boundary: other },
    'no-identity-policy-allows',
  ],
  ['user: boundary', { policy: nobody, grant: 'user', boundary: other }, 'H'],
  [
    'session: boundary and session policy',
    { caller: work, policy: nobody, grant: 'role-session', boundary: other, session: [] },
    'H',
  ],
  [
    'the session may, when the role is limited',
    { caller: work, policy: [naming(work.roleArn)], grant: 'role-session', boundary: other },
    'H',
  ],
  ['role', { caller: work, policy: nobody, grant: 'role', boundary: own(), session: [own()] }, 'H'],
  ['account, by leave', { policy: nobody, grant: 'account', identity: [own()] }, 'H'],
  ['account, its root user', { caller: root(home), policy: nobody, grant: 'account' }, 'H'],
])

table('across accounts both sides have to allow, whoever is named', [
  ['A: no leave at home', { caller: bob, policy: [naming(bob.arn)] }, 'no-identity-policy-allows'],
  [
    'B: no leave at home',
    { caller: guest, policy: [naming(guest.arn)] },
    'no-identity-policy-allows',
  ],
  [
    'C: no leave at home',
    { caller: guest, policy: [naming(guest.roleArn)] },
    'no-identity-policy-allows',
  ],
  ['E: no leave at home', { caller: bob, policy: everyone }, 'no-identity-policy-allows'],
  [
    'A: boundary',
    { caller: bob, policy: [naming(bob.arn)], identity: [own()], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'B: session policy',
    { caller: guest, policy: [naming(guest.arn)], identity: [own()], session: [other] },
    'no-session-policy-allows',
  ],
  [
    'the service control policies of its own account',
    { caller: bob, policy: [naming(bob.arn)], identity: [own()], serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'a denial at home',
    { caller: bob, policy: [naming(bob.arn)], identity: [own(), deny()] },
    'explicit-deny-in-identity-policy',
  ],
  [
    'to delegate to one account does nothing for another',
    { caller: bob, policy: toAccount, identity: [own()] },
    'no-key-policy-allows',
  ],
  ['A', { caller: bob, policy: [naming(bob.arn)], identity: [own()], boundary: own() }, 'A'],
  ['B', { caller: guest, policy: [naming(guest.arn)], identity: [own()] }, 'B'],
  ['C', { caller: guest, policy: [naming(guest.roleArn)], identity: [own()] }, 'C'],
  ['E', { caller: guest, policy: everyone, identity: [own()] }, 'E'],
  ['F', { caller: bob, policy: [naming(abroad)], identity: [own()] }, 'F'],
  ['G', { caller: root(abroad), policy: [naming(abroad)] }, 'G'],
])

table('a grant abroad stands for an identity policy, and for no more', [
  ['account', { caller: bob, policy: nobody, grant: 'account' }, 'no-identity-policy-allows'],
  [
    'user: boundary',
    { caller: bob, policy: nobody, grant: 'user', boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'session: session policy',
    { caller: guest, policy: nobody, grant: 'role-session', session: [other] },
    'no-session-policy-allows',
  ],
  [
    'user: service control policy',
    { caller: bob, policy: nobody, grant: 'user', serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  ['user', { caller: bob, policy: nobody, grant: 'user' }, 'H'],
  [
    'user, who is named too and has no leave',
    { caller: bob, policy: [naming(bob.arn)], grant: 'user' },
    'H',
  ],
  ['role', { caller: guest, policy: nobody, grant: 'role' }, 'H'],
  ['account, by leave', { caller: bob, policy: nobody, grant: 'account', identity: [own()] }, 'H'],
  ['account, its root user', { caller: root(abroad), policy: nobody, grant: 'account' }, 'H'],
])

table("to a stranger the key's side speaks first", [
  [
    'a key policy that denies',
    {
      caller: bob,
      policy: [...everyone, naming('*', { Effect: 'Deny' })],
      identity: [deny()],
      serviceControl: [[deny()]],
    },
    'explicit-deny-in-key-policy',
  ],
  [
    'a resource control policy that denies',
    {
      caller: bob,
      policy: everyone,
      resourceControl: [[own(), deny()]],
      serviceControl: [[deny()]],
    },
    'explicit-deny-in-resource-control-policy',
  ],
  [
    'a resource control policy that does not allow',
    { caller: bob, policy: everyone, resourceControl: [[other]], serviceControl: [[deny()]] },
    'no-resource-control-policy-allows',
  ],
  [
    'a key policy that does not allow',
    {
      caller: bob,
      policy: nobody,
      identity: [deny()],
      boundary: deny(),
      serviceControl: [[deny()]],
    },
    'no-key-policy-allows',
  ],
])

table('without a resource policy: identity, boundary, session and service control policies', [
  ['nothing', { type: 'identity' }, 'no-identity-policy-allows'],
  [
    'boundary',
    { type: 'identity', identity: [own()], boundary: other },
    'no-permissions-boundary-allows',
  ],
  [
    'session',
    { type: 'identity', caller: work, identity: [own()], session: [other] },
    'no-session-policy-allows',
  ],
  [
    'service control',
    { type: 'identity', identity: [own()], serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'service control over the root user',
    { type: 'identity', caller: root(home), serviceControl: [[own(), deny()]] },
    'explicit-deny-in-service-control-policy',
  ],
  [
    'a grant is no identity policy',
    { type: 'identity', grant: 'user' },
    'no-identity-policy-allows',
  ],
  [
    'a web identity',
    { type: 'identity', caller: webIdentity(home), identity: [] },
    'no-identity-policy-allows',
  ],
  [
    'resource control has nothing to guard',
    { type: 'identity', identity: [own()], resourceControl: [[deny()]] },
    'identity-policy',
  ],
  [
    'all',
    { type: 'identity', caller: work, identity: [own()], boundary: own(), session: [own()] },
    'identity-policy',
  ],
  ['the root user', { type: 'identity', caller: root(home) }, 'account-root'],
])

{
  const assume = { type: 'role', permission: 'sts:AssumeRole' } as const
  const trusting = (principal: unknown, changes: StatementJson = {}) => [
    statement({ Principal: principal, Action: 'sts:*', ...changes }),
  ]
  const leave = own({ Action: 'sts:AssumeRole', Resource: roleArn })
  table('a role is assumed as its trust policy says, by the rules of a key policy', [
    [
      'nobody is named',
      { ...assume, policy: trusting({ AWS: bob.arn }) },
      'no-trust-policy-allows',
    ],
    [
      'the account is, and leaves it to no policy',
      { ...assume, policy: trusting({ AWS: home }) },
      'no-identity-policy-allows',
    ],
    [
      'explicit denial',
      { ...assume, policy: [...trusting('*'), ...trusting('*', { Effect: 'Deny' })] },
      'explicit-deny-in-trust-policy',
    ],
    [
      'another action of sts',
      { ...assume, policy: trusting({ AWS: alice.arn }, { Action: 'sts:TagSession' }) },
      'no-trust-policy-allows',
    ],
    [
      'boundary of the role whose session it is',
      { ...assume, caller: work, policy: trusting({ AWS: work.roleArn }), boundary: other },
      'no-permissions-boundary-allows',
    ],
    [
      'a session of the same role, without leave',
      { ...assume, caller: work, policy: trusting({ AWS: alice.arn }), identity: [leave] },
      'no-trust-policy-allows',
    ],
    [
      'abroad: both sides',
      { ...assume, caller: bob, policy: trusting({ AWS: bob.arn }) },
      'no-identity-policy-allows',
    ],
    [
      'abroad: leave for another role',
      {
        ...{ ...assume, caller: bob, policy: trusting({ AWS: abroad }) },
        identity: [own({ Action: 'sts:AssumeRole', Resource: `${roleArn}2` })],
      },
      'no-identity-policy-allows',
    ],
    [
      'service control',
      { ...assume, policy: trusting({ AWS: alice.arn }), serviceControl: [[whole], [other]] },
      'no-service-control-policy-allows',
    ],
    [
      'resource control',
      {
        ...assume,
        policy: trusting({ AWS: alice.arn }),
        resourceControl: [[whole, deny({ Action: 'sts:*' })]],
      },
      'explicit-deny-in-resource-control-policy',
    ],
    ['A: being named suffices', { ...assume, policy: trusting({ AWS: alice.arn }) }, 'A'],
    ['C', { ...assume, caller: work, policy: trusting({ AWS: work.roleArn }) }, 'C'],
    ['F', { ...assume, policy: trusting({ AWS: home }), identity: [leave] }, 'F'],
    [
      'F abroad',
      { ...assume, caller: bob, policy: trusting({ AWS: abroad }), identity: [leave] },
      'F',
    ],
  ])

  const web = { ...assume, caller: webIdentity(home), permission: 'sts:AssumeRoleWithWebIdentity' }
  const provider = { Federated: providerArn(home) }
  table('a web identity is let in by the name of its provider alone', [
    ['everyone', { ...web, policy: trusting('*') }, 'no-trust-policy-allows'],
    [
      'its account',
      { ...web, policy: trusting({ AWS: home }), identity: [] },
      'no-trust-policy-allows',
    ],
    [
      'another provider',
      { ...web, policy: trusting({ Federated: providerArn(home, 'other.example.com') }) },
      'no-trust-policy-allows',
    ],
    [
      'the same provider of another account',
      { ...web, policy: trusting({ Federated: providerArn(abroad) }) },
      'no-trust-policy-allows',
    ],
    [
      'another action',
      { ...web, policy: trusting(provider, { Action: 'sts:AssumeRole' }) },
      'no-trust-policy-allows',
    ],
    [
      'a denial of everyone',
      { ...web, policy: [...trusting(provider), ...trusting('*', { Effect: 'Deny' })] },
      'explicit-deny-in-trust-policy',
    ],
    [
      'a denial of its provider',
      { ...web, policy: [...trusting(provider), ...trusting(provider, { Effect: 'Deny' })] },
      'explicit-deny-in-trust-policy',
    ],
    [
      'a resource control policy',
      { ...web, policy: trusting(provider), resourceControl: [[whole, deny({ Action: 'sts:*' })]] },
      'explicit-deny-in-resource-control-policy',
    ],
    [
      'a key',
      { ...web, type: 'key', permission: 'kms:Decrypt', policy: everyone },
      'no-key-policy-allows',
    ],
    [
      'a key that names its account',
      { ...web, type: 'key', permission: 'kms:Decrypt', policy: toAccount },
      'no-key-policy-allows',
    ],
    [
      'a denial of its account is not of it',
      { ...web, policy: [...trusting(provider), ...trusting({ AWS: home }, { Effect: 'Deny' })] },
      'trust-policy',
    ],
    ['its provider', { ...web, policy: trusting(provider) }, 'trust-policy'],
    [
      'within guardrails that allow everyone',
      { ...web, policy: trusting(provider), resourceControl: [[whole]] },
      'trust-policy',
    ],
  ])
}
