import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../base/clock.ts'
import { HsmClient } from './client.ts'
import { Core } from './core.ts'
import { Hierarchy } from './hierarchy.ts'
import { joinCore } from './in-process.ts'
import type { Material } from './port.ts'
import { type Child, type ChildOptions, sourceDirectory, startChild } from './testing/child.ts'
import { failure, keyName, newMaterial, region, temporaryDirectory } from './testing/fixtures.ts'

function start(t: TestContext, directory: string, options: ChildOptions = {}): Child {
  const child = startChild(directory, options)
  t.after(() => child.process.kill('SIGKILL'))
  return child
}

function connect(t: TestContext, child: Child): HsmClient {
  const client = new HsmClient()
  client.attach(child.socket)
  t.after(() => client.close())
  return client
}

for (const confined of [true, false]) {
  test(`the core runs ${confined ? 'under' : 'without'} the permission model and ends with its socket`, async (t) => {
    const directory = temporaryDirectory(t)
    const child = start(t, directory, { confined })
    const hsm = connect(t, child)
    await hsm.ensureRegion(region)
    const material = await newMaterial(hsm)
    await hsm.rotateDomainKey(region)
    const current = await hsm.rewrap(material)
    const blob = await hsm.encrypt(material, Buffer.from('plain'), { a: 'b' })
    assert.equal(String(await hsm.decrypt(current, blob, { a: 'b' })), 'plain')
    const large = await hsm.encrypt(material, Buffer.alloc(4096, 'x'), {})
    const many = await Promise.all(
      Array.from({ length: 500 }, () => hsm.decrypt(current, large, {})),
    )
    assert.ok(many.every((each) => each.equals(Buffer.alloc(4096, 'x'))))
    hsm.close()
    assert.equal(await child.ended, 0)
    assert.equal(child.said(), '')
  })
}

test('signals to the whole group do not end it, and none opens a debugger', async (t) => {
  const child = start(t, temporaryDirectory(t))
  const hsm = connect(t, child)
  await hsm.status()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) {
    child.process.kill(signal)
  }
  await delay(200)
  assert.equal(child.said(), '')
  assert.equal((await hsm.random(8)).length, 8)
  hsm.close()
  assert.equal(await child.ended, 0)
})

test('a core killed in mid-stream is followed by another, and every call is answered', async (t) => {
  const directory = temporaryDirectory(t)
  let child = start(t, directory)
  const hsm = connect(t, child)
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const plaintext = randomBytes(2000)
  const blob = await hsm.encrypt(material, plaintext, {})
  for (let kill = 0; kill < 3; kill++) {
    let answered = 0
    const calls = Array.from({ length: 3000 }, () =>
      hsm.decrypt(material, blob, {}).then((opened) => {
        if (++answered === 100 * kill + 1) child.process.kill('SIGKILL')
        return opened
      }),
    )
    assert.equal(await child.ended, 'SIGKILL')
    assert.ok(answered < calls.length, `${answered} were answered before it died`)
    child = start(t, directory)
    hsm.attach(child.socket)
    for (const opened of await Promise.all(calls)) assert.deepEqual(opened, plaintext)
  }
  hsm.close()
  assert.equal(await child.ended, 0)
})

test('changes of the hierarchy survive a kill right after their answer', async (t) => {
  const directory = temporaryDirectory(t)
  let child = start(t, directory)
  const hsm = connect(t, child)
  await hsm.ensureRegion(region)
  const made = await newMaterial(hsm)
  child.process.kill('SIGKILL')
  await child.ended
  child = start(t, directory)
  hsm.attach(child.socket)
  const blob = await hsm.encrypt(made, Buffer.from('plain'), {})
  assert.equal(String(await hsm.decrypt(made, blob, {})), 'plain')
})

