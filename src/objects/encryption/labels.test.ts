import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { systemRandom as random } from '../../base/random.ts'
import { type CompletedUpload, completeUpload, sealUpload, UploadSealer } from './seal.ts'

const upload = { bucket: 'b', key: 'k' }
const object = { ...upload, versionId: 'v' }

function open() {
  const dataKeys = [randomBytes(32)] as const
  const sidecar = sealUpload({ dataKeys, wrapped: [Buffer.from('wrapped')], random }, upload)
  const sealer = new UploadSealer(sidecar, dataKeys, upload)
  const parts = [1, 2].map((number) => {
    const segment = sealer.newSegment(random)
    return { number, size: 0, ...sealer.finishPart(segment, number, 0) }
  })
  return { sidecar, sealer, parts, labelsKey: sealer.labelsKey() }
}

test('an upload is completed by its labels key as it is by its data keys', () => {
  const { sidecar, sealer, parts, labelsKey } = open()
  const expected: CompletedUpload = sealer.complete(parts, object)
  assert.deepEqual(completeUpload(sidecar, labelsKey, parts, object), expected)
  // The key is the caller's still, and that of the sealer its own.
  assert.deepEqual(completeUpload(sidecar, labelsKey, parts, object), expected)
  labelsKey.fill(0)
  assert.deepEqual(sealer.complete(parts, object), expected)
})

test('and of nothing else', () => {
  const { sidecar, parts, labelsKey } = open()
  const other = open()
  const refused = (
    kind: string,
    ...[sealed, key, list, identity]: Parameters<typeof completeUpload>
  ) => assert.throws(() => completeUpload(sealed, key, list, identity), { kind })
  refused('header', sidecar, other.labelsKey, parts, object)
  refused('header', other.sidecar, labelsKey, parts, object)
  refused('header', sidecar, labelsKey, parts, { ...object, key: 'another' })
  refused('segment', sidecar, labelsKey, other.parts, object)
  const swapped = parts.map((part) => ({ ...part, number: 3 - part.number }))
  refused('segment', sidecar, labelsKey, swapped, object)
  const longer = parts.map((part) => ({ ...part, size: 1 }))
  refused('segment', sidecar, labelsKey, longer, object)
})
