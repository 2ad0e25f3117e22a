// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
/** Policy variables: where they are read, what they become, and what an absent one does. */
import { allow, type DecisionCase, deny, rootOf, to } from '../case.ts'
import type { ConditionCase } from '../condition-case.ts'
import { alice, home, keyArn, owner } from '../people.ts'

const team = { 'aws:PrincipalTag/team': 'blue' }
const none = {}
const star = { 'aws:PrincipalTag/team': '*' }
const variable = '${aws:PrincipalTag/team}'

type Row = readonly [
  rule: string,
  operator: string,
  values: unknown,
  request: string | undefined,
  besides: Readonly<Record<string, string | readonly string[]>>,
  holds: boolean,
]

const rows: readonly Row[] = [
  ['2.3 source', 'StringEquals', variable, 'blue', team, true],
  ['2.3 source', 'StringEquals', variable, 'red', team, false],
  ['2.3 source', 'StringEquals', `x-${variable}-y`, 'x-blue-y', team, true],
  ['2.3 in lists', 'StringEquals', ['red', variable], 'blue', team, true],
  ['2.3 key name ignores case', 'StringEquals', '${AWS:principaltag/TEAM}', 'blue', team, true],
  ['2.3 StringLike', 'StringLike', `${variable}/*`, 'blue/x', team, true],
  ['2.3 IgnoreCase', 'StringEqualsIgnoreCase', variable, 'BLUE', team, true],
  ['2.3 StringNotEquals', 'StringNotEquals', variable, 'blue', team, false],
  ['2.3 StringNotLike', 'StringNotLike', `${variable}*`, 'blue-1', team, false],
  [
    '2.3 ArnLike',
    'ArnLike',
    `arn:aws:iam::*:role/${variable}/*`,
    `arn:aws:iam::${home}:role/blue/a`,
    team,
    true,
  ],
  ['2.3 literal substitution', 'StringLike', variable, 'blue', star, false],
  ['2.3 literal substitution', 'StringLike', variable, '*', star, true],
  ['2.3 literal substitution', 'StringLike', `${variable}?`, '*a', star, true],
  [
    '2.3 literal substitution: no variable in a value',
    'StringEquals',
    variable,
    'alice',
    { 'aws:PrincipalTag/team': '${aws:username}', 'aws:username': 'alice' },
    false,
  ],
  ['2.3 escape', 'StringLike', '${*}', '*', none, true],
  ['2.3 escape', 'StringLike', '${*}', 'a', none, false],
  ['2.3 escape', 'StringLike', 'a${?}', 'a?', none, true],
  ['2.3 escape', 'StringLike', 'a${?}', 'ab', none, false],
  ['2.3 escape', 'StringEquals', '${$}{aws:username}', '${aws:username}', none, true],
  ['2.3 default', 'StringEquals', "${aws:PrincipalTag/team, 'x'}", 'x', none, true],
  ['2.3 default', 'StringEquals', "${aws:PrincipalTag/team, 'x'}", 'x', team, false],
  ['2.3 default', 'StringEquals', "${aws:PrincipalTag/team, 'x'}", 'blue', team, true],
  ['2.3 default is literal', 'StringLike', "${aws:PrincipalTag/team, '*'}", 'blue', none, false],
  ['2.3 unresolvable, positive', 'StringEquals', variable, 'blue', none, false],
  ['2.3 unresolvable, positive', 'StringLike', `*${variable}*`, 'blue', none, false],
  ['2.3 unresolvable is not empty', 'StringEquals', variable, '', none, false],
  ['2.3 unresolvable, other values count', 'StringEquals', [variable, 'red'], 'red', none, true],
  ['2.3 unresolvable, negated', 'StringNotEquals', variable, 'blue', none, true],
  ['2.3 unresolvable, negated', 'StringNotLike', `${variable}*`, 'blue', none, true],
  [
    '2.3 multi-valued keys are not usable',
    'StringEquals',
    '${aws:TagKeys}',
    'a',
    { 'aws:TagKeys': ['a'] },
    false,
  ],
]

