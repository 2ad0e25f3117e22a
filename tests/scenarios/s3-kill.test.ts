import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { found, needlesOf } from '../support/canary.ts'
import { clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { plainMark, S3World } from '../support/s3-world.ts'
import { Seeded } from '../support/seeded.ts'
import { TestServer } from '../support/server.ts'

const kills = process.env['SLOW'] === '1' ? 40 : 4

test(`no object that was acknowledged is lost over ${kills} kills, none is half there`, async (t) => {
  const random = Seeded.fromEnvironment()
  t.diagnostic(`seed ${random.seed}; SEED=${random.seed} runs it again`)
  const server = await TestServer.start()
  const world = new S3World()
  try {
    const clients = clientsOf(server)
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
    clients.destroy()
    await world.found(server, present(KeyMetadata?.Arn))
    for (let kill = 1; kill <= kills; kill++) {
      let killed = false
      const working = world.work(server, random, () => killed)
      await sleep(random.between(200, 2000))
      await server.kill9()
      killed = true
      await working
      await server.restart()
      await world.verify(server)
    }
    assert.ok(world.answers > kills * 5, `only ${world.answers} answers`)
    t.diagnostic(`${world.answers} changes acknowledged`)
    await server.stop()
    requireNothingPlain(server.data)
  } catch (error) {
    t.diagnostic(`the server said: ${(server.stdout + server.stderr).slice(-4000)}`)
    throw error
  } finally {
    await server.discard()
  }
})

/** Nothing below the data folder holds what stood in the objects. */
function requireNothingPlain(data: string): void {
  const needles = needlesOf({ name: 'an object', secret: Buffer.from(plainMark) })
  for (const entry of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    const path = join(data, entry)
    if (statSync(path).isFile()) assert.deepEqual(found(needles, readFileSync(path)), [], path)
  }
}
