import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../../base/caller.ts'
import type { CallContext } from '../operation.ts'
import { iamCheck } from './checks.ts'
import { credentialOwner } from './credential-owner.ts'
import type { IamDeps } from './deps.ts'
import { documentInAnswer, policySize, requirePolicySize } from './documents.ts'

test('documents in answers are URL-encoded as RFC 3986 says, and come back', () => {
  assert.equal(
    documentInAnswer(`{"a":"!'()*~ é"}`),
    '%7B%22a%22%3A%22%21%27%28%29%2A~%20%C3%A9%22%7D',
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = documentInAnswer(text)
      assert.match(encoded, /^(?:[\w.~-]|%[0-9A-F]{2})*$/)
      assert.equal(decodeURIComponent(encoded), text)
    }),
  )
})

test('the size of a policy leaves white space out', () => {
  assert.equal(policySize(' a\tb\r\n c '), 3)
  assert.equal(policySize(`abc${' '.repeat(9)}`), 3)
  assert.equal(policySize(`abc${' '.repeat(10)}`), 4, 'there is no end to it')
  requirePolicySize(3, 3, 'user', 'x')
  assert.throws(() => requirePolicySize(4, 3, 'group', 'x'), {
    code: 'limit-exceeded',
    publicMessage: 'Maximum policy size of 3 bytes exceeded for group x',
  })
})

const callOf = (caller: Partial<Caller>) => ({ caller }) as unknown as CallContext
const session = { issuedAt: 0, expiresAt: 1 }

test('what GetSessionToken gave may call nothing of IAM', () => {
  for (const type of ['root', 'user'] as const) {
    assert.throws(() => iamCheck(callOf({ type, session }), 'iam:GetUser', '*'), {
      code: 'unrecognized-client',
    })
    iamCheck(callOf({ type }), 'iam:GetUser', '*')
  }
  iamCheck(callOf({ type: 'role-session', session }), 'iam:GetUser', '*')
})

test('a role session has to name a user', () => {
  const deps = { identities: { users: { byId: () => undefined } } } as unknown as IamDeps
  assert.throws(() => credentialOwner(callOf({ type: 'role-session', session }), undefined, deps), {
    code: 'validation',
    publicMessage: 'Must specify userName when calling with non-User credentials',
  })
})
