import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from './base/clock.ts'
import { HsmClient } from './hsm/client.ts'
import { Core } from './hsm/core.ts'
import { joinCore } from './hsm/in-process.ts'
import { EngineFolder } from './testing/engine-folder.ts'

test('without a key core the service is not healthy, with another one it is', async (t) => {
  const folder = new EngineFolder(t)
  const core = new Core({
    directory: join(folder.path, 'hsm'),
    passphrase: undefined,
    clock: systemClock,
  })
  const hsm = new HsmClient()
  assert.equal(hsm.attached, false)
  let connection = joinCore(core)
  hsm.attach(connection)
  assert.equal(hsm.attached, true)
  const running = await folder.start({}, { hsm })
  t.after(() => hsm.close())
  const health = async () => {
    const { status, body } = await running.health()
    return [status, body]
  }
  assert.deepEqual(await health(), [200, '{"status":"ok"}'])
  connection.destroy()
  assert.deepEqual(await health(), [503, '{"status":"failed","failed":["key core"]}'])
  connection = joinCore(core)
  hsm.attach(connection)
  assert.deepEqual(await health(), [200, '{"status":"ok"}'])
  hsm.close()
  assert.equal(hsm.attached, false)
})
