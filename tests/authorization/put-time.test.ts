import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { admitKeyPolicy, type PolicyAdmission } from '../../src/authorize/admit.ts'
import { admitIdentityPolicy, admitTrustPolicy } from '../../src/authorize/admit-identity.ts'
import type { PrincipalNames } from '../../src/authorize/policy/bind.ts'
import { layers, names } from '../../src/authorize/test-samples.ts'
import { ServiceError } from '../../src/base/errors.ts'
import { allow, deny } from './case.ts'
import { identityPolicies, keyPolicies, type PutCase, trustPolicies } from './cases/put.ts'
import { abroad, alice, day, home, keyArn, owner, workerArn } from './people.ts'

/** Whom a policy can name: these, and nobody else. */
const there: PrincipalNames = {
  idOf(principal) {
    if (principal.type === 'account') {
      return [home, abroad].includes(principal.account) ? principal.account : undefined
    }
    if (!('arn' in principal)) return names.idOf(principal)
    const known = [alice.arn, workerArn, day.arn.replace('day-shift', 'day')]
    return known.includes(principal.arn) ? names.idOf(principal) : undefined
  },
  arnOf: names.arnOf,
}

const admission: PolicyAdmission = {
  caller: owner,
  keyArn,
  keyAccount: home,
  conditions: [],
  principals: there,
  bypassLockoutSafetyCheck: false,
}

function putting(cases: readonly PutCase[], put: (text: string) => void): void {
  for (const { rule, name, text, refused } of cases) {
    test(`${rule}: ${name}`, () => {
      if (refused === undefined) {
        put(text)
        return
      }
      assert.throws(
        () => put(text),
        (error: unknown) => {
          assert.ok(error instanceof ServiceError, String(error))
          assert.equal(error.code, 'malformed-policy')
          if (typeof refused === 'string') assert.equal(error.publicMessage, refused)
          else assert.match(error.publicMessage ?? '', refused)
          return true
        },
      )
    })
  }
}

describe('putting a key policy', () => {
  putting(keyPolicies, (text) => admitKeyPolicy(text, admission))
})

describe('putting an identity policy', () => {
  putting(identityPolicies, (text) => admitIdentityPolicy(text, 'managed'))
})

describe('putting a trust policy', () => {
  putting(trustPolicies, (text) => admitTrustPolicy(text, there))
})

test('1.2: a key policy of more than 32768 bytes is beyond a limit, not malformed', () => {
  const policy = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' },
  })
  const exact = policy.padEnd(32_768, ' ')
  admitKeyPolicy(exact, admission)
  for (const text of [`${exact} `, policy.padEnd(32_759, ' ').replace('{', '{"Id":"é",')]) {
    assert.throws(
      () => admitKeyPolicy(text, admission),
      (error: unknown) => error instanceof ServiceError && error.code === 'limit-exceeded',
    )
  }
})

test('1.2: the bypass flag skips the lockout check and nothing else', () => {
  const bypassing = { ...admission, bypassLockoutSafetyCheck: true }
  const outcomes = keyPolicies.map(({ rule, text, refused }) => {
    try {
      admitKeyPolicy(text, bypassing)
      return refused === undefined || rule === '1.4 lockout'
    } catch {
      return refused !== undefined && rule !== '1.4 lockout'
    }
  })
  assert.deepEqual(
    keyPolicies.filter((_, at) => outcomes[at] === false).map(({ name }) => name),
    [],
  )
})

test('1.4: delegating to the account is not enough for a caller whose own policies do not help', () => {
  const text = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS: home }, Action: 'kms:*', Resource: '*' },
  })
  const put = (given: Parameters<typeof layers>[0]) => () =>
    admitKeyPolicy(text, { ...admission, caller: alice, layers: layers(given) })
  const lockout = /will not allow you to update the key policy in the future/
  put({ identity: [allow()] })()
  assert.throws(put({}), lockout)
  assert.throws(put({ identity: [allow({ Action: 'kms:CreateKey' })] }), lockout)
  assert.throws(put({ identity: [allow(), deny({ Action: 'kms:Put*' })] }), lockout)
  assert.throws(put({ identity: [allow()], boundary: allow({ Action: 'kms:Decrypt' }) }), lockout)
})
