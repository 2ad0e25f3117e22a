import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from '../../../authorize/policy/parse.ts'
import { ServiceError } from '../../../base/errors.ts'
import { contextOf } from './context-entries.ts'
import { contextKeysOf } from './context-keys.ts'
import type { SimulationRequest } from './shapes.ts'

const variable = (inside: string) => `$\{${inside}}`

function keysOf(statement: object, Version = '2012-10-17'): readonly string[] {
  const text = JSON.stringify({
    Version,
    Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*', ...statement },
  })
  return contextKeysOf([parsePolicy(text, 'identity')])
}

test('context keys are those of conditions and variables, each once, as written first', () => {
  const Resource = [
    `arn:aws:kms:*:*:key/${variable('aws:PrincipalTag/key')}`,
    `arn:aws:s3:::b/${variable('*')}${variable('?')}${variable('$')}/x`,
  ]
  const Condition = {
    StringEquals: {
      'AWS:UserId': 'a',
      'aws:PrincipalTag/team': variable("aws:RequestTag/team, 'none'"),
    },
    'ForAnyValue:StringLike': {
      'aws:userid': 'b',
      'kms:EncryptionContextKeys': variable('aws:username'),
    },
  }
  assert.deepEqual(keysOf({ Resource, Condition }), [
    'aws:PrincipalTag/key',
    'AWS:UserId',
    'aws:PrincipalTag/team',
    'aws:RequestTag/team',
    'kms:EncryptionContextKeys',
    'aws:username',
  ])
  assert.deepEqual(keysOf({}), [])
})

test('a document of 2008 has no variables', () => {
  const Condition = { StringEquals: { 'aws:userid': variable('aws:username') } }
  assert.deepEqual(keysOf({ Condition }, '2008-10-17'), ['aws:userid'])
})

type Entry = NonNullable<SimulationRequest['ContextEntries']>[number]
const entry = (type: string, ...values: readonly string[]): Entry => ({
  ContextKeyName: 'aws:x',
  ContextKeyValues: values,
  ContextKeyType: type as NonNullable<Entry['ContextKeyType']>,
})

test('entries are what requests bring: one value, or a list', () => {
  assert.deepEqual(contextOf([entry('string', 'a b')]), { 'aws:x': 'a b' })
  assert.deepEqual(contextOf([entry('stringList', 'a')]), { 'aws:x': ['a'] })
  assert.deepEqual(contextOf([entry('numericList', '1', '-2.5')]), { 'aws:x': ['1', '-2.5'] })
  assert.deepEqual(contextOf([entry('ip', '10.0.0.0/8')]), { 'aws:x': '10.0.0.0/8' })
  assert.deepEqual(contextOf([entry('date', '2026-05-06T07:08:09Z')]), {
    'aws:x': '2026-05-06T07:08:09Z',
  })
  for (const type of ['string', 'stringList', 'boolean']) {
    assert.deepEqual(contextOf([entry(type)]), {})
  }
})

test('entries of another form are refused', () => {
  const wrong: readonly (readonly Entry[])[] = [
    [entry('string', 'a', 'b')],
    [entry('boolean', 'yes')],
    [entry('booleanList', 'true', '1')],
    [entry('numeric', '1e5')],
    [entry('ip', 'here')],
    [entry('binary', '***')],
    [entry('date', 'tomorrow')],
    [{ ...entry('string', 'a'), ContextKeyName: 'nocolon' }],
    [entry('string', 'a'), { ...entry('string', 'b'), ContextKeyName: 'AWS:X' }],
  ]
  for (const entries of wrong) {
    assert.throws(
      () => contextOf(entries),
      (error: unknown) => error instanceof ServiceError && error.code === 'invalid-input',
      JSON.stringify(entries),
    )
  }
})
