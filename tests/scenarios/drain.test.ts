import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExport } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { checkpointSize, entriesIn } from '../support/journal-files.ts'
import { JsonClient } from '../support/json-client.ts'
import { RawConnection } from '../support/raw-http.ts'
import { TestServer } from '../support/server.ts'

test('SIGTERM under load: what was begun is answered, nothing else is done, and the record is sealed', async (t) => {
  const server = await TestServer.start()
  const answered = new Set<string>()
  const setup = new JsonClient(server.endpoint, server.credentials)
  const created = present(await setup.call('CreateKey', {}))
  answered.add(created.requestId)
  setup.close()
  const { KeyId } = created.body['KeyMetadata'] as { KeyId: string }
  try {
    let begun = 0
    const load = Array.from({ length: 32 }, async (_, n) => {
      const client = new JsonClient(server.endpoint, server.credentials)
      for (let alive = true; alive; ) {
        begun++
        const answer =
          n % 4 === 0
            ? await client.call('UpdateKeyDescription', { KeyId, Description: String(begun) })
            : await client.call('Encrypt', { KeyId, Plaintext: 'AAAA' })
        alive = answer !== undefined
        if (answer === undefined) break
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        answered.add(answer.requestId)
      }
      client.close()
    })
    await sleep(700)
    const exit = await server.stop()
    await Promise.all(load)
    assert.deepEqual(exit, { code: 0, signal: null })
    const covered = checkpointSize(server.data)
    const events = await auditExport(server.data)
    assert.equal(covered, entriesIn(server.data), 'the last checkpoint covers every record')
    const recorded = new Set(
      events.flatMap(({ requestID }) => (requestID === undefined ? [] : [requestID])),
    )
    // What is recorded was done; whoever asked for it got the answer. And nobody got an answer without a record.
    assert.ok(answered.size > 100, `only ${answered.size} answers`)
    assert.deepEqual(recorded.symmetricDifference(answered), new Set())
    t.diagnostic(`${answered.size} answers, ${begun - answered.size + 1} requests not begun`)
  } finally {
    await server.discard()
  }
})

test('SIGTERM with idle and half-sent connections open ends soon, with exit code 0', async () => {
  const server = await TestServer.start()
  try {
    const idle = await RawConnection.open(server.endpoint)
    const half = await RawConnection.open(server.endpoint)
    half.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-le')
    await sleep(50)
    const begun = performance.now()
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    assert.ok(performance.now() - begun < 30_000)
    idle.close()
    half.close()
  } finally {
    await server.discard()
  }
})

test('SIGTERM to a server that nobody called ends with exit code 0, and it starts again', async () => {
  const server = await TestServer.start()
  try {
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    await server.restart()
    const response = await fetch(`${server.endpoint}/health`)
    assert.equal(response.status, 200)
    await response.arrayBuffer()
  } finally {
    await server.discard()
  }
})