test('the confined process has what its threads need', async (t) => {
  const hsm = connect(t, start(t, temporaryDirectory(t)))
  await hsm.ensureRegion(region)
  const message = Buffer.from('a message')
  const modes = [
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'DIGEST', 32],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'DIGEST', 48],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'DIGEST', 64],
    ['ML_DSA_65', 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', 64],
  ] as const
  for (const [spec, algorithm, type, bytes] of modes) {
    const material = await newMaterial(hsm, keyName(), spec)
    const digest = Buffer.alloc(bytes, 7)
    const signature = await hsm.sign(material, algorithm, type, digest)
    assert.equal(await hsm.verify(material, algorithm, type, digest, signature), true, algorithm)
    signature[40] = (signature[40] ?? 0) ^ 1
    assert.equal(await hsm.verify(material, algorithm, type, digest, signature), false, algorithm)
  }
  const rsa = await newMaterial(hsm, keyName(), 'RSA_2048')
  const blob = await hsm.encryptRsa(rsa, 'RSAES_OAEP_SHA_256', message)
  assert.deepEqual(await hsm.decryptRsa(rsa, 'RSAES_OAEP_SHA_256', blob), message)
})

test('the confined process reads and writes nothing but its folder, and reaches nothing', async (t) => {
  const directory = temporaryDirectory(t)
  const outside = temporaryDirectory(t)
  writeFileSync(join(outside, 'secret'), 'outside')
  writeFileSync(join(directory, 'own'), 'inside')
  const script = join(outside, 'probe.mjs')
  const thread = join(outside, 'thread.mjs')
  writeFileSync(
    thread,
    `import fs from 'node:fs'
    import { Worker } from 'node:worker_threads'
    import { serveTasks } from ${JSON.stringify(join(sourceDirectory, 'hsm/asymmetric/serve-tasks.ts'))}
    const outcome = (attempt) => { try { return String(attempt()) } catch (error) { return error.code } }
    serveTasks(() => Buffer.from(JSON.stringify([
      outcome(() => fs.readFileSync(process.argv[2] + '/own')),
      outcome(() => fs.writeFileSync(process.argv[2] + '/made', '')),
      outcome(() => new Worker('', { eval: true, execArgv: [] })),
    ])))`,
  )
  writeFileSync(
    script,
    `import fs from 'node:fs'
    import net from 'node:net'
    const outcome = (attempt) => { try { return String(attempt()) } catch (error) { return error.code } }
    const [child, worker] = [process.getBuiltinModule('child_process'), process.getBuiltinModule('worker_threads')]
    const outside = ${JSON.stringify(outside)}
    const found = {
      own: outcome(() => fs.readFileSync(process.argv[2] + '/own')),
      read: outcome(() => fs.readFileSync(outside + '/secret')),
      climb: outcome(() => fs.readFileSync(process.argv[2] + '/../' + outside.split('/').pop() + '/secret')),
      link: outcome(() => fs.symlinkSync(outside + '/secret', process.argv[2] + '/link')),
      write: outcome(() => fs.writeFileSync(outside + '/made', '')),
      source: outcome(() => fs.writeFileSync(${JSON.stringify(import.meta.filename)} + '.made', '')),
      passwords: outcome(() => fs.readFileSync('/etc/passwd')),
      spawn: outcome(() => child.spawnSync('true').status),
    }
    found.inThread = await new Promise((resolve) => {
      const thread = new worker.Worker(outside + '/thread.mjs', { argv: process.argv.slice(2) })
      thread.once('message', ({ result }) => resolve(JSON.parse(Buffer.from(result))))
      thread.postMessage({ message: new Uint8Array(1) })
    })
    await import(${JSON.stringify(join(sourceDirectory, 'hsm/main.ts'))})
    // A thread with options of its own would have no permission model.
    found.thread = outcome(() => new worker.Worker('', { eval: true, execArgv: [] }))
    const socket = net.connect(1, '127.0.0.1')
    socket.on('error', (error) => {
      fs.writeFileSync(process.argv[2] + '/found', JSON.stringify({ ...found, net: error.code }))
      process.exit()
    })`,
  )
  const child = start(t, directory, { script, readable: [script, thread] })
  assert.equal(await child.ended, 0, child.said())
  const denied = 'ERR_ACCESS_DENIED'
  const found = JSON.parse(readFileSync(join(directory, 'found'), 'utf8'))
  const { own, ...others } = found
  assert.equal(own, 'inside')
  assert.deepEqual(others, {
    read: denied,
    climb: denied,
    link: denied,
    write: denied,
    source: denied,
    passwords: denied,
    spawn: denied,
    inThread: [denied, denied, denied],
    thread: denied,
    net: denied,
  })
})

