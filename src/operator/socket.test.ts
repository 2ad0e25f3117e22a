import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import {
  type Command,
  NotRunning,
  OperatorError,
  sendCommand,
  socketName,
  startOperatorSocket,
} from './socket.ts'

type Commands = Readonly<Record<string, Command>>

async function opened(t: TestContext, commands: Commands) {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-run-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, socketName('main'))
  const logged: string[] = []
  const socket = await startOperatorSocket(path, commands, (line) => logged.push(line))
  t.after(() => socket.close())
  const progress: string[] = []
  const send = (name: string, input: object = {}) =>
    sendCommand(path, name, { ...input }, (text) => progress.push(text))
  return { path, logged, socket, send, progress }
}

const refused = (message: string | RegExp) => ({ name: 'OperatorError', message })

describe('a command', () => {
  test('gets its input, tells its progress and answers its result', async (t) => {
    const { send, progress, logged } = await opened(t, {
      add: async (input, tell) => {
        tell('first\nline')
        tell('second')
        return { sum: Number(input['a']) + Number(input['b']), text: '鍵番 \u2028' }
      },
    })
    assert.deepEqual(await send('add', { a: 1, b: 2 }), { sum: 3, text: '鍵番 \u2028' })
    assert.deepEqual(progress, ['first\nline', 'second'])
    assert.deepEqual(logged, [])
  })

  test('that answers nothing answers nothing', async (t) => {
    const { send } = await opened(t, { rest: async () => undefined })
    assert.equal(await send('rest'), undefined)
  })

  test('that cannot be done says why, after its progress', async (t) => {
    const { send, progress, logged } = await opened(t, {
      fail: async (_, tell) => {
        tell('half')
        throw new OperatorError('Account 1 exists already.')
      },
    })
    await assert.rejects(send('fail'), refused('Account 1 exists already.'))
    assert.deepEqual([progress, logged], [['half'], []])
  })

  test('that fails says so, and why to the log alone', async (t) => {
    const { send, logged } = await opened(t, {
      fail: async () => {
        throw new Error('the secret is hunter2')
      },
    })
    await assert.rejects(send('fail'), refused('The command failed; the service log says why.'))
    assert.match(logged[0] ?? '', /^operator command failed: Error: the secret is hunter2\n/)
  })

  test('that nobody knows is refused, by every name that objects have too', async (t) => {
    const { send } = await opened(t, { status: async () => 1 })
    for (const name of ['nothing', '', 'constructor', 'toString', '__proto__', 'status/']) {
      await assert.rejects(send(name), refused(`This service knows no command '${name}'.`))
    }
    const long = 'x'.repeat(1000)
    await assert.rejects(send(long), refused(`This service knows no command '${'x'.repeat(64)}'.`))
  })

  test('runs beside others', async (t) => {
    const gate = Promise.withResolvers<void>()
    const { send } = await opened(t, {
      wait: () => gate.promise.then(() => 'waited'),
      go: async () => 'gone',
    })
    const waiting = send('wait')
    assert.equal(await send('go'), 'gone')
    gate.resolve()
    assert.equal(await waiting, 'waited')
  })
})

describe('an input', () => {
  test('that is no JSON, or no object, is refused', async (t) => {
    const { path, logged } = await opened(t, { status: async () => 'ran' })
    for (const body of ['', '{', '{"a":1}}', 'null', '1', '"a"', '[]', '\xff']) {
      const answer = await post(path, '/status', body)
      assert.deepEqual(answer, { error: 'The request is no JSON object.' }, body)
    }
    assert.deepEqual(logged, [])
  })

  test('beyond 256 KB is refused, and the refusal arrives', async (t) => {
    const { path, send } = await opened(t, { size: async (input) => String(input['a']).length })
    const fits = 'a'.repeat(256 * 1024 - '{"a":""}'.length)
    assert.equal(await send('size', { a: fits }), fits.length)
    await assert.rejects(send('size', { a: `${fits}a` }), refused('The request is too large.'))
    const body = JSON.stringify({ a: 'a'.repeat(8 * 1024 * 1024) })
    assert.deepEqual(await post(path, '/size', body), { error: 'The request is too large.' })
  })

  test('is taken by POST alone', async (t) => {
    const { path } = await opened(t, { status: async () => 'ran' })
    const answer = await post(path, '/status', '{}', 'GET')
    assert.deepEqual(answer, { error: "This service knows no command 'status'." })
  })
})

