import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatheringRoom } from './gathering-room.ts'

const kib = 1024
const refused = { code: 'SlowDown' }

test('one account has half of the room, all have no more than there is', () => {
  const room = new GatheringRoom(200 * kib)
  const giveBack = room.take(60 * kib, 'a')
  assert.throws(() => room.take(41 * kib, 'a'), refused)
  room.take(40 * kib, 'a')
  room.take(80 * kib, 'b')
  assert.throws(() => room.take(21 * kib, 'c'), refused)
  assert.equal(room.bytes, 180 * kib)
  giveBack()
  giveBack()
  assert.equal(room.bytes, 120 * kib)
  room.take(21 * kib, 'c')
})

test('what is small is not counted', () => {
  const room = new GatheringRoom(200 * kib)
  for (let count = 0; count < 100; count++) room.take(16 * kib, 'a')
  assert.equal(room.bytes, 0)
})
