import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, hash } from 'node:crypto'
import { test } from 'node:test'
import type { AccountId } from '../../base/ids.ts'
import { account, failure, otherAccount } from '../testing/fixtures.ts'
import { verifyDigest } from './over-digest.ts'
import { ownBytes, Threads } from './threads.ts'

const entry = new URL('./crypto-thread.ts', import.meta.url)
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const algorithm = 'ECDSA_SHA_256'

function signing(text: string) {
  const digest = hash('sha256', text, 'buffer')
  return {
    digest,
    task: { kind: 'sign', key: privateKey, algorithm, message: ownBytes(digest) } as const,
  }
}

test('tasks wait for a thread in order, and those beyond the bound are refused', async () => {
  const threads = new Threads(entry, { atMost: 1, waitingMax: 4 })
  const all = ['a', 'b', 'c', 'd'].map(signing)
  const [first, second, third, fourth] = all.map(({ task }) => threads.run(account, task))
  await assert.rejects(fourth ?? Promise.resolve(), failure('throttled'))
  const signatures = await Promise.all([first, second, third])
  for (const [at, signature] of signatures.entries()) {
    const digest = all[at]?.digest ?? Buffer.alloc(0)
    assert.ok(Buffer.isBuffer(signature))
    assert.equal(verifyDigest(publicKey, algorithm, digest, signature), true)
  }
})

test('an account that fills its places leaves another its own, and its turn', async () => {
  const threads = new Threads(entry, { atMost: 1, waitingMax: 4 })
  const done: string[] = []
  const run = (owner: AccountId, name: string) =>
    threads.run(owner, signing(name).task).then(() => done.push(name))
  const own = ['a', 'b', 'c'].map((name) => run(account, name))
  await assert.rejects(run(account, 'd'), failure('throttled'))
  await Promise.all([...own, run(otherAccount, 'other')])
  assert.deepEqual(done, ['a', 'b', 'other', 'c'])
})

test('what a task throws is its failure, and the thread goes on', async () => {
  const threads = new Threads(entry, { atMost: 1, waitingMax: 2 })
  const short = { kind: 'sign', key: privateKey, algorithm, message: ownBytes(Buffer.alloc(5)) }
  await assert.rejects(threads.run(account, short as never), failure('internal'))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const message = ownBytes(Buffer.alloc(256))
  const opening = { kind: 'decrypt', key: rsa, algorithm: 'RSAES_OAEP_SHA_256', message } as const
  await assert.rejects(threads.run(account, opening), failure('invalid-ciphertext'))
  assert.ok(Buffer.isBuffer(await threads.run(account, signing('a').task)))
})

/** Ends when it is told to. */
const ending = new URL(
  `data:text/javascript,${encodeURIComponent(
    `import { parentPort } from 'node:worker_threads'
     parentPort.on('message', ({ algorithm }) => {
       if (algorithm === 'end') process.exit(1)
       parentPort.postMessage({ result: true })
     })`,
  )}`,
)

test('a thread that ends fails its task alone', async () => {
  const threads = new Threads(ending, { atMost: 1, waitingMax: 2 })
  const task = (name: string) => ({ ...signing('a').task, algorithm: name }) as never
  const [failed, next] = [threads.run(account, task('end')), threads.run(account, task('go on'))]
  await assert.rejects(failed, failure('internal'))
  assert.equal(await next, true)
})

test('a thread that ends after all were started ends the process', () => {
  const script = `
    import { Threads } from ${JSON.stringify(new URL('./threads.ts', import.meta.url).href)}
    const threads = new Threads(new URL(${JSON.stringify(ending.href)}), { atMost: 2, waitingMax: 2 })
    threads.startAll()
    process.on('uncaughtException', (error) => process.exit(error.code === 'internal' ? 42 : 1))
    console.log(await threads.run('111122223333', { algorithm: 'go on', message: new Uint8Array(1) }))
    await threads.run('111122223333', { algorithm: 'end', message: new Uint8Array(1) })
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script])
  assert.equal(String(child.stdout), 'true\n')
  assert.equal(child.status, 42, String(child.stderr))
})
