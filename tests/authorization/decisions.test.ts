import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DecisionCase, verdictOf } from './case.ts'
import { baseline, retiring } from './cases/baseline.ts'
import { buckets } from './cases/buckets.ts'
import { colliding, resourceAliases } from './cases/condition-keys.ts'
import { crossAccount } from './cases/cross-account.ts'
import { denials } from './cases/denials.ts'
import { elements } from './cases/elements.ts'
import { limits } from './cases/limits.ts'
import { namesakes } from './cases/namesakes.ts'
import { operatorMatrix } from './cases/operator-matrix.ts'
import { contextKeys, keyNames, operatorValues } from './cases/operator-values.ts'
import { bounded, principals } from './cases/principals.ts'
import { roles } from './cases/roles.ts'
import { variablesInConditions, variablesInResources } from './cases/variables.ts'
import { withoutKey } from './cases/without-key.ts'
import { type ConditionCase, decisionsOf } from './condition-case.ts'

/**
 * What AWS documents of policies, as a table: each case cites the rule that it follows, and none was derived from what
 * the evaluator does.
 */
const conditions: Readonly<Record<string, readonly ConditionCase[]>> = {
  'every operator': operatorMatrix,
  'values of operators': operatorValues,
  'names of condition keys': keyNames,
  'keys of an encryption context': contextKeys,
  'variables in conditions': variablesInConditions,
}

const decisions: Readonly<Record<string, readonly DecisionCase[]>> = {
  'variables in resources': variablesInResources,
  'names of a context that differ by case alone': colliding,
  'aliases of a key': resourceAliases,
  'elements of statements': elements,
  'principals and callers': [...principals, ...bounded],
  'ways of being granted, and their limits': limits,
  'keys of other accounts': crossAccount,
  'what a denial says': denials,
  'objects in buckets': buckets,
  'taking on a role': roles,
  'permissions that are about no key': withoutKey,
  'names that come back': namesakes,
  'policies as the console writes them': baseline,
  'retiring a grant': retiring,
}

for (const [theme, cases] of Object.entries(conditions)) {
  describe(theme, () => {
    for (const each of cases) for (const decision of decisionsOf(each)) holds(decision)
  })
}

for (const [theme, cases] of Object.entries(decisions)) {
  describe(theme, () => {
    for (const each of cases) holds(each)
  })
}

function holds(given: DecisionCase): void {
  test(`${given.rule}: ${given.name}`, () => {
    const { verdict, text } = verdictOf(given)
    assert.equal(verdict, given.expected)
    if (given.text !== undefined) assert.equal(text, given.text)
  })
}

test('the table is as large as it should be', () => {
  const all = [conditions, decisions].flatMap((themes) => Object.values(themes).flat())
  assert.ok(all.length >= 400, `${all.length} cases`)
})
