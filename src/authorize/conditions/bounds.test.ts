// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { denialText, unknownResourceDenial } from '../denial.ts'
import { decide } from '../evaluate.ts'
import { compilePolicy } from '../policy/compile.ts'
import { abroad, home, keyArn, policyText, root, statement } from '../test-samples.ts'
import { Ambiguous, ConditionContext, type ConditionValues } from './context.ts'
import { FoldedNames } from './folded-names.ts'

const context = 'kms:EncryptionContext:'
const refused = { allowed: false, reason: 'too-much-work' } as const

function requestOf(
  condition: Record<string, Record<string, readonly string[]>>,
  values: readonly ConditionValues[],
  account = home,
  effect = 'Allow',
) {
  const guarded = statement({ Effect: effect, Condition: condition })
  const statements = effect === 'Allow' ? [guarded] : [statement(), guarded]
  const policy = compilePolicy(policyText(statements))
  return {
    caller: root(account),
    permission: 'kms:Decrypt',
    resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
    conditions: values,
  } as const
}

/** Each of 2^letters spellings of one name. */
function spellings(letters: number): string[] {
  const name = 'abcdefghijklmnopqrst'.slice(0, letters)
  return Array.from({ length: 2 ** letters }, (_, spelling) =>
    [...name].map((c, place) => ((spelling >> place) & 1 ? c.toUpperCase() : c)).join(''),
  )
}