export const variablesInConditions: readonly ConditionCase[] = [
  ...rows.map(([rule, operator, values, request, besides, holds]) => ({
    ...{ rule, operator, values, request, besides, holds },
  })),
  ...(['2008-10-17', 'none'] as const).flatMap((version): ConditionCase[] => {
    const literal = { rule: '1.1 2008: no variables', operator: 'StringEquals', version }
    return [
      { ...literal, values: variable, request: 'blue', besides: team, holds: false },
      { ...literal, values: variable, request: variable, besides: team, holds: true },
      {
        ...literal,
        operator: 'StringLike',
        values: '${*}',
        request: '${anything}',
        holds: true,
      },
      { ...literal, operator: 'StringLike', values: '${*}', request: '*', holds: false },
    ]
  }),
]

const path = keyArn.slice(0, keyArn.lastIndexOf('/'))
const keyId = keyArn.slice(keyArn.lastIndexOf('/') + 1)
const own = { 'aws:PrincipalTag/key': keyId }
const mine = `${path}/\${aws:PrincipalTag/key}`

/** Of an identity policy, under a key policy that delegates. */
function resource(
  rule: string,
  name: string,
  element: object,
  conditions: Readonly<Record<string, string>>,
  expected: DecisionCase['expected'],
): DecisionCase {
  return {
    rule,
    name,
    caller: alice,
    policy: to(rootOf(home)),
    identity: [allow({ Resource: undefined, ...element })],
    conditions,
    expected,
  }
}

const noIdentity = 'no-identity-policy-allows'

export const variablesInResources: readonly DecisionCase[] = [
  resource('2.3 Resource', 'the value of the request', { Resource: mine }, own, 'F'),
  resource(
    '2.3 Resource',
    'another value',
    { Resource: mine },
    { 'aws:PrincipalTag/key': 'x' },
    noIdentity,
  ),
  resource('2.3 Resource', 'a part of it', { Resource: `${mine.slice(0, -1)}}*` }, own, 'F'),
  resource(
    '2.3 literal substitution',
    'a star in a tag is a star',
    { Resource: mine },
    { 'aws:PrincipalTag/key': '*' },
    noIdentity,
  ),
  resource('2.3 unresolvable in Resource', 'no tag', { Resource: mine }, {}, noIdentity),
  resource(
    '2.3 unresolvable in Resource',
    'the other resources of the list count',
    { Resource: [mine, keyArn] },
    {},
    'F',
  ),
  resource('2.3 unresolvable in NotResource', 'no tag', { NotResource: mine }, {}, noIdentity),
  resource(
    '2.3 NotResource',
    'another value',
    { NotResource: mine },
    { 'aws:PrincipalTag/key': 'x' },
    'F',
  ),
  resource('2.3 NotResource', 'the value', { NotResource: mine }, own, noIdentity),
  resource(
    '2.3 default',
    'in a resource',
    { Resource: `${path}/\${aws:PrincipalTag/key, '${keyId}'}` },
    {},
    'F',
  ),
  {
    rule: '1.1 2008: no variables',
    name: 'in a resource of a key policy',
    caller: owner,
    version: '2008-10-17',
    policy: to('*', { Resource: mine }),
    conditions: own,
    expected: 'no-key-policy-allows',
  },
  {
    rule: '2.3 unresolvable in Resource',
    name: 'a Deny whose variable is absent denies nothing',
    caller: alice,
    policy: to(alice.arn),
    identity: [deny({ Resource: mine })],
    expected: 'A',
  },
  {
    rule: '2.3 aws:username',
    name: 'is there for users',
    caller: alice,
    policy: to('*', { Condition: { StringEquals: { 'aws:username': 'alice' } } }),
    conditions: { 'aws:username': 'alice' },
    expected: 'E',
  },
]
