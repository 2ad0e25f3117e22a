import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recordCodec } from './record-codec.ts'

type Thing = {
  readonly note: string
  readonly nested: readonly { readonly state: string; readonly rotation?: object }[]
  readonly state: string
  readonly count: number
  readonly rotation?: { readonly periodInDays: number; readonly nextDate: number } | undefined
}

const codec = recordCodec<Thing, 'state' | 'count' | 'rotation'>(['state', 'count'], ['rotation'])

/** Among them such that look like the members that are read. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"state":"no"', '{"count":7}', '\\"state":"', '","rotation":{"nextDate":1}'),
)
const thing: fc.Arbitrary<Thing> = fc.record({
  note: text,
  nested: fc.array(fc.record({ state: text }), { maxLength: 3 }),
  state: text,
  count: fc.nat(),
  rotation: fc.option(
    fc.record({ periodInDays: fc.nat(), nextDate: fc.nat() }, { noNullPrototype: true }),
    { nil: undefined },
  ),
})

test('a glance shows what the whole record says, or nothing', () => {
  fc.assert(
    fc.property(thing, (record) => {
      const body = codec.encode(record)
      const { state, count, rotation } = record
      assert.deepEqual(codec.decode(body), JSON.parse(JSON.stringify(record)))
      const seen = codec.glance?.(body)
      const isPlain = JSON.stringify(state) === `"${state}"`
      assert.deepEqual(seen, isPlain ? { state, count, rotation } : undefined)
    }),
  )
})

test('a text that lacks what a record must have at its beginning shows nothing', () => {
  const bodies = [
    '',
    'null',
    '{"state":"on"}',
    '{"state":"on","count":-1}',
    '{"state":"on","count":1.5}',
    '{"count":1}',
    '{"count":1,"state":"on"}',
    '{"state":"o',
    '{"state":"on","count":1',
    '{"count":null,"state":"on"}',
    '{"state":"on","count":1,"rotation":{"periodInDays":1',
    '{"state":"on","count":1,"rotation":{"of":"}"}}',
  ]
  for (const body of bodies) {
    assert.equal(codec.glance?.(body), undefined, body)
  }
})
