import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kagiban, kagibanOk } from '../support/cli.ts'
import { Seeded } from '../support/seeded.ts'
import { TestServer } from '../support/server.ts'
import { World } from '../support/world.ts'

test('the record of a service under load is whole, and so is a copy that was taken after a kill', async (t) => {
  const random = Seeded.fromEnvironment()
  t.diagnostic(`seed ${random.seed}; SEED=${random.seed} runs it again`)
  const server = await TestServer.start({ segmentBytes: 128 * 1024 })
  const world = new World(server.account)
  const folder = join(server.data, '..')
  const held = join(folder, 'held')
  try {
    for (let round = 1; round <= 3; round += 1) {
      let killed = false
      const working = world.work(server, random, () => killed)
      await sleep(random.between(1100, 1800))
      const live = await kagiban('audit', 'verify', '--data', server.data)
      assert.equal(live.code, 0, live.stdout + live.stderr)
      assert.match(live.stdout, /main: whole: \d+ records/)
      writeFileSync(
        `${held}-${round}`,
        await kagibanOk('audit', 'checkpoint', '--data', server.data),
      )
      await server.kill9()
      killed = true
      await working
      const copy = join(folder, `copy-${round}`)
      cpSync(join(server.data, 'journal'), join(copy, 'journal'), { recursive: true })
      const args = Array.from({ length: round }, (_, at) => ['--checkpoint', `${held}-${at + 1}`])
      const { code, stdout, stderr } = await kagiban(
        'audit',
        'verify',
        '--data',
        copy,
        ...args.flat(),
      )
      assert.equal(code, 0, stdout + stderr)
      t.diagnostic(stdout.split('\n')[0] ?? '')
      await server.restart()
    }
    assert.ok(world.answers > 50, world.summary)
  } finally {
    await server.discard()
  }
})
