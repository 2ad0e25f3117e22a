import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../../src/reports/report.ts'
import { auditExport, kagiban, kagibanOk } from '../support/cli.ts'
import { byteAt, overwrite } from '../support/journal-files.ts'
import { JsonClient } from '../support/json-client.ts'
import { Seeded } from '../support/seeded.ts'
import { TestServer } from '../support/server.ts'

const Plaintext = Buffer.from('text').toString('base64')

/** Encrypts under a key, many calls at once, until it is told to stop. */
async function load(server: TestServer, KeyId: string, over: () => boolean): Promise<void> {
  const worker = async () => {
    const client = new JsonClient(server.endpoint, server.credentials)
    while (!over()) await client.call('Encrypt', { KeyId, Plaintext }).catch(() => undefined)
    client.close()
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

async function reportOf(server: TestServer, ...args: string[]): Promise<Report> {
  return JSON.parse(await kagibanOk('report', ...args, '--json', '--data', server.data)) as Report
}

const uses = ({ rows }: Report) =>
  rows.map((row) =>
    ['operation', 'error', 'total', 'firstEvent', 'lastEvent'].map((name) => row[name]),
  )

describe('reports', () => {
  test('counts of use are those of the record, over kills under load and a new index', async (t) => {
    const random = Seeded.fromEnvironment()
    t.diagnostic(`seed ${random.seed}`)
    const server = await TestServer.start({ segmentBytes: 1024 * 1024 })
    try {
      const client = new JsonClient(server.endpoint, server.credentials)
      const made = await client.call('CreateKey', {})
      client.close()
      assert.ok(made !== undefined)
      const key = (made.body['KeyMetadata'] as { Arn: string }).Arn
      for (let kill = 0; kill < 3; kill += 1) {
        let over = false
        const loaded = load(server, key, () => over)
        await sleep(random.between(200, 600))
        // While the index is catching up.
        const asked = reportOf(server, 'key-use', '--key', key).catch(() => undefined)
        await sleep(random.between(0, 300))
        await server.kill9()
        over = true
        await Promise.all([loaded, asked])
        await server.restart()
      }
      const live = await reportOf(server, 'key-use', '--key', key)
      await server.stop()
      const record = await auditExport(server.data)
      const encrypted = record.filter(({ eventName }) => eventName === 'Encrypt')
      assert.ok(encrypted.length > 50, `only ${encrypted.length} calls`)
      const row = live.rows.find(({ operation }) => operation === 'Encrypt')
      assert.equal(row?.['total'], encrypted.length)
      assert.equal(row?.['firstEvent'], encrypted.at(0)?.eventID)
      assert.equal(row?.['lastEvent'], encrypted.at(-1)?.eventID)
      for (const suffix of ['', '-wal', '-shm']) {
        rmSync(join(server.data, 'index', `main.db${suffix}`), { force: true })
      }
      const anew = await reportOf(server, 'key-use', '--key', key)
      assert.deepEqual(uses(anew), uses(live))
    } finally {
      await server.discard()
    }
  })

  test('of the log is a certificate, and none after a byte was changed', async () => {
    const server = await TestServer.start()
    try {
      await server.stop()
      const whole = await kagiban('report', 'log-integrity', '--json', '--data', server.data)
      assert.equal(whole.code, 0, whole.stderr)
      const certificate = JSON.parse(whole.stdout) as Report
      assert.equal(certificate.summary['result'], 'whole')
      assert.ok(certificate.rows.some(({ journal }) => journal === 'main'))
      for (const row of certificate.rows) {
        assert.deepEqual([row['signed'], row['treeSize']], [row['records'], row['records']])
        assert.equal(Buffer.from(String(row['root']), 'base64').length, 32)
      }
      const csv = await kagibanOk('report', 'log-integrity', '--csv', '--data', server.data)
      assert.match(csv, /^journal,result,origin,/)
      assert.match(csv, /\r\nmain,whole,/)
      const place = { file: join(server.data, 'journal', 'main', '00000001.seg'), offset: 4300 }
      overwrite(place, Buffer.of(byteAt(place) ^ 1))
      const broken = await kagiban('report', 'log-integrity', '--data', server.data)
      assert.equal(broken.code, 1)
      assert.match(broken.stdout, /NOT WHOLE/)
    } finally {
      await server.discard()
    }
  })

  test('as a table and as CSV; what is not understood is said', async () => {
    const server = await TestServer.start()
    try {
      const text = await kagibanOk('report', 'privileged-use', '--data', server.data)
      assert.match(text, /^Who changed policies/)
      assert.match(text, /It cannot see:\n- /)
      const csv = await kagibanOk('report', 'privileged-use', '--csv', '--data', server.data)
      assert.match(
        csv,
        /^time,why,event,principal,account,region,resource,sourceIp,error,eventId\r\n/,
      )
      for (const args of [
        ['nothing'],
        [],
        ['key-use', '--json', '--csv'],
        ['key-use', '--checkpoint', 'x'],
        ['key-use', '--limit', 'many'],
        ['log-integrity', '--region', 'us-east-1'],
      ]) {
        const { code, stdout } = await kagiban('report', ...args, '--data', server.data)
        assert.deepEqual([code, stdout], [2, ''], args.join(' '))
      }
      const unknown = await kagiban('report', 'key-use', '--key', 'alias/x', '--data', server.data)
      assert.equal(unknown.code, 1)
      assert.match(unknown.stderr, /There is no key alias\/x/)
    } finally {
      await server.discard()
    }
  })
})
