import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../../base/errors.ts'
import { parseSelection } from './parse.ts'
import { grouped, holds, ordered, shownRow, Work } from './run.ts'

const items = [
  {
    ...{ resourceType: 'AWS::KMS::Key', resourceId: 'k1', tags: { team: 'a' } },
    configuration: { keyState: 'Enabled', size: 5, list: [{ name: 'x' }, { name: 'y' }] },
    supplementaryConfiguration: { Grants: '{"count":3}', KeyRotationStatus: 'true' },
  },
  {
    ...{ resourceType: 'AWS::KMS::Key', resourceId: 'k2', tags: {} },
    configuration: { keyState: 'Disabled', size: 10, enabled: false },
    supplementaryConfiguration: { KeyRotationStatus: 'false' },
  },
  { resourceType: 'AWS::IAM::User', resourceId: 'u1', configuration: { userName: "o'hara" } },
]

function idsOf(where: string): string {
  const { where: test } = parseSelection(`SELECT resourceId WHERE ${where}`)
  assert.ok(test !== undefined)
  return items
    .filter((item) => holds(test, item, new Work()))
    .map(({ resourceId }) => resourceId)
    .join()
}

describe('what is no expression is refused with its place', () => {
  for (const [expression, place] of [
    ['', /line 1, column 1/],
    ['SELECT', /column 7: a member is expected/],
    ['SELECT FROM', /column 8: a member is expected, and there is FROM/],
    ['SELECT secret', /column 8: items have no member 'secret'/],
    ['SELECT constructor', /no member 'constructor'/],
    ["SELECT arn WHERE arn = 'x", /column 24: a text does not end/],
    ['SELECT arn\nWHERE arn ~ 1', /line 2, column 11: '~' is not understood/],
    ['SELECT arn WHERE arn LIKE 5', /column 27: a pattern is a text/],
    ['SELECT arn WHERE arn IN ()', /column 26/],
    ['SELECT arn WHERE (arn = 1', /'\)' is expected, and there is the end/],
    ['SELECT arn; DROP TABLE item', /';' is not understood/],
    ['SELECT arn WHERE arn NOT = 1', /a comparison is expected/],
    ['SELECT arn, COUNT(*)', /arn is neither counted nor grouped by/],
    ['SELECT arn ORDER BY tags', /tags is not selected/],
    [`SELECT arn WHERE ${'('.repeat(40)}`, /nested too deeply/],
  ] as const) {
    test(JSON.stringify(expression.slice(0, 40)), () => {
      assert.throws(
        () => parseSelection(expression),
        (error) => {
          assert.ok(error instanceof ServiceError && error.code === 'invalid-expression')
          assert.match(error.publicMessage ?? '', place)
          return true
        },
      )
    })
  }

  test('whatever it is, nothing else is thrown', () => {
    const word = fc.constantFrom(
      ...`SELECT WHERE arn tags.a ( ) , = 'x' 5 AND OR NOT LIKE IN`.split(' '),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((all) => all.join(' ')),
        ),
        (text) => {
          try {
            parseSelection(text)
          } catch (error) {
            assert.ok(error instanceof ServiceError && error.code === 'invalid-expression')
          }
        },
      ),
    )
  })
})

test('conditions', () => {
  for (const [where, found] of [
    ["resourceType = 'AWS::KMS::Key'", 'k1,k2'],
    ["resourceType <> 'AWS::KMS::Key'", 'u1'],
    ["configuration.keyState != 'Enabled'", 'k2'],
    ["NOT configuration.keyState = 'Enabled'", 'k2,u1'],
    ['configuration.size > 5', 'k2'],
    ['configuration.size >= 5 AND configuration.size <= 9', 'k1'],
    ['configuration.enabled = false', 'k2'],
    ["resourceId IN ('k1', 'u1')", 'k1,u1'],
    ["resourceId NOT IN ('k1', 'u1')", 'k2'],
    ["resourceType LIKE 'aws::kms::%'", 'k1,k2'],
    ["resourceId LIKE '_1'", 'k1,u1'],
    ["configuration.userName = 'o''hara'", 'u1'],
    ["configuration.list.name = 'y'", 'k1'],
    ['supplementaryConfiguration.Grants.count = 3', 'k1'],
    ['tags.team IS NOT NULL', 'k1'],
    ['configuration.userName IS NULL', 'k1,k2'],
    ["resourceId = 'u1' OR resourceId = 'k1' AND configuration.size = 6", 'u1'],
    ["(resourceId = 'u1' OR resourceId = 'k1') AND configuration.size = 5", 'k1'],
    ["tags.toString = 'x' OR tags.__proto__ IS NOT NULL", ''],
  ] as const) {
    assert.equal(idsOf(where), found, where)
  }
})

test('patterns that go back and forth end soon', () => {
  const selection = parseSelection(`SELECT arn WHERE arn LIKE '${'%a'.repeat(100)}%b'`)
  assert.ok(selection.where !== undefined)
  assert.equal(holds(selection.where, { arn: 'a'.repeat(2000) }, new Work()), false)
})

test('an expression may take so long in all, and no longer', () => {
  const { where } = parseSelection(`SELECT arn WHERE arn LIKE '%${'a'.repeat(2000)}b'`)
  assert.ok(where !== undefined)
  const work = new Work()
  const look = () => {
    for (let count = 0; count < 100; count += 1) holds(where, { arn: 'a'.repeat(32_000) }, work)
  }
  assert.throws(look, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.code, 'invalid-expression')
    return true
  })
})

test('a member and what is below it go together, and no item is changed by it', () => {
  const row = (expression: string, item: object) =>
    shownRow(parseSelection(expression).fields, item as Readonly<Record<string, unknown>>)
  const text = { supplementaryConfiguration: { Grants: '{"count":3}' } }
  const grants = 'supplementaryConfiguration.Grants'
  assert.deepEqual(row(`SELECT ${grants}, ${grants}.count`, text), text)
  const [item] = items
  const before = JSON.stringify(item)
  row('SELECT configuration, configuration.keyState', item ?? {})
  assert.equal(JSON.stringify(item), before)
})

test('fields, groups and order', () => {
  const rows = (expression: string) => {
    const selection = parseSelection(expression)
    const isGrouped = selection.fields.some(({ path }) => path === 'count')
    return ordered(
      selection,
      isGrouped ? grouped(selection, items) : items.map((item) => shownRow(selection.fields, item)),
    )
  }
  assert.deepEqual(rows('SELECT resourceId, configuration.keyState ORDER BY resourceId DESC'), [
    { resourceId: 'u1' },
    { resourceId: 'k2', configuration: { keyState: 'Disabled' } },
    { resourceId: 'k1', configuration: { keyState: 'Enabled' } },
  ])
  assert.deepEqual(
    rows('select resourceType, count(*) group by resourceType order by count(*) desc'),
    [
      { resourceType: 'AWS::KMS::Key', 'COUNT(*)': 2 },
      { resourceType: 'AWS::IAM::User', 'COUNT(*)': 1 },
    ],
  )
  assert.deepEqual(rows('SELECT COUNT(*)'), [{ 'COUNT(*)': 3 }])
})
