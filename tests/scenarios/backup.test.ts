import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { auditExport, kagibanOk } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'

const Plaintext = Buffer.from('plaintext').toString('base64')

let server: TestServer
let folder: string

before(async () => {
  folder = temporaryFolder()
  server = await TestServer.start()
})
after(async () => {
  await server.discard()
  rmSync(folder, { recursive: true, force: true })
})

async function call(over: TestServer, operation: string, input: object) {
  const client = new JsonClient(over.endpoint, over.credentials)
  const answer = present(await client.call(operation, input))
  client.close()
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body as Record<string, unknown>
}

function contentOf(file: string) {
  const database = new DatabaseSync(file, { readOnly: true })
  const { json } = database.prepare('SELECT json FROM manifest').get() ?? {}
  const rows = database.prepare('SELECT kind, id, revision, body FROM rows').all()
  database.close()
  const manifest = JSON.parse(String(json)) as {
    records: { main: number }
    files: { path: string; sha256: string }[]
  }
  const digests = new Map(manifest.files.map(({ path, sha256 }) => [path, sha256]))
  return { rows, records: manifest.records.main, digests }
}

test('a backup is the same whether the service runs or is stopped', async () => {
  const { KeyMetadata } = await call(server, 'CreateKey', {})
  const { KeyId } = KeyMetadata as { KeyId: string }
  const { CiphertextBlob } = await call(server, 'Encrypt', { KeyId, Plaintext })
  const [running, stopped] = [join(folder, 'running'), join(folder, 'stopped')]
  await kagibanOk('backup', running, '--data', server.data)
  await server.stop()
  await kagibanOk('backup', stopped, '--data', server.data)

  const [one, other] = [contentOf(running), contentOf(stopped)]
  assert.deepEqual(other.rows, one.rows)
  assert.equal(other.records, one.records + 1, 'the second one is recorded, too')
  for (const path of ['hsm/hierarchy.json', 'journal/main/origin']) {
    assert.equal(other.digests.get(path), present(one.digests.get(path)), path)
  }
  const segments = ({ digests }: typeof one) =>
    [...digests.keys()].filter((path) => path.endsWith('.seg'))
  assert.deepEqual(segments(other), segments(one))
  const left = readdirSync(join(server.data, 'run')).filter((name) => name.startsWith('backup'))
  assert.deepEqual(left, [])

  const rootKey = join(server.data, 'hsm', 'root.key')
  for (const file of [running, stopped]) {
    const data = `${file}.data`
    await kagibanOk('restore', file, '--data', data, '--root-key', rootKey)
    const restored = TestServer.over(data, server.credentials)
    try {
      await restored.restart()
      assert.equal((await call(restored, 'Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
      const names = (await auditExport(data)).map(({ eventName }) => eventName)
      const backups = names.filter((name) => name === 'Backup')
      assert.equal(backups.length, file === running ? 1 : 2)
      assert.equal(names.filter((name) => name === 'Restore').length, 1)
    } finally {
      await restored.discard()
    }
  }
})
