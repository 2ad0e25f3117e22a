import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import { HsmClient } from '../client.ts'
import { Core } from '../core.ts'
import { joinCore } from '../in-process.ts'
import type { KeySpec } from '../key-specs.ts'
import { keyName, otherRegion, region, temporaryDirectory } from '../testing/fixtures.ts'
import { sampleMaterial, wrapForImport } from '../testing/importing.ts'

/** A client of a core, everything that the core says to it, and everything that it logs. */
function watched(t: TestContext) {
  const directory = temporaryDirectory(t)
  const core = new Core({ directory, passphrase: undefined, clock: systemClock })
  const heard: Buffer[] = []
  const lines: string[] = []
  const stream = joinCore(core, (line) => lines.push(line))
  // Before the client, which overwrites what it has read.
  stream.on('data', (chunk: Buffer) => heard.push(Buffer.from(chunk)))
  const hsm = new HsmClient()
  hsm.attach(stream)
  t.after(() => hsm.close())
  return { hsm, heard, lines }
}

/** Pieces of it, long enough not to be there by chance. A public key stands in a private key, and is no secret. */
function piecesOf(material: Buffer, publicKey: Buffer | undefined): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at + 12 <= material.length; at += 4) {
    const piece = material.subarray(at, at + 12)
    if (publicKey?.includes(piece) !== true) pieces.push(piece)
  }
  return pieces
}

/** The beginning of PKCS #8 is the same for every key of a kind, and stands in SPKI in another place. */
const headBytes = 40

test('imported material is in no answer, no failure and no line of the log', async (t) => {
  const { hsm, heard, lines } = watched(t)
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const validTo = systemClock.now() + 1000 * 60
  const wrapping = { algorithm: 'RSA_AES_KEY_WRAP_SHA_256', spec: 'RSA_2048', validTo } as const
  const oaep = { ...wrapping, algorithm: 'RSAES_OAEP_SHA_256' } as const
  const pairs = [
    { ...(await hsm.importParameters(keyName(), wrapping)), algorithm: wrapping.algorithm },
    { ...(await hsm.importParameters(keyName(), oaep)), algorithm: oaep.algorithm },
  ]
  const specs = ['SYMMETRIC_DEFAULT', 'HMAC_512', 'RSA_2048', 'ECC_NIST_P256'] as const
  const failures: string[] = []
  const secrets: Buffer[] = []
  let imported = 0
  for (const spec of specs) {
    const bytes = sampleMaterial(spec)
    for (const { algorithm, publicKey: wrappingKey, token } of pairs) {
      if (spec === 'RSA_2048' && algorithm === oaep.algorithm) continue
      const encrypted = wrapForImport(algorithm, wrappingKey, bytes)
      const targets: KeySpec[] = [...specs, 'HMAC_224', 'ECC_NIST_P384', 'ML_DSA_44']
      for (const target of targets) {
        try {
          const wrapped = { token, encrypted }
          const { material, publicKey } = await hsm.importMaterial(keyName(), target, wrapped)
          await hsm.replicate(material, otherRegion)
          await hsm.rewrap(material)
          const head = spec === 'SYMMETRIC_DEFAULT' || spec === 'HMAC_512' ? 0 : headBytes
          secrets.push(...piecesOf(bytes.subarray(head), publicKey))
          imported += 1
        } catch (error) {
          failures.push(inspect(error, { depth: 10, showHidden: true }))
        }
      }
    }
  }
  assert.ok(imported >= 5 && failures.length >= 20, `${imported} ${failures.length}`)
  assert.ok(secrets.length > 100)
  const said = Buffer.concat([...heard, Buffer.from([...lines, ...failures].join('\n'))])
  assert.ok(said.length > 5000)
  for (const secret of secrets) {
    for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const) {
      assert.equal(said.includes(Buffer.from(secret.toString(form), 'latin1')), false, form)
    }
  }
})

test('the same search finds what is there', () => {
  const bytes = randomBytes(64)
  const said = Buffer.concat([randomBytes(100), bytes.subarray(8, 40), randomBytes(100)])
  assert.ok(piecesOf(bytes, undefined).some((piece) => said.includes(piece)))
})
