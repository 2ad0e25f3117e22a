import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { checkpointText, parseCheckpoint, parseSignatureLines } from '../journal/checkpoint.ts'
import { JournalInUse } from '../journal/lock.ts'
import {
  parseVkey,
  signatureLine,
  signatureTypes,
  timestamped,
  verifierKey,
  verifyLine,
  vkeyText,
} from '../journal/note-keys.ts'
import { consistencyProof, rootOf } from '../journal/proofs.ts'
import { type TileRows, TileTree } from '../journal/tiles/tile-tree.ts'
import { addCheckpointBody } from './request.ts'
import { originDigest, WitnessState } from './state.ts'
import { Witness } from './witness.ts'

const origin = 'example.com/log'
const clock = { now: () => 1_700_000_000_000 }

/** A log that signs whatever it is told. */
class Log {
  readonly #pair = generateKeyPairSync('ed25519')
  readonly key
  readonly tree: TileTree

  constructor(name = origin, forkAt = Number.POSITIVE_INFINITY) {
    const spki = this.#pair.publicKey.export({ format: 'der', type: 'spki' })
    this.key = verifierKey(name, signatureTypes.ed25519, spki.subarray(-32))
    const rows = new Map<string, Buffer>()
    const kept: TileRows = {
      get: (level, number) => rows.get(`${level}/${number}`),
      put: (level, number, bytes) => void rows.set(`${level}/${number}`, Buffer.from(bytes)),
    }
    this.tree = new TileTree(kept, 0)
    for (let index = 0; index < 600; index += 1) {
      this.tree.append(Buffer.alloc(33, index < forkAt ? index % 256 : 255 - (index % 256)))
    }
  }

  root(size: number): string {
    return rootOf(this.tree.subtrees, size)
  }

  note(size: number, of: Log = this): string {
    const text = checkpointText(this.key.name, size, of.root(size))
    return `${text}\n${signatureLine(this.key, sign(null, Buffer.from(text), this.#pair.privateKey))}`
  }

  body(old: number, size: number, of: Log = this): Buffer {
    const proof = consistencyProof(of.tree.subtrees, Math.min(old, size), size)
    return Buffer.from(addCheckpointBody(old, proof, this.note(size, of)))
  }
}

const log = new Log()
/** The same signer over another history from entry 100 on. */
const fork = new Log(origin, 100)

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-witness-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function witnessIn(t: TestContext, folder = folderOf(t)) {
  const state = new WitnessState(folder, 'witness.example')
  t.after(() => state.close())
  const reports: string[] = []
  const witness = new Witness(state, [log.key], { clock, log: (line) => reports.push(line) })
  return { state, witness, reports }
}

function answered(witness: Witness, body: Buffer) {
  const { status, type, body: text } = witness.add(body)
  return { status, type, text }
}

