import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { systemClock } from '../base/clock.ts'
import { type ErrorCode, ServiceError } from '../base/errors.ts'
import { Core } from './core.ts'
import { joinCore } from './in-process.ts'
import { materialText } from './material-text.ts'
import { commands, encodeFrames, FrameReader, type Item } from './protocol.ts'
import { keyName, newMaterial, region, temporaryDirectory } from './testing/fixtures.ts'

function join(t: TestContext) {
  const directory = temporaryDirectory(t)
  const core = new Core({ directory, passphrase: undefined, clock: systemClock })
  core.ensureRegion(region)
  const lines: string[] = []
  const answers: { code: number; id: number; fields: string[] }[][] = []
  const stream = joinCore(core, (line) => lines.push(line))
  const reader = new FrameReader((items) =>
    answers.push(
      items.map(({ code, id, fields }) => ({ code, id, fields: fields.map((f) => String(f)) })),
    ),
  )
  stream.on('data', (chunk: Buffer) => reader.push(chunk))
  stream.on('error', () => {})
  return { core, stream, lines, answers }
}

async function send(stream: Duplex, items: readonly Item[]): Promise<void> {
  for (const frame of encodeFrames(items)) stream.write(frame)
  await turn()
}

test('the answers to one frame come in one frame, in order, each with its outcome', async (t) => {
  const { stream, answers } = join(t)
  await send(stream, [
    { code: commands.rotateDomainKey, id: 7, fields: [region] },
    { code: 99, id: 8, fields: [] },
    { code: commands.random, id: 9, fields: [] },
    { code: commands.random, id: 10, fields: ['12x'] },
    { code: commands.decrypt, id: 11, fields: ['no material', '', ''] },
    { code: commands.forget, id: 12, fields: [] },
  ])
  assert.deepEqual(answers, [
    [
      { code: 0, id: 7, fields: ['2'] },
      { code: 1, id: 8, fields: ['internal'] },
      { code: 1, id: 9, fields: ['internal'] },
      { code: 1, id: 10, fields: ['internal'] },
      { code: 1, id: 11, fields: ['internal'] },
      { code: 0, id: 12, fields: [] },
    ],
  ])
})

test('a malformed frame ends the connection and executes nothing of it', async (t) => {
  const good: Item = { code: commands.rotateDomainKey, id: 1, fields: [region] }
  const [frame] = encodeFrames([good, good])
  assert.ok(frame)
  const spoiled = Buffer.from(frame)
  // The second field's length, one more than there is.
  spoiled[frame.length - region.length - 1] = region.length + 1
  for (const bytes of [
    spoiled,
    Buffer.alloc(4),
    Buffer.alloc(4, 0xff),
    Buffer.from('GET / HTTP'),
  ]) {
    const { core, stream, lines, answers } = join(t)
    stream.write(bytes)
    await new Promise((resolve) => stream.once('close', resolve))
    assert.equal(core.status().regions[0]?.activeGeneration, 1)
    assert.deepEqual(answers, [])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^The connection is ended: ProtocolError at /)
  }
})

test('no bytes whatever make the core fail otherwise', async (t) => {
  const { core } = join(t)
  const material = materialText(await newMaterial(core))
  const pair = materialText(await newMaterial(core, keyName(), 'ECC_NIST_P384'))
  const names = ['ECC_NIST_P256', 'ECDSA_SHA_384', 'RAW', 'DIGEST', 'SYMMETRIC_DEFAULT']
  const field = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(material, pair, ...names, region, 'AKIAIOSFODNN7EXAMPLE', '1', '32'),
  )
  const item = fc.record({
    code: fc.integer({ min: 0, max: 40 }),
    id: fc.constant(1),
    fields: fc.array(field, { maxLength: 7 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 3 }), async (items) => {
      const stream = joinCore(core)
      let received = 0
      const reader = new FrameReader((answers) => {
        received += answers.length
      })
      stream.on('data', (chunk: Buffer) => reader.push(chunk))
      await send(stream, items)
      // Some answers come late; the time limit of the test is that of a missing one.
      while (received < items.length) await turn()
      assert.equal(received, items.length)
      stream.destroy()
    }),
  )
})

