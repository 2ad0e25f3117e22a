// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import { home, policyText, refused, root, statement } from '../test-samples.ts'
import { compilePolicy } from './compile.ts'
import { policyBytesMax } from './parse.ts'

test('structure', () => {
  const at = 'Policy contains a syntax error at line'
  const cases: [document: unknown, message: RegExp][] = [
    [[], /The policy must be an object/],
    ['{}', /The policy must be an object/],
    [{}, /Statement is missing/],
    [{ Statement: [] }, /at least one statement/],
    [{ Statement: 'x' }, /A statement must be an object/],
    [{ Statement: [[]] }, /A statement must be an object/],
    [{ Version: '2012-10-18', Statement: statement() }, /\(Version\): Version must be/],
    [{ Version: 2012, Statement: statement() }, /Version must be a string/],
    [{ Id: 1, Statement: statement() }, /Id must be a string/],
    [{ version: '2012-10-17', Statement: statement() }, /no such member/],
    [{ Statement: statement({ Resources: '*' }) }, /\(Statement\.Resources\): .* no such member/],
    [{ Statement: [statement({ effect: 'Allow' })] }, /\(Statement\[0\]\.effect\)/],
    [{ Statement: statement({ Effect: undefined }) }, /Effect must be "Allow" or "Deny"/],
    [{ Statement: statement({ Effect: 'allow' }) }, /Effect must be "Allow" or "Deny"/],
    [{ Statement: statement({ Effect: ['Allow'] }) }, /Effect must be a string/],
    [{ Statement: statement({ Sid: 7 }) }, /Sid must be a string/],
    [{ Statement: statement({ Principal: undefined }) }, /Principal is missing/],
    [{ Statement: statement({ Principal: {} }) }, /at least one principal/],
    [{ Statement: statement({ Principal: { AWS: [] } }) }, /at least one principal/],
    [{ Statement: statement({ Principal: 'x' }) }, /a principal is "\*" or an object/],
    [{ Statement: statement({ Principal: ['*'] }) }, /a principal is "\*" or an object/],
    [{ Statement: statement({ Principal: { aws: '*' } }) }, /one of AWS, Service/],
    [{ Statement: statement({ Principal: { AWS: [1] } }) }, /AWS must be a string or a list/],
    [{ Statement: statement({ NotPrincipal: '*' }) }, /exclude each other/],
    [{ Statement: statement({ NotAction: '*' }) }, /Action and NotAction exclude each other/],
    [{ Statement: statement({ NotResource: '*' }) }, /exclude each other/],
    [{ Statement: statement({ Action: undefined, NotAction: [] }) }, /NotAction must not be empty/],
    [{ Statement: statement({ Resource: undefined, NotResource: [] }) }, /must not be empty/],
    [{ Statement: statement({ Action: {} }) }, /Action must be a string or a list of strings/],
    [{ Statement: statement({ Action: 'Decrypt' }) }, /an action is/],
    [{ Statement: statement({ Action: '' }) }, /an action is/],
    [{ Statement: statement({ Action: 'kms:a:b' }) }, /an action is/],
    [{ Statement: statement({ Action: '*:Decrypt' }) }, /an action is/],
    [{ Statement: statement({ Action: 'kms:' }) }, /an action is/],
    [{ Statement: statement({ Action: 'kms:${aws:x}' }) }, /an action is/],
    [{ Statement: statement({ Resource: 'key/1' }) }, /a resource is/],
    [{ Statement: statement({ Resource: '' }) }, /a resource is/],
    [
      { Version: '2012-10-17', Statement: statement({ Resource: 'arn:aws:${aws:x}:r:a:k' }) },
      /fifth colon/,
    ],
    [
      { Version: '2012-10-17', Statement: statement({ Resource: 'arn:aws:kms:r:a:${aws:x' }) },
      /closing brace/,
    ],
    [{ Statement: statement({ Condition: [] }) }, /Condition must be an object/],
    [
      { Statement: statement({ Condition: { Bool: 'true' } }) },
      /condition operator must be an object/,
    ],
    [{ Statement: statement({ Condition: { Boolean: {} } }) }, /no such condition operator/],
    [{ Statement: [statement({ Sid: 'a' }), statement({ Sid: 'a' })] }, /the same Sid/],
    [{ Statement: { ...statement(), Effect: null } }, /Effect must be a string/],
  ]
  for (const [document, message] of cases) {
    const text = JSON.stringify(document)
    assert.throws(() => compilePolicy(text), refused('malformed-policy', message), text)
    assert.throws(() => compilePolicy(text), refused('malformed-policy', new RegExp(`^${at}`)))
  }
})

test('what KMS accepts', () => {
  const accepted: unknown[] = [
    { Statement: statement() },
    { Version: '2008-10-17', Id: 'any text', Statement: [statement()] },
    {
      Statement: [
        statement({ Sid: 'with spaces, é' }),
        statement({ Sid: '' }),
        statement({ Sid: '' }),
      ],
    },
    { Statement: statement({ Resource: undefined }) },
    { Statement: statement({ Action: undefined }) },
    { Statement: statement({ Action: [] }) },
    { Statement: statement({ Action: undefined, Resource: undefined }) },
    { Statement: statement({ Resource: 'arn:aws:kms:us-east-1:999999999999:key/other' }) },
    { Statement: statement({ Action: ['KMS:decrypt', 's3:Get?bject', '*'] }) },
    { Statement: statement({ Condition: {} }) },
    { Statement: statement({ Condition: { Bool: {} } }) },
    { Statement: statement({ Resource: 'arn:${x' }) },
  ]
  for (const document of accepted) compilePolicy(JSON.stringify(document))
})

