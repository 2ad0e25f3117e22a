import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statementSpans } from './positions.ts'

const statement = (sid: string) =>
  `{"Sid":"${sid}","Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":["}{\\"","\\\\"]}}}`

/** The text that a span covers. */
function covered(
  text: string,
  span: ReturnType<typeof statementSpans>[number] | undefined,
): string {
  const lines = text.split('\n')
  const offset = ({ Line, Column }: { Line: number; Column: number }) =>
    lines.slice(0, Line - 1).reduce((sum, line) => sum + line.length + 1, 0) + Column - 1
  assert.ok(span !== undefined)
  return text.slice(offset(span.StartPosition), offset(span.EndPosition))
}

test('a span covers its statement, braces in strings notwithstanding', () => {
  const texts = [
    `{"Version":"2012-10-17","Statement":${statement('a')}}`,
    `{"Version":"2012-10-17","Statement":[${statement('a')},${statement('b')}]}`,
    `{\r\n "Statement": [\n\t${statement('a').replaceAll(',', ',\n')}\n ,  ${statement('b').replaceAll(':{', ' : {\n ')} ],\n"Version":"2012-10-17"}`,
  ]
  for (const text of texts) {
    const spans = statementSpans(text, 'identity')
    const parsed = (JSON.parse(text) as { Statement: unknown }).Statement
    const statements = Array.isArray(parsed) ? parsed : [parsed]
    assert.deepEqual(
      spans.map((span) => JSON.parse(covered(text, span))),
      statements,
    )
  }
})

test('lines and columns are counted from 1, the end is behind the brace', () => {
  const text = `{"Version":"2012-10-17","Statement":[\n  {"Effect":"Deny","Action":"*","Resource":"*"}]}`
  assert.deepEqual(statementSpans(text, 'identity'), [
    { StartPosition: { Line: 2, Column: 3 }, EndPosition: { Line: 2, Column: 48 } },
  ])
})
