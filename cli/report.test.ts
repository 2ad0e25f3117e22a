import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { framed } from '../src/reports/report.ts'
import { csvText } from './csv.ts'
import { reportText } from './report-text.ts'

const columns = [
  { name: 'a', title: 'A' },
  { name: 'b', title: 'B' },
]

test('CSV is of RFC 4180', () => {
  const rows = [
    { a: 'plain', b: 1 },
    { a: 'with, comma', b: undefined },
    { a: 'with "quotes"', b: true },
    { a: 'two\r\nlines', b: -5 },
  ]
  assert.equal(
    csvText({ columns, rows }),
    'a,b\r\nplain,1\r\n"with, comma",\r\n"with ""quotes""",true\r\n"two\r\nlines",-5\r\n',
  )
  assert.equal(csvText({ columns, rows: [] }), 'a,b\r\n')
})

test('no text of a caller is a formula', () => {
  for (const a of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1']) {
    const [, field = ''] = csvText({ columns, rows: [{ a }] }).split(/^a,b\r\n/)
    assert.match(field, /^"?'/, JSON.stringify(a))
  }
  assert.match(
    csvText({ columns, rows: [{ a: '=HYPERLINK("x"),1' }] }),
    /\n"'=HYPERLINK\(""x""\),1",/,
  )
})

test('every cell comes back from CSV', () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('"', ',', '\r\n', '""', '=', 'x\n"y",'))
  fc.assert(
    fc.property(fc.array(fc.record({ a: cell, b: cell }), { maxLength: 5 }), (rows) => {
      const [names, ...read] = parsed(csvText({ columns, rows }))
      assert.deepEqual(names, ['a', 'b'])
      const expected = rows.map(({ a, b }) =>
        [a, b].map((text) => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text)),
      )
      assert.deepEqual(read, expected)
    }),
  )
})

/** A reader of RFC 4180, letter by letter. */
function parsed(text: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (quoted && letter === '"' && text[at + 1] === '"') {
      field += '"'
      at += 1
    } else if (letter === '"') quoted = !quoted
    else if (quoted) field += letter
    else if (letter === ',') {
      line.push(field)
      field = ''
    } else if (letter === '\r' && text[at + 1] === '\n') {
      lines.push([...line, field])
      line = []
      field = ''
      at += 1
    } else field += letter
  }
  return lines
}

test('a table shows columns with values, and below it what it cannot see', () => {
  const frame = { report: 'key-use', question: 'Who?', now: 0, scope: { key: 'k' } } as const
  const body = { columns, summary: { rows: 1 }, sources: ['s'], blindSpots: ['nothing else'] }
  const report = framed(
    { ...frame, period: { since: 0, until: 1000 } },
    { ...body, rows: [{ a: 'line\nbreak \u001b[31m' }], truncated: true },
  )
  const text = reportText(report)
  assert.match(
    text,
    /^Who\?\nkey-use, made at 1970-01-01T00:00:00Z, .* to 1970-01-01T00:00:01Z, key k\n\nA\nline/,
  )
  assert.ok(!text.includes('\u001b') && !/\bB\b/.test(text))
  assert.match(text, /There is more/)
  assert.match(text, /It cannot see:\n- nothing else\n/)
  assert.match(text, /May serve as evidence for:\n- PCI DSS/)
  const nothing = framed({ ...frame, period: { since: 0, until: 0 } }, { ...body, rows: [] })
  assert.match(reportText(nothing), /Nothing was found\./)
})