test('the passphrase comes on descriptor 0, one newline at its end left out', async (t) => {
  const directory = temporaryDirectory(t)
  const first = start(t, directory, { passphrase: 'open sesame\n' })
  const hsm = connect(t, first)
  assert.equal((await hsm.status()).rootDriver, 'passphrase')
  hsm.close()
  await first.ended
  const refusals: [string, string][] = [
    ['open sesame\n\n', 'The passphrase does not open this key hierarchy.'],
    ['Open sesame', 'The passphrase does not open this key hierarchy.'],
    ['', 'This key hierarchy needs the passphrase it was made with, and none was given.'],
    ['\n', 'This key hierarchy needs the passphrase it was made with, and none was given.'],
    ['x'.repeat(4097), 'The passphrase is longer than 4096 bytes.'],
  ]
  for (const [passphrase, said] of refusals) {
    const child = start(t, directory, { passphrase })
    assert.equal(await child.ended, 3)
    assert.equal(child.said(), `key core: ${said}\n`)
  }
  const again = start(t, directory, { passphrase: 'open sesame' })
  assert.equal((await connect(t, again).status()).rootDriver, 'passphrase')
})

test('a folder or a root key that others may read is refused', async (t) => {
  const directory = temporaryDirectory(t)
  const first = start(t, directory)
  const hsm = connect(t, first)
  await hsm.status()
  hsm.close()
  await first.ended
  chmodSync(join(directory, 'root.key'), 0o640)
  const openKey = start(t, directory)
  assert.equal(await openKey.ended, 3)
  assert.match(openKey.said(), /^key core: The root key file lets others .* make it 0600\.\n$/)
  chmodSync(directory, 0o750)
  const openFolder = start(t, directory)
  assert.equal(await openFolder.ended, 3)
  assert.equal(
    openFolder.said(),
    `key core: ${directory} lets others than its owner in (mode 750).\n`,
  )
  const nowhere = start(t, join(directory, 'nowhere'))
  assert.equal(await nowhere.ended, 3)
  assert.equal(nowhere.said(), `key core: ${directory}/nowhere is not a directory.\n`)
})

test('a malformed frame ends the process', async (t) => {
  const child = start(t, temporaryDirectory(t))
  child.socket.resume()
  child.socket.write(Buffer.alloc(4, 0xff))
  assert.equal(await child.ended, 0)
  assert.match(child.said(), /^key core: The connection is ended: ProtocolError at /)
})