test('late answers do not hold up the others, and those of one turn share a frame', async (t) => {
  const { core, stream, answers } = join(t)
  const pair = materialText(await newMaterial(core, keyName(), 'ECC_NIST_P384'))
  const fields = [pair, 'ECDSA_SHA_384', 'RAW', 'a message']
  await send(stream, [
    { code: commands.sign, id: 1, fields },
    { code: commands.random, id: 2, fields: ['0'] },
    { code: commands.sign, id: 3, fields: [pair, 'ECDSA_SHA_256', 'RAW', 'a message'] },
    { code: commands.generateDataKeyPair, id: 4, fields: [pair, 'ECC_NIST_P256', ''] },
    { code: commands.generateDataKeyPair, id: 5, fields: ['', 'ECC_NIST_P256', ''] },
  ])
  while (answers.flat().length < 5) await turn()
  const ids = answers.map((frame) => frame.map(({ code, id }) => [id, code]))
  assert.deepEqual(ids, [
    [
      [2, 1],
      [3, 1],
    ],
    [
      [4, 1],
      [5, 1],
    ],
    [[1, 0]],
  ])
})

test('while many are under way late answers gather, and none is left behind', async (t) => {
  const { core, stream, answers } = join(t)
  const pair = materialText(await newMaterial(core, keyName(), 'ECC_NIST_P384'))
  const fields = [pair, 'ECDSA_SHA_384', 'RAW', 'a message']
  const count = 60
  const items = Array.from({ length: count }, (_, id) => ({ code: commands.sign, id, fields }))
  await send(stream, items)
  while (answers.flat().length < count) await turn()
  const ids = answers.flat().map(({ code, id }) => [code, id])
  assert.deepEqual(
    ids.sort(([, a = 0], [, b = 0]) => a - b),
    items.map(({ id }) => [0, id]),
  )
  assert.ok(answers.length < count, `${answers.length} frames for ${count} answers`)
})

test('while slow commands are under way, a beat says that the core is alive', async (t) => {
  const { core, stream, answers } = join(t)
  const pair = materialText(await newMaterial(core, keyName(), 'ECC_NIST_P521'))
  t.mock.timers.enable({ apis: ['setInterval'] })
  const fields = [pair, 'ECDSA_SHA_512', 'RAW', 'a message']
  await send(stream, [{ code: commands.sign, id: 1, fields }])
  t.mock.timers.tick(10_000)
  while (answers.length < 3) await turn()
  t.mock.timers.tick(10_000)
  await turn()
  const beat = { code: 0, id: 0, fields: [] }
  assert.deepEqual(answers.slice(0, 2), [[beat], [beat]])
  assert.deepEqual(
    answers.slice(2).map((frame) => frame.map(({ id }) => id)),
    [[1]],
    'none after the answer',
  )
})

test('what is logged names the fault and the key, and holds no secret', async (t) => {
  const { core, stream, lines } = join(t)
  const material = await newMaterial(core)
  const stolen = materialText({ ...material, generation: 5 })
  const context = Buffer.alloc(4)
  await send(stream, [
    { code: commands.encrypt, id: 1, fields: [stolen, 'the plaintext', context] },
    {
      code: commands.encrypt,
      id: 2,
      fields: [materialText(material), Buffer.alloc(5000, 'p'), context],
    },
    { code: commands.decrypt, id: 3, fields: [materialText(material), 'a blob', context] },
  ])
  assert.deepEqual(lines, [
    `key-unavailable: the wrapped material of ${material.keyId} is damaged`,
    'internal: plaintext too long',
  ])
})

test('what callers can bring about at any rate is not logged', async (t) => {
  const { core, stream, lines, answers } = join(t)
  const codes: readonly ErrorCode[] = [
    'throttled',
    'validation',
    'invalid-ciphertext',
    'invalid-import-token',
    'expired-import-token',
    'incorrect-key-material',
    'key-unavailable',
  ]
  const ask = t.mock.method(core, 'randomBytes')
  for (const [id, code] of codes.entries()) {
    ask.mock.mockImplementationOnce(() => {
      throw new ServiceError(code, undefined, { detail: 'said' })
    })
    await send(stream, [{ code: commands.random, id: id + 1, fields: ['1'] }])
  }
  assert.deepEqual(
    answers.flat().map(({ fields }) => fields[0]),
    codes,
  )
  assert.deepEqual(lines, ['key-unavailable: said'])
})
