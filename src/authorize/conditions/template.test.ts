// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { ConditionContext, type ConditionValues } from './context.ts'
import { resolveText } from './template.ts'

const values: ConditionValues = {
  'aws:username': 'alice',
  'aws:TagKeys': ['a', 'b'],
  'oidc.test:8443:sub': 'ported',
  'oidc.test:8443/realm:sub': 'with a path',
  'oidc.test/realm:sub': 'without a port',
}
const at = { line: 1, column: 1, parent: undefined, step: '' }
const resolved = (text: string) => resolveText({ text, at }, new ConditionContext([values]))

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
test('text with variables', () => {
  const cases = [
    ['*/?', '*/?'],
    ['a ${aws:username} b', 'a alice b'],
    ['${AWS:UserName}${aws:username}', 'alicealice'],
    ['${*}${?}${$}{}', '*?${}'],
    ['${oidc.test:8443:sub}', 'ported'],
    ['${oidc.test:8443/realm:sub}', 'with a path'],
    ['${oidc.test/realm:sub}', 'without a port'],
    ["${aws:nobody, 'none'}", 'none'],
    ["${aws:username, 'none'}", 'alice'],
    ["${aws:nobody, ''}", ''],
    // Neither absent nor one value: AWS gives no default for it.
    ["${aws:TagKeys, 'none'}", undefined],
    ['${aws:nobody}', undefined],
    ['${aws:username}${aws:nobody}', undefined],
  ] as const
  for (const [text, expected] of cases) assert.equal(resolved(text), expected, text)
})

test('what is no variable', () => {
  for (const text of [
    ...['${', '${aws:username', '${}', '${username}', '${aws:}', '${:username}', '${aws:a b*}'],
    ...["${aws:username,'none'}", '${aws:username, none}', "${aws:username, 'none}", '${**}'],
    ...['${aws:username }', '${ aws:username}', '${${aws:username}}'],
  ]) {
    assert.throws(
      () => resolved(text),
      (error) => error instanceof ServiceError && error.code === 'malformed-policy',
      text,
    )
  }
})
