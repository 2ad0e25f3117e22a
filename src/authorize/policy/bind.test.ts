import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  abroad,
  home,
  names,
  policyText,
  providerArn,
  refused,
  root,
  session,
  statement,
  user,
} from '../test-samples.ts'
import { bindPrincipals, showPrincipals } from './bind.ts'
import { compilePolicy } from './compile.ts'

const alice = user(home, 'alice', '/team/')
const work = session(home, 'Worker', 'shift-1', '/ops/')
const roleArn = work.roleArn ?? ''
const roleId = work.roleId ?? ''
const invalid = refused(
  'malformed-policy',
  /^Policy contains a statement with one or more invalid principals\.$/,
)

const bind = (text: string) => bindPrincipals(text, 'key', names)
const show = (text: string) => showPrincipals(text, 'key', names)

test('only names become ids: formatting, order and escapes elsewhere stay', () => {
  const text = [
    '{ "Version" : "2012-10-17",',
    '\t"Statement":[{"Sid":"caf\\u00e9 é \\"x\\"",  "Effect":"Allow",',
    `   "Principal" : { "AWS" :[ "${alice.arn}" , "${root(home).arn}","${abroad}" ,`,
    `      "${work.arn}","*" ], "Service":"logs.amazonaws.com" },`,
    `"Action":"kms:*","Resource":"*", "Condition":{"ArnEquals":{"aws:PrincipalArn":"${alice.arn}"}}},`,
    `{"Effect":"Deny","NotPrincipal":{"AWS":"${roleArn}"},"Action":"*","Resource":"*"}]}`,
    '',
  ].join('\r\n')
  const [before = '', after = ''] = text.split(`"ArnEquals"`)
  const bound = bind(text)
  assert.equal(
    bound,
    before.replace(alice.arn, alice.principalId).replace(work.arn, work.principalId) +
      `"ArnEquals"${after.replace(`"${roleArn}"`, `"${roleId}"`)}`,
  )
  assert.equal(show(bound), text)
})

test('line feeds alone, one line, and names on lines of their own', () => {
  for (const newline of ['\n', '\r\n', '', ' ', '\t']) {
    const text = [
      ...[
        '{"Statement":',
        '[',
        '{',
        '"Effect":"Allow","Principal"',
        ':',
        '{"AWS"',
        ':',
        '[',
        '"*"',
      ],
      ...[',', `"${alice.arn}"`, ',', `"${roleArn}"`, ']}', ',"Action":"kms:*"}', ']', '}'],
    ].join(newline)
    const bound = bind(text)
    assert.equal(
      bound,
      text.replace(alice.arn, alice.principalId).replace(`"${roleArn}"`, `"${roleId}"`),
    )
    assert.equal(show(bound), text)
  }
})

test('a name that was written with escapes is found, and its place is too', () => {
  const escaped = alice.arn.replace('arn', '\\u0061rn').replaceAll('/', '\\/')
  const text = `{"Statement":{"Sid":"\\\\\\"","Effect":"Allow","Principal":{"AWS":["${escaped}","${work.arn}"]},"Action":"*"}}`
  const bound = bind(text)
  assert.equal(bound, text.replace(escaped, alice.principalId).replace(work.arn, work.principalId))
  assert.equal(show(bound), text.replace(escaped, alice.arn))
})

test('characters beyond ASCII before a name do not move it', () => {
  const text = `{"Statement":{"Sid":"äöü ÿ","Effect":"Allow","Principal":{"AWS":"${alice.arn}"},"Action":"*"}}`
  assert.equal(bind(text), text.replace(alice.arn, alice.principalId))
})

test('members may come in any order', () => {
  const naming = `{"AWS":"${alice.arn}"}`
  const text = `{"Statement":[{"Resource":"*","NotPrincipal":${naming},"Action":"*","Effect":"Deny"},{"Action":"*","Principal":${naming},"Effect":"Allow"}],"Version":"2012-10-17"}`
  assert.equal(bind(text), text.replaceAll(alice.arn, alice.principalId))
})

test('a principal that is not there is refused, wherever it stands', () => {
  const nobody = { idOf: () => undefined }
  for (const member of ['Principal', 'NotPrincipal']) {
    for (const AWS of [alice.arn, roleArn, work.arn, home, ['*', alice.arn]]) {
      const text = policyText(statement({ Principal: undefined, [member]: { AWS } }))
      assert.throws(() => bindPrincipals(text, 'key', nobody), invalid)
    }
  }
})

test('an id that is resubmitted is refused, also that of a principal which is there', () => {
  for (const id of [alice.principalId, roleId, work.principalId, 'AIDAGONE0000000000001']) {
    for (const kind of ['key', 'trust'] as const) {
      const action = kind === 'trust' ? { Action: 'sts:*', Resource: undefined } : {}
      const text = policyText(statement({ Principal: { AWS: [home, id] }, ...action }))
      assert.throws(() => bindPrincipals(text, kind, names), invalid)
    }
  }
})

test('who is gone is shown by its id, the others by their names as they are now', () => {
  const bound = bind(
    policyText(statement({ Principal: { AWS: [alice.arn, roleArn, work.arn, home] } })),
  )
  const renamed = `arn:aws:iam::${home}:user/alicia`
  const shown = showPrincipals(bound, 'key', {
    arnOf: (id) => (id === alice.principalId ? renamed : undefined),
  })
  assert.deepEqual(JSON.parse(shown).Statement.Principal.AWS, [
    renamed,
    roleId,
    `${roleId}:shift-1`,
    home,
  ])
})

test('providers and services have no id', () => {
  const text = policyText(
    statement({
      Principal: { Federated: providerArn(home), Service: 'ec2.amazonaws.com', AWS: roleArn },
      Action: 'sts:*',
      Resource: undefined,
    }),
  )
  const bound = bindPrincipals(text, 'trust', names)
  assert.equal(bound, text.replace(roleArn, roleId))
  assert.equal(showPrincipals(bound, 'trust', names), text)
})

test('an ARN in a text that was never bound names nobody', () => {
  const [allow] = compilePolicy(policyText(statement({ Principal: { AWS: alice.arn } }))).allows
  assert.equal(allow?.principal?.(alice, false), undefined)
  const [bound] = compilePolicy(
    bind(policyText(statement({ Principal: { AWS: alice.arn } }))),
  ).allows
  assert.equal(bound?.principal?.(alice, false), 'user')
})

test('what is shown is what was put, for any layout', () => {
  const principals = fc.subarray(['*', home, root(abroad).arn, alice.arn, roleArn, work.arn], {
    minLength: 1,
  })
  const sid = fc.string({ unit: fc.constantFrom(...'aé"\\\n\t/ {}[]:,u'), maxLength: 8 })
  fc.assert(
    fc.property(
      fc.array(fc.record({ AWS: principals, sid, inverted: fc.boolean() }), { minLength: 1 }),
      fc.constantFrom(undefined, 1, '\t', '  '),
      fc.boolean(),
      (statements, indent, crlf) => {
        const json = JSON.stringify(
          {
            Statement: statements.map(({ AWS, sid: text, inverted }, index) =>
              statement({
                Sid: `${text}${index}`,
                Principal: inverted ? undefined : { AWS },
                NotPrincipal: inverted ? { AWS } : undefined,
              }),
            ),
          },
          undefined,
          indent,
        )
        const text = crlf ? json.replaceAll('\n', '\r\n') : json
        const bound = bind(text)
        assert.equal(show(bound), text)
        for (const { arn } of [alice, work]) assert.equal(bound.includes(arn), false)
        compilePolicy(bound)
      },
    ),
    { numRuns: 300 },
  )
})
