import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConditionContext } from './conditions/context.ts'
import { judge } from './evaluate.ts'
import { type Case, naming, requestOf, work } from './test-layers.ts'
import { own } from './test-samples.ts'

test('what was asked is kept by side, with what the request said', () => {
  const context = new ConditionContext([{ 'x:A': 'a', 'kms:ResourceAliases': ['alias/a'] }])
  assert.equal(context.asked('resource'), undefined)
  assert.equal(context.get('x:a'), 'a')
  context.get('kms:resourcealiases')
  assert.equal(context.asked('caller'), undefined)
  context.side = 'caller'
  context.get('x:b')
  context.get('kms:resourcealiases')
  assert.deepEqual(
    [...(context.asked('resource') ?? [])],
    [
      ['x:a', 'a'],
      ['kms:resourcealiases', undefined],
    ],
  )
  assert.deepEqual(
    [...(context.asked('caller') ?? [])],
    [
      ['x:b', undefined],
      ['kms:resourcealiases', ['alias/a']],
    ],
  )
})

/** A statement that asks for a key of its own, which is absent. */
const asking = (key: string) => own({ Condition: { Null: { [`x:${key}`]: 'true' } } })
const denying = (key: string) =>
  own({ Effect: 'Deny', Condition: { Null: { [`x:${key}`]: 'false' } } })
const everyoneDenied = (key: string) => naming('*', { ...denying(key), Principal: '*' })

test('every layer asks on its side', () => {
  const asked: Case = {
    caller: work,
    policy: [naming(work.account), everyoneDenied('key')],
    identity: [asking('i'), denying('identity')],
    boundary: asking('boundary'),
    session: [asking('s'), denying('session')],
    serviceControl: [[asking('sc'), denying('service-control')]],
    resourceControl: [[asking('rc'), denying('resource-control')]],
  }
  const keysOf = (side: 'caller' | 'resource', given: Case) =>
    [...(judge(requestOf(given)).context.asked(side)?.keys() ?? [])].map((key) => key.slice(2))
  assert.deepEqual(keysOf('caller', asked).sort(), [
    'boundary',
    'i',
    'identity',
    's',
    'sc',
    'service-control',
    'session',
  ])
  assert.deepEqual(keysOf('resource', asked).sort(), ['key', 'rc', 'resource-control'])
  // Each layer is the first to ask here.
  for (const given of [
    { serviceControl: [[denying('k')]] },
    { identity: [denying('k')] },
    { boundary: denying('k') },
    { session: [denying('k')] },
  ]) {
    assert.deepEqual(keysOf('caller', { caller: work, policy: [naming(work.account)], ...given }), [
      'k',
    ])
  }
  assert.deepEqual(keysOf('resource', { policy: [everyoneDenied('k')] }), ['k'])
})