test('two processes over one folder find each other’s keys', async (t) => {
  const directory = temporaryDirectory(t)
  const [left, right] = [0, 1].map(() => connect(t, start(t, directory)))
  assert.ok(left && right)
  await Promise.all([left.ensureRegion(region), right.ensureRegion(region)])
  const rotations = Array.from({ length: 10 }, (_, index) =>
    (index % 2 === 0 ? left : right).rotateDomainKey(region),
  )
  const generations = (await Promise.all(rotations)).sort((a, b) => a - b)
  assert.deepEqual(generations, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  const material = await newMaterial(left)
  assert.equal(material.generation, 11)
  const blob = await left.encrypt(material, Buffer.from('plain'), {})
  assert.equal(String(await right.decrypt(material, blob, {})), 'plain')
})

test('nothing that crosses to the client is a key of the hierarchy', async (t) => {
  const directory = temporaryDirectory(t)
  const core = new Core({ directory, passphrase: undefined, clock: systemClock })
  const stream = joinCore(core)
  const crossed: Buffer[] = []
  stream.on('data', (chunk: Buffer) => crossed.push(Buffer.from(chunk)))
  const hsm = new HsmClient()
  hsm.attach(stream)
  t.after(() => hsm.close())
  await hsm.ensureRegion(region)
  const material = await newMaterial(hsm)
  const blob = await hsm.encrypt(material, Buffer.from('the plaintext itself'), {})
  await hsm.decrypt(material, blob, {})
  const algorithm = 'SYMMETRIC_DEFAULT'
  await hsm.reEncrypt(
    { material, algorithm, blob, context: {} },
    { material, algorithm, context: { a: 'b' } },
  )
  await hsm.generateDataKey(material, 32, {})
  const secret = randomBytes(30)
  const sealedSecret = await hsm.sealSecret('AKIAIOSFODNN7EXAMPLE', secret)
  const scope = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', sealedSecret }
  await hsm.signingKey({ ...scope, date: '20150830', region: 'us-east-1', service: 'iam' })
  const root = Buffer.alloc(32, 1).toString('base64')
  const origin = 'kagiban/main/00000000-0000-4000-8000-000000000000'
  await hsm.signCheckpoint(Buffer.from(`${origin}\n1\n${root}\n`))
  await hsm.rewrap(material)
  await hsm.status()
  const pairs = await usedPairs(hsm)
  const seen = Buffer.concat(crossed)
  assert.equal(seen.includes('the plaintext itself'), true)
  const hierarchy = Hierarchy.open(directory, { passphrase: undefined }, systemClock)
  const keys = {
    root: readFileSync(join(directory, 'root.key')),
    material: hierarchy.unwrapMaterial(material),
    secretsKey: hierarchy.secretsKey.export(),
    checkpointKey: hierarchy.checkpointSeed,
    secret,
    ...Object.fromEntries(
      pairs.map((each): [string, Buffer] => [each.keySpec ?? '', privatePart(hierarchy, each)]),
    ),
  }
  for (const [name, key] of Object.entries(keys)) {
    for (const form of [key, key.toString('hex'), key.toString('base64')]) {
      assert.equal(seen.includes(form), false, name)
    }
  }
})

/** One of each kind, all of whose operations were called. */
async function usedPairs(hsm: HsmClient): Promise<Material[]> {
  const message = Buffer.alloc(32, 'm')
  const rsa = await newMaterial(hsm, keyName(), 'RSA_2048')
  await hsm.sign(rsa, 'RSASSA_PSS_SHA_256', 'RAW', message)
  await hsm.sign(rsa, 'RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST', message)
  const sealed = await hsm.encryptRsa(rsa, 'RSAES_OAEP_SHA_256', message)
  await hsm.decryptRsa(rsa, 'RSAES_OAEP_SHA_256', sealed)
  const curve = await hsm.createMaterial(keyName(), 'ECC_NIST_P256')
  await hsm.sign(curve.material, 'ECDSA_SHA_256', 'DIGEST', message)
  await hsm.deriveSharedSecret(curve.material, curve.publicKey ?? message)
  const edwards = await newMaterial(hsm, keyName(), 'ECC_NIST_EDWARDS25519')
  await hsm.sign(edwards, 'ED25519_SHA_512', 'RAW', message)
  const mac = await newMaterial(hsm, keyName(), 'HMAC_256')
  await hsm.generateMac(mac, message)
  const lattice = await newMaterial(hsm, keyName(), 'ML_DSA_44')
  await hsm.sign(lattice, 'ML_DSA_SHAKE_256', 'RAW', message)
  const kem = await newMaterial(hsm, keyName(), 'ML_KEM_512')
  await hsm.decapsulate(kem, (await hsm.encapsulate(kem)).ciphertext)
  const all = [rsa, curve.material, edwards, mac, lattice, kem]
  for (const each of all) await hsm.rewrap(each)
  return all
}

/** What of a material is in no public key. */
function privatePart(hierarchy: Hierarchy, material: Material): Buffer {
  const bytes = hierarchy.unwrapMaterial(material)
  if (!/RSA|ECC_NIST_P/.test(material.keySpec ?? '')) return bytes.subarray(-32)
  const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
  const { d = '' } = key.export({ format: 'jwk' })
  return Buffer.from(d, 'base64url')
}

test('a core that refuses to start answers nobody', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'root.key'), 'too short', { mode: 0o600 })
  const child = start(t, directory)
  const hsm = new HsmClient({ reattachMs: 50 })
  hsm.attach(child.socket)
  t.after(() => hsm.close())
  await assert.rejects(hsm.status(), failure('unavailable'))
  assert.equal(await child.ended, 3)
})