function seconds(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

describe('a request brings one condition key in many spellings', () => {
  test('and every value counts', () => {
    const found = new ConditionContext([{ 'a:B': 'one' }, { 'A:b': 'two', 'a:b': 'three' }])
    const value = found.get('a:b')
    assert.ok(value instanceof Ambiguous)
    assert.deepEqual(value.values, ['one', 'two', 'three'])
    assert.equal(new ConditionContext([{ 'a:B': 'one' }, { 'A:b': 'one' }]).get('a:b'), 'one')
    const sets = new ConditionContext([{ 'a:B': ['one', 'two'] }, { 'A:b': 'two' }]).get('a:b')
    assert.deepEqual(sets instanceof Ambiguous && sets.values, ['one', 'two', 'two'])
  })

  test('which takes as long as so many names', () => {
    const values = Object.fromEntries(spellings(16).map((name, at) => [context + name, `${at}`]))
    const made = new ConditionContext([values])
    const took = seconds(() => made.get(context))
    const found = made.get(`${context}abcdefghijklmnop`.toLowerCase())
    assert.equal(found instanceof Ambiguous && found.values.length, 2 ** 16)
    assert.ok(took < 2, `${took} s`)
  })
})

describe('matching is bounded', () => {
  const variables = (count: number) => ({
    StringLike: {
      [`${context}b`]: Array.from({ length: count }, (_, at) => `*\${${context}a}?*${at}`),
    },
  })
  const long = [
    { [`${context}a`]: 'a'.repeat(4000), [`${context}b`]: `${'a'.repeat(3999)}b${'a'.repeat(99)}` },
  ]

  test('what takes too long is refused soon, an Allow and a Deny alike', () => {
    for (const effect of ['Allow', 'Deny']) {
      const request = requestOf(variables(700), long, home, effect)
      let decision: unknown
      const took = seconds(() => {
        decision = decide(request)
      })
      assert.deepEqual(decision, refused)
      assert.ok(took < 0.5, `${took} s`)
    }
  })

  test('so are long patterns against many values', () => {
    const patterns = Array.from({ length: 300 }, (_, at) => `*${'a'.repeat(80)}?b*${at}`)
    const keys = Array.from({ length: 128 }, (_, at) => 'a'.repeat(60) + at)
    const condition = { 'ForAllValues:StringNotLike': { 'kms:EncryptionContextKeys': patterns } }
    const values = [{ 'kms:EncryptionContextKeys': keys }]
    assert.deepEqual(decide(requestOf(condition, values)), refused)
  })

  test('so are many numbers against many values', () => {
    const numbers = Array.from({ length: 3000 }, (_, at) => `${at}.5`)
    const keys = Array.from({ length: 1000 }, (_, at) => String(at))
    const condition = { 'ForAnyValue:NumericEquals': { 'kms:EncryptionContextKeys': numbers } }
    const request = requestOf(condition, [{ 'kms:EncryptionContextKeys': keys }])
    assert.deepEqual(decide(request), refused)
    const few = requestOf(condition, [{ 'kms:EncryptionContextKeys': keys.slice(0, 128) }])
    assert.deepEqual(decide(few), { allowed: false, reason: 'no-key-policy-allows' })
  })

  test('a variable that is longer than the value is not even made a pattern', () => {
    const names = spellings(7).map((name) => ({ [`${context}${name}`]: `x${name}` }))
    const condition = {
      StringNotLike: {
        [`${context}abcdefg`]: Array.from({ length: 600 }, (_, at) => `*\${aws:Referer}?*${at}`),
      },
    }
    const request = requestOf(condition, [{ 'aws:Referer': 'a'.repeat(8000) }, ...names])
    let decision: unknown
    const took = seconds(() => {
      decision = decide(request)
    })
    assert.deepEqual(decision, { allowed: true, reason: 'key-policy', path: 'E' })
    assert.ok(took < 1, `${took} s`)
  })

  test('a variable that fits matches as before, also where folding makes it longer', () => {
    const matches = (operator: string, pattern: string, a: string, b: string) =>
      decide(
        requestOf({ [operator]: { [`${context}b`]: [pattern] } }, [
          { [`${context}a`]: a, [`${context}b`]: b },
        ]),
      ).allowed
    const variable = `\${${context}a}`
    assert.equal(matches('StringLike', `*${variable}*`, 'same', 'same'), true)
    assert.equal(matches('StringLike', `?${variable}`, 'same', 'same'), false)
    assert.equal(matches('StringLike', `?${variable}`, 'same', '1same'), true)
    assert.equal(matches('StringEqualsIgnoreCase', variable, 'İ', 'İ'), true)
    assert.equal(matches('StringEqualsIgnoreCase', variable, 'K', 'k'), true)
    assert.equal(matches('StringNotLike', `?${variable}`, 'same', 'same'), true)
  })

  test('a full policy of usual patterns is decided', () => {
    const patterns = Array.from({ length: 1000 }, (_, at) => `tenant-${at}-*`)
    const keys = Array.from({ length: 64 }, (_, at) => `department-of-${at}`)
    const condition = { 'ForAnyValue:StringLike': { 'kms:EncryptionContextKeys': patterns } }
    assert.deepEqual(decide(requestOf(condition, [{ 'kms:EncryptionContextKeys': keys }])), {
      allowed: false,
      reason: 'no-key-policy-allows',
    })
  })

  test('a stranger is told of it what is told of no key', () => {
    const request = requestOf(variables(700), long, abroad)
    const decision = decide(request)
    assert.ok(!decision.allowed)
    assert.equal(decision.reason, 'too-much-work')
    assert.equal(
      denialText(request, decision),
      unknownResourceDenial(request.caller, request.permission),
    )
  })
})

describe('folded names that are kept', () => {
  test('are short and few, whatever callers send', () => {
    const names = new FoldedNames()
    assert.equal(names.fold('Aws:SourceIp'), 'aws:sourceip')
    assert.equal(names.size, 1)
    assert.equal(names.fold('A'.repeat(129)), 'a'.repeat(129))
    assert.equal(names.size, 1)
    assert.equal(names.fold('A'.repeat(128)), 'a'.repeat(128))
    assert.equal(names.size, 2)
    for (let at = 0; at < 5000; at += 1) {
      assert.equal(names.fold(`Name${at}`), `name${at}`)
      assert.ok(names.size <= 1024)
    }
  })
})