describe('a witness', () => {
  test('cosigns what goes on from what it cosigned, and says when', (t) => {
    const { witness, state } = witnessIn(t)
    let old = 0
    for (const size of [1, 1, 2, 100, 255, 256, 257, 599]) {
      const { status, text } = answered(witness, log.body(old, size))
      assert.equal(status, 200, text)
      const checkpoint = parseCheckpoint(log.note(size) + text)
      assert.ok(typeof checkpoint !== 'string')
      const line = checkpoint.signatures.at(-1)
      assert.ok(line !== undefined && verifyLine(checkpoint, line, state.key))
      assert.equal(line.signature.readBigUInt64BE(), 1_700_000_000n)
      const other = parseCheckpoint(log.note(size === 1 ? 2 : 1) + text)
      assert.ok(typeof other !== 'string' && !verifyLine(other, line, state.key))
      old = size
    }
    assert.equal(witness.latest(originDigest(origin)).status, 200)
    assert.equal(witness.latest(originDigest('another')).status, 404)
  })

  test('tells how far it is to whoever does not know', (t) => {
    const { witness } = witnessIn(t)
    assert.deepEqual(answered(witness, log.body(5, 100)), {
      ...{ status: 409, type: 'text/x.tlog.size', text: '0\n' },
    })
    answered(witness, log.body(0, 100))
    for (const old of [0, 99, 101]) {
      const { status, type, text } = answered(witness, log.body(old, 200))
      assert.deepEqual([status, type, text], [409, 'text/x.tlog.size', '100\n'])
    }
  })

  test('refuses a history that was rewritten, and reports it', (t) => {
    const { witness, reports } = witnessIn(t)
    assert.equal(answered(witness, log.body(0, 200)).status, 200)
    // Whatever of it is proved: the proof of the other history, or of this one.
    assert.equal(answered(witness, log.body(200, 300, fork)).status, 422)
    const stolen = consistencyProof(log.tree.subtrees, 200, 300)
    const body = addCheckpointBody(200, stolen, log.note(300, fork))
    assert.equal(answered(witness, Buffer.from(body)).status, 422)
    assert.deepEqual(answered(witness, log.body(200, 200, fork)), {
      ...{ status: 409, type: 'text/x.tlog.size', text: '200\n' },
    })
    assert.equal(reports.length, 3)
    assert.match(
      reports[0] ?? '',
      /example\.com\/log: a signed checkpoint of size 300 has no proof/,
    )
    // What it cosigned is what it goes on from.
    assert.equal(answered(witness, log.body(200, 300)).status, 200)
  })

  test('refuses to go back', (t) => {
    const { witness } = witnessIn(t)
    answered(witness, log.body(0, 200))
    assert.equal(answered(witness, log.body(0, 100)).text, '200\n')
    assert.equal(answered(witness, log.body(100, 100)).text, '200\n')
    assert.equal(answered(witness, log.body(200, 100)).status, 400)
  })

  test('refuses other keys, and what a known key did not sign', (t) => {
    const { witness } = witnessIn(t)
    const stranger = new Log()
    assert.equal(answered(witness, stranger.body(0, 10)).status, 403)
    assert.equal(answered(witness, new Log('example.com/other').body(0, 10)).status, 404)
    const forged = log.note(10).replace(/ (\S+)\n$/, (_, blob: string) => {
      const bytes = Buffer.from(blob, 'base64')
      bytes[20] = (bytes[20] ?? 0) ^ 1
      return ` ${bytes.toString('base64')}\n`
    })
    assert.equal(answered(witness, Buffer.from(addCheckpointBody(0, [], forged))).status, 403)
    // A valid signature does not excuse a wrong one by the same key.
    const both = log.note(10) + forged.slice(forged.indexOf('\n\n') + 2)
    assert.equal(answered(witness, Buffer.from(addCheckpointBody(0, [], both))).status, 403)
    // Those of unknown keys are looked over.
    const more = log.note(10) + stranger.note(10).slice(stranger.note(10).indexOf('\n\n') + 2)
    assert.equal(answered(witness, Buffer.from(addCheckpointBody(0, [], more))).status, 200)
  })

  test('refuses what is no request', (t) => {
    const { witness } = witnessIn(t)
    const good = log.body(0, 10).toString()
    const hash = `${Buffer.alloc(32).toString('base64')}\n`
    const bad = {
      nothing: '',
      'no old size': good.replace('old 0\n', ''),
      'a leading zero': good.replace('old 0', 'old 00'),
      'a negative size': good.replace('old 0', 'old -1'),
      'no empty line': good.replace('\n\n', '\n'),
      'no hash': good.replace('\n\n', '\nabc\n\n'),
      'a short hash': good.replace('\n\n', `\n${Buffer.alloc(31).toString('base64')}\n\n`),
      'too long a proof': good.replace('\n\n', `\n${hash.repeat(64)}\n`),
      'no signature': good.slice(0, good.lastIndexOf('\n\n') + 2),
      'too many signatures': good + good.slice(good.lastIndexOf('\n\n') + 2).repeat(32),
    }
    for (const [what, body] of Object.entries(bad)) {
      assert.equal(answered(witness, Buffer.from(body)).status, 400, what)
    }
    assert.equal(answered(witness, Buffer.from([0xff, ...log.body(0, 10)])).status, 400)
    const padded = Buffer.from(good.replace('\n\n', `\n${hash}\n`))
    assert.equal(answered(witness, padded).status, 422, 'a proof from nothing is empty')
  })

  test('keeps key, name and what it cosigned over restarts', (t) => {
    const folder = folderOf(t)
    const first = new WitnessState(folder, undefined)
    assert.throws(() => new WitnessState(folder, undefined), JournalInUse)
    new Witness(first, [log.key], { clock, log: () => {} }).add(log.body(0, 300))
    first.close()
    const state = new WitnessState(folder, undefined)
    t.after(() => state.close())
    assert.equal(vkeyText(state.key), vkeyText(first.key))
    const again = new Witness(state, [log.key], { clock, log: () => {} })
    assert.equal(answered(again, log.body(0, 100)).text, '300\n')
    assert.equal(answered(again, log.body(300, 400, fork)).status, 422)
    assert.equal(answered(again, log.body(300, 400)).status, 200)
  })

  test('says nothing once its state is damaged', (t) => {
    const folder = folderOf(t)
    const { state, witness } = witnessIn(t, folder)
    witness.add(log.body(0, 300))
    const [name = ''] = readdirSync(join(folder, 'logs'))
    writeFileSync(join(folder, 'logs', name), 'nothing')
    assert.throws(() => witness.add(log.body(300, 400)), /is not what this witness has written/)
    assert.throws(
      () => new Witness(state, [log.key], { clock, log: () => {} }),
      /is not what this witness has written/,
    )
  })
})

describe('verifier keys', () => {
  test('are read and written in the published form, and verify the published note', () => {
    // The example of Go's package golang.org/x/mod/sumdb/note, which signed-note comes from.
    const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
    const text =
      'If you think cryptography is the answer to your problem,\n' +
      "then you don't know what your problem is.\n"
    const signed =
      '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
    const key = parseVkey(vkey)
    assert.ok(typeof key !== 'string')
    assert.equal(vkeyText(key), vkey)
    const [line] = parseSignatureLines(signed) ?? []
    assert.ok(line !== undefined)
    const note = { origin: '', size: 0, root: '', signatures: [] }
    assert.ok(verifyLine({ ...note, text }, line, key))
    assert.ok(!verifyLine({ ...note, text: text.replace('answer', 'Answer') }, line, key))
  })

  test('of any other form are not', () => {
    const text = vkeyText(log.key)
    const [name = '', id = ''] = text.split('+')
    for (const [bad, why] of [
      ['', /NAME\+ID\+KEY/],
      [text.replace(name, 'example.com/else'), /key id/],
      [text.replace(id, '00000000'), /key id/],
      [`${name}+${id}+AA==`, /type 0/],
      [`${name}+${id}+AQ==`, /0 bytes/],
      [`${text}=`, /NAME\+ID\+KEY/],
      [`a b+${id}+AQ==`, /NAME\+ID\+KEY/],
    ] as const) {
      assert.match(String(parseVkey(bad)), why, bad)
    }
  })

  test('have cosignatures of the published size, with the time where it is published', () => {
    // Of the example in tlog-cosignature, which has no public key.
    const encoded =
      'jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=='
    const blob = Buffer.from(encoded, 'base64')
    const ours = timestamped(1_679_315_147, Buffer.alloc(64))
    assert.equal(blob.length, 4 + ours.length)
    assert.deepEqual(blob.subarray(4, 12), ours.subarray(0, 8))
  })
})
