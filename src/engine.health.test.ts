import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/random.ts'
import { HsmClient } from './hsm/client.ts'
import { Core } from './hsm/core.ts'
import { joinCore } from './hsm/in-process.ts'
import { MemoryObjectStore } from './objects/memory/store.ts'
import { sendCommand, socketName } from './operator/socket.ts'
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

test('objects that cannot be written make the service unhealthy, and say so', async (t) => {
  const folder = new EngineFolder(t)
  const objects = new MemoryObjectStore(systemClock, systemRandom)
  let healthy = true
  Object.defineProperty(objects, 'healthy', { get: () => healthy })
  const running = await folder.start({}, { openObjects: async () => objects })
  const { status } = await running.health()
  assert.equal(status, 200)
  healthy = false
  const failed = await running.health()
  assert.deepEqual([failed.status, failed.body], [503, '{"status":"failed","failed":["objects"]}'])
  const socket = relative(process.cwd(), join(folder.path, 'run', socketName('main')))
  const found = await sendCommand(socket, 'status', { operator: 'mona' }, () => {})
  const { healthy: well, objectsHealthy } = found as Record<string, unknown>
  assert.deepEqual([well, objectsHealthy], [false, false])
})

test('nothing is founded where the objects cannot be opened', async (t) => {
  const folder = new EngineFolder(t)
  const announced: string[] = []
  const announce = (text: string) => void announced.push(text)
  const openObjects = () => Promise.reject(new Error('the bucket lets nobody in'))
  await assert.rejects(folder.start({}, { openObjects, announce }), /the bucket lets nobody in/)
  assert.deepEqual(announced, [])
  assert.deepEqual(folder.events(), [])
})
