import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { UpstreamServer } from '../testing/upstream-server.ts'
import { Budget } from './budget.ts'
import { refusal } from './failure.ts'
import { targetOf } from './options.ts'
import { openUpstreamStore } from './store.ts'
import { engineFor } from './testing/open.ts'
import { UpstreamBodies, type UpstreamBodiesOptions } from './upstream-bodies.ts'
import { elementsOf, encodeText, textOf } from './xml.ts'

test('of an answer only whole elements are read', () => {
  const xml = '<L><Key>a&amp;b&#x41;&#66;&quot;&gone;</Key><Key>c</Key><Key>half'
  assert.deepEqual(elementsOf(xml, 'Key'), ['a&amp;b&#x41;&#66;&quot;&gone;', 'c'])
  assert.equal(textOf(xml, 'Key'), 'a&bAB"&gone;')
  assert.equal(textOf(xml, 'Code'), undefined)
  assert.equal(textOf('<Key>&#x110000;</Key>', 'Key'), '&#x110000;')
  assert.equal(textOf(`<Key>${encodeText('<"&\'>')}</Key>`, 'Key'), '<"&\'>')
})

test('the words of an engine draw on no terminal', () => {
  const { message } = refusal(403, 'Access\u001b[2JDenied', 'no\r\nlevel=info \u009b31m \u202e né')
  assert.equal(message, 'it answered 403 (Access?[2JDenied, no??level=info ?31m ? né)')
})

test('a row that names something else as a body leads nowhere', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const engine = engineFor(server, { directory, node: 'main' })
  context.after(() => server.stop())
  const bodies = new UpstreamBodies({ engine } as UpstreamBodiesOptions)
  for (const name of ['other', '../other', `run/${'0'.repeat(32)}`, `a/${'0'.repeat(32)}/x`, '']) {
    await assert.rejects(bodies.open(name), { code: 'internal', detail: /a body that is none/ })
    await bodies.remove(name)
  }
  assert.deepEqual(server.requests, [])
  await bodies.remove(`a/${'0'.repeat(32)}`)
  assert.equal(server.requests.length, 1)
  engine.close()
})

test('a budget is spent in order, and by one that is larger alone', async () => {
  const budget = new Budget(10)
  const log: string[] = []
  const open = new Map<string, () => void>()
  const spend = (name: string, count: number) =>
    budget.spend(count, async () => {
      log.push(name)
      await new Promise<void>((resolve) => open.set(name, resolve))
    })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const all = [spend('a', 6), spend('b', 4), spend('huge', 50), spend('c', 1)]
  await turn()
  assert.deepEqual(log, ['a', 'b'])
  open.get('a')?.()
  await turn()
  assert.deepEqual(log, ['a', 'b'])
  open.get('b')?.()
  await turn()
  assert.deepEqual(log, ['a', 'b', 'huge'])
  open.get('huge')?.()
  await turn()
  assert.deepEqual(log, ['a', 'b', 'huge', 'c'])
  open.get('c')?.()
  await Promise.all(all)
  const failing = budget.spend(10, () => Promise.reject(new Error('it fails')))
  await assert.rejects(failing, /it fails/)
  assert.equal(await budget.spend(10, async () => 'spent'), 'spent')
})

test('a bucket stands in the path or before the host', () => {
  const options = {
    ...{ directory: '', node: 'main', clock: systemClock, random: systemRandom },
    ...{ region: 'r', bucket: 'bodies', accessKeyId: 'A', secretAccessKey: Buffer.from('s') },
  }
  const of = (endpoint: string, pathStyle?: boolean) => {
    const { secure, host, port, hostHeader, root } = targetOf({ ...options, endpoint, pathStyle })
    return [secure, host, port, hostHeader, root]
  }
  const https = 'https://s3.example'
  assert.deepEqual(of(https), [true, 's3.example', 443, 's3.example', '/bodies/'])
  const virtual = [true, 'bodies.s3.example', 444, 'bodies.s3.example:444', '/']
  assert.deepEqual(of(`${https}:444`, false), virtual)
  assert.deepEqual(of('http://[::1]:80'), [false, '::1', 80, '[::1]', '/bodies/'])
  const insecure = targetOf({ ...options, endpoint: 'http://s3.example', insecure: true })
  assert.equal(insecure.port, 80)
})

test('over TLS only the authorities of the file are believed', async (context) => {
  const folder = join(import.meta.dirname, '../../../tests/vectors/tls')
  const [cert, key] = ['localhost.pem', 'localhost-key.pem'].map((name) =>
    readFileSync(join(folder, name)),
  )
  const requests: string[] = []
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    response.writeHead(404).end('<Error><Code>NoSuchBucket</Code></Error>')
  })
  server.listen(0, 'localhost')
  await new Promise((resolve) => server.on('listening', resolve))
  const { port } = server.address() as AddressInfo
  const open = (caFile?: string) =>
    openUpstreamStore({
      ...{ clock: systemClock, random: systemRandom, node: 'main', caFile },
      ...{ directory: newObjectsFolder(context), endpoint: `https://localhost:${port}` },
      ...{ region: 'r', bucket: 'bodies', accessKeyId: 'A', secretAccessKey: Buffer.from('s') },
    })
  await assert.rejects(open(), /: it does not answer: .*certificate/)
  assert.deepEqual(requests, [])
  await assert.rejects(open(join(folder, 'localhost.pem')), /: the bucket does not exist/)
  assert.deepEqual(requests, ['GET /bodies/kagiban-objects'])
  server.closeAllConnections()
  server.close()
})