test('principals that no key policy can name', () => {
  const invalid: unknown[] = [
    { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' },
    { Federated: 'accounts.google.com' },
    { AWS: '11112222333' },
    { AWS: 'AIDACKCEVSQ6C2' },
    { AWS: 'AGPACKCEVSQ6C2EXAMPLE' },
    { Federated: 'arn:aws:iam::111122223333:oidc-provider/idp.example.com' },
    { AWS: 'alice' },
    { AWS: '' },
    { AWS: 'arn:aws:iam::111122223333:*' },
    { AWS: 'arn:aws:iam::*:root' },
    { AWS: 'arn:aws:iam::111122223333:user/*' },
    { AWS: 'arn:aws:iam::111122223333:user/al?ce' },
    { AWS: 'arn:aws:iam::111122223333:user/' },
    { AWS: 'arn:aws:iam::111122223333:user' },
    { AWS: 'arn:aws:iam::111122223333:group/admins' },
    { AWS: 'arn:aws:iam::111122223333:root/x' },
    { AWS: 'arn:aws:iam:us-east-1:111122223333:root' },
    { AWS: 'arn:aws:sts::111122223333:assumed-role/Role' },
    { AWS: 'arn:aws:sts::111122223333:assumed-role/Role/*' },
    { AWS: 'arn:aws:iam::111122223333:assumed-role/Role/Session' },
    { AWS: 'arn:aws:sts::111122223333:user/alice' },
    { AWS: 'arn:aws:s3:::bucket' },
    { AWS: ['*', 'arn:aws:iam::111122223333:group/admins'] },
    { Service: 'kms' },
    { Service: '*' },
    { Service: 'kms.example.com' },
  ]
  for (const Principal of invalid) {
    for (const name of ['Principal', 'NotPrincipal']) {
      const text = policyText(statement({ Principal: undefined, [name]: Principal }))
      assert.throws(
        () => compilePolicy(text),
        refused(
          'malformed-policy',
          /^Policy contains a statement with one or more invalid principals\.$/,
        ),
        text,
      )
    }
  }
})

test('what is wrong with principals is told after everything else', () => {
  const bad = statement({ Principal: { AWS: 'nobody' } })
  const text = policyText([bad, statement({ Condition: { NumericEquals: { 'aws:x': 'y' } } })])
  assert.throws(() => compilePolicy(text), refused('malformed-policy', /does not fit/))
})

test('identity policies have no principal, no Id, and name action and resource', () => {
  const own = statement({ Principal: undefined, Sid: 'Own1' })
  compilePolicy(policyText(own), 'identity')
  const cases: [document: unknown, message: RegExp][] = [
    [{ Id: 'x', Statement: own }, /no Id/],
    [{ Statement: statement() }, /no principal/],
    [{ Statement: { ...own, Action: undefined } }, /Action is missing/],
    [{ Statement: { ...own, Resource: [] } }, /Resource is missing/],
    [{ Statement: { ...own, Sid: 'a b' } }, /letters and digits/],
  ]
  for (const [document, message] of cases) {
    assert.throws(
      () => compilePolicy(JSON.stringify(document), 'identity'),
      refused('malformed-policy', message),
    )
  }
})

test('size is checked before anything else', () => {
  const text = policyText(statement())
  compilePolicy(text + ' '.repeat(policyBytesMax - text.length))
  const long = text + ' '.repeat(policyBytesMax - text.length + 1)
  assert.throws(() => compilePolicy(long), refused('limit-exceeded'))
})

test('no JSON makes the compiler fail with anything but a refusal', () => {
  const names = fc.constantFrom(
    ...['Version', 'Id', 'Statement', 'Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action'],
    ...['NotAction', 'Resource', 'NotResource', 'Condition', 'AWS', 'Service', 'Null', 'Bool'],
    ...['StringLike', 'ForAnyValue:ArnLike', 'IpAddress', 'DateLessThan', 'aws:x', '__proto__'],
  )
  const leaves = fc.constantFrom<unknown>(
    ...['2012-10-17', 'Allow', 'Deny', '*', 'kms:*', 'arn:aws:kms:r:a:${aws:x}', 'true', '${'],
    ...['111122223333', 'arn:*:*:*:*:*', '::/0', '2026', '', 1, true, null],
  )
  const anything = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'medium' },
      leaves,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(names, tie('node'), { maxKeys: 5 }),
    ),
  })).node
  const shaped = fc
    .record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Principal: fc.oneof(fc.constant('*'), anything),
      Action: fc.oneof(fc.constant('kms:*'), anything),
      Resource: fc.oneof(fc.constant('*'), anything),
      Condition: fc.oneof(
        fc.dictionary(names, fc.dictionary(names, leaves, { maxKeys: 2 }), { maxKeys: 2 }),
        anything,
      ),
    })
    .map((one) => ({ Version: '2012-10-17', Statement: [one] }))
  let compiled = 0
  fc.assert(
    fc.property(fc.oneof(anything, shaped, fc.json()), (document) => {
      try {
        compilePolicy(typeof document === 'string' ? document : (JSON.stringify(document) ?? ''))
        compiled++
      } catch (error) {
        assert.ok(error instanceof ServiceError, String(error))
        assert.equal(error.code, 'malformed-policy')
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(compiled > 10, 'some of the documents must be accepted')
})

test('the same text always gives the same matchers', () => {
  const text = policyText(statement({ Principal: { AWS: [home] } }))
  const [first] = compilePolicy(text).allows
  const [second] = compilePolicy(text).allows
  assert.equal(first?.principal?.(root(home), false), 'account')
  assert.equal(second?.principal?.(root(home), false), 'account')
})