describe('the socket', () => {
  test('is its owner’s alone, and replaces what a dead process left', async (t) => {
    const { path, socket } = await opened(t, {})
    assert.equal(statSync(path).mode & 0o777, 0o600)
    await socket.close()
    writeFileSync(path, 'a leftover')
    const again = await startOperatorSocket(path, { a: async () => 1 }, () => {})
    assert.equal(await sendCommand(path, 'a', {}, () => {}), 1)
    await again.close()
    assert.equal(existsSync(path), false)
  })

  test('closes when the commands under way have answered', async (t) => {
    const gate = Promise.withResolvers<void>()
    const { send, socket, path } = await opened(t, { wait: () => gate.promise.then(() => 'done') })
    const waiting = send('wait')
    await new Promise((resolve) => setTimeout(resolve, 50))
    let closed = false
    const closing = socket.close().then(() => {
      closed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(closed, false)
    await assert.rejects(
      sendCommand(path, 'wait', {}, () => {}),
      NotRunning,
    )
    gate.resolve()
    assert.equal(await waiting, 'done')
    await closing
  })

  test('closes whatever somebody has opened and does not use', async (t) => {
    const { path, socket } = await opened(t, { status: async () => 1 })
    const silent = connect(path)
    const half = connect(path)
    half.write('POST /status HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{"a')
    for (const idle of [silent, half]) idle.on('error', () => {})
    await new Promise((resolve) => setTimeout(resolve, 50))
    const timeout = AbortSignal.timeout(5000)
    await Promise.race([
      socket.close(),
      new Promise((_, reject) => {
        timeout.onabort = () => reject(new Error('it did not close'))
      }),
    ])
  })

  test('survives a client that leaves in the middle', async (t) => {
    const gate = Promise.withResolvers<void>()
    const { path, send, logged } = await opened(t, {
      wait: async (_, tell) => {
        tell('begun')
        await gate.promise
        for (let index = 0; index < 100; index += 1) tell('x'.repeat(10_000))
        return 'done'
      },
      status: async () => 'good',
    })
    const client: ClientRequest = request({ socketPath: path, path: '/wait', method: 'POST' })
    client.on('error', () => {})
    const answered = new Promise<IncomingMessage>((resolve) => client.once('response', resolve))
    client.end('{}')
    const answer = await answered
    answer.on('error', () => {})
    client.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
    gate.resolve()
    assert.equal(await send('status'), 'good')
    assert.deepEqual(logged, [])
  })
})

describe('a client', () => {
  test('learns that no service runs', async (t) => {
    const { path, socket, send } = await opened(t, {})
    await socket.close()
    await assert.rejects(send('status'), {
      name: 'NotRunning',
      message: 'The service is not running.',
    })
    // A socket file whose process died.
    const dead = join(path, '..', 'dead.sock')
    const server = createServer().listen(dead)
    await new Promise((resolve) => server.once('listening', resolve))
    const descriptor = join(path, '..', 'copy.sock')
    const { linkSync } = await import('node:fs')
    linkSync(dead, descriptor)
    await new Promise((resolve) => server.close(resolve))
    await assert.rejects(
      sendCommand(descriptor, 'status', {}, () => {}),
      NotRunning,
    )
  })

  test('learns that the service ended before it answered', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'kagiban-run-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    const chunk = '15\r\n{"progress":"begun"}\n\r\n'
    for (const [index, bytes] of [`${head}${chunk}`, `${head}${chunk}0\r\n\r\n`, ''].entries()) {
      const path = join(directory, `${index}.sock`)
      const server = createServer((connection) => {
        connection.once('data', () => connection.end(bytes))
      })
      await new Promise<void>((resolve) => server.listen(path, resolve))
      await assert.rejects(
        sendCommand(path, 'status', {}, () => {}),
        refused('The service ended before it answered.'),
      )
      await new Promise((resolve) => server.close(resolve))
    }
  })
})

function post(path: string, command: string, body: string, method = 'POST'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: command, method }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve(JSON.parse(text)))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end(Buffer.from(body, 'latin1'))
  })
}
