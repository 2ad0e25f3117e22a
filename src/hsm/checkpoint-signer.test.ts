import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { checkpointText, parseCheckpoint } from '../journal/checkpoint.ts'
import { openJournal } from '../journal/journal.ts'
import {
  signatureLine,
  signatureTypes,
  timestamped,
  verifierKey,
  verifyLine,
} from '../journal/note-keys.ts'
import { CheckpointSigner } from './checkpoint-signer.ts'
import { parseCheckpointText } from './checkpoint-text.ts'
import { failure, newCore, temporaryDirectory } from './testing/fixtures.ts'

const uuid = '00000000-0000-4000-8000-000000000000'
const origin = `kagiban/main/${uuid}`
/** A root, as the journal keeps them: 32 bytes as latin1. */
const root = (byte: number) => String.fromCharCode(byte).repeat(32)
const text = (size: number, byte = size, of = origin) =>
  Buffer.from(checkpointText(of, size, root(byte)))
const newSigner = () => new CheckpointSigner(Buffer.alloc(32, 7))
const refused = failure('internal')

test('what the journal writes is what the core reads', () => {
  for (const node of ['main', 'n', 'a-b-2', 'Node_1.x']) {
    for (const size of [0, 1, 12_345, Number.MAX_SAFE_INTEGER]) {
      const of = `kagiban/${node}/${uuid}`
      assert.deepEqual(parseCheckpointText(text(size, 255, of)), {
        origin: of,
        size,
        root: Buffer.from(root(255), 'latin1').toString('base64'),
      })
    }
  }
})

test('a journal gets its checkpoints signed by a core', async (t) => {
  const hsm = newCore(t)
  const journal = await openJournal({
    directory: `${temporaryDirectory(t)}/main`,
    node: 'main',
    segmentBytes: 64 * 1024,
    publicKey: await hsm.checkpointPublicKey(),
    sign: (message) => hsm.signCheckpoint(message),
    clock: { now: () => 0 },
    random: { bytes: (count) => Buffer.alloc(count), uuid: () => uuid },
  })
  await journal.append('{"eventID":"1"}')
  await journal.append('{"eventID":"2"}')
  await journal.close()
  assert.equal(journal.status().checkpointSize, 2)
})

describe('nothing but the text of a checkpoint is signed', () => {
  const good = text(12).toString()
  const [, , base64 = ''] = good.split('\n')
  const bad: Readonly<Record<string, string>> = {
    'no text': '',
    'any message': 'message',
    'no line feed at the end': good.slice(0, -1),
    'another line': `${good}extension\n`,
    'a blank line': `${good}\n`,
    'bytes before it': `\n${good}`,
    'another origin': good.replace('kagiban/', 'other/'),
    'an origin without a node': `kagiban/${uuid}\n12\n${base64}\n`,
    'an origin without its UUID': `kagiban/main\n12\n${base64}\n`,
    'an upper-case UUID': good.replace(uuid, uuid.replace('4', 'A')),
    'a node with a slash': good.replace('main', 'ma/in'),
    'a size with a sign': good.replace('\n12\n', '\n+12\n'),
    'a size with a leading zero': good.replace('\n12\n', '\n012\n'),
    'a size that is no integer': good.replace('\n12\n', '\n1.2\n'),
    'a size beyond what is exact': good.replace('\n12\n', '\n9007199254740993\n'),
    'a root of 31 bytes': good.replace(base64, Buffer.alloc(31).toString('base64')),
    'a root of 33 bytes': good.replace(base64, Buffer.alloc(33).toString('base64')),
    'a root with other bits at its end': good.replace(base64, `${'A'.repeat(42)}B=`),
    'a carriage return': good.replaceAll('\n', '\r\n'),
    'a text without end': `${good}${'x'.repeat(100_000)}`,
  }
  for (const [what, message] of Object.entries(bad)) {
    test(what, () => {
      assert.throws(() => newSigner().sign(Buffer.from(message)), refused)
    })
  }

  test('nor bytes that are no ASCII', () => {
    const message = text(12)
    message.writeUInt8(0xff, 9)
    assert.throws(() => newSigner().sign(message), refused)
  })
})

describe('no checkpoint contradicts one that was signed before', () => {
  test('not with fewer records', () => {
    const signer = newSigner()
    signer.sign(text(10))
    assert.throws(() => signer.sign(text(9)), refused)
    signer.sign(text(11))
    assert.throws(() => signer.sign(text(10)), refused)
  })

  test('not with another root for as many', () => {
    const signer = newSigner()
    const first = signer.sign(text(10, 1))
    assert.throws(() => signer.sign(text(10, 2)), refused)
    assert.deepEqual(signer.sign(text(10, 1)), first, 'the same may be asked for again')
  })

  test('each journal has its own', () => {
    const signer = newSigner()
    signer.sign(text(10))
    const other = text(3, 3, origin.replace('main', 'second'))
    const signature = signer.sign(other)
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), signer.publicKey()])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    assert.ok(verify(null, other, publicKey, signature))
  })

  test('there can be many journals, and none is forgotten for another', () => {
    const signer = newSigner()
    const of = (index: number) => origin.replace('main', `node-${index}`)
    for (let index = 0; index < 64; index += 1) signer.sign(text(10, 1, of(index)))
    assert.throws(() => signer.sign(text(10, 1, of(64))), refused)
    assert.throws(() => signer.sign(text(9, 1, of(0))), refused)
    signer.sign(text(11, 1, of(0)))
  })
})

describe('the ML-DSA signature of a checkpoint', () => {
  const key = verifierKey(origin, signatureTypes.mlDsa44, newSigner().mlDsaPublicKey())
  const verified = (message: Buffer, signature: Buffer) => {
    const checkpoint = parseCheckpoint(
      `${message}\n${signatureLine(key, timestamped(0, signature))}`,
    )
    assert.ok(typeof checkpoint !== 'string')
    return checkpoint.signatures.map((line) => verifyLine(checkpoint, line, key))
  }

  test('verifies as the note of a cosigner with the name of the origin', () => {
    const signer = newSigner()
    const signature = signer.cosign(text(12), signer.sign(text(12)))
    assert.equal(signature.length, 2420)
    assert.deepEqual(verified(text(12), signature), [true])
    assert.deepEqual(verified(text(12, 13), signature), [false])
    assert.deepEqual(verified(text(13, 12), signature), [false])
    assert.deepEqual(verified(text(12, 12, `${origin.slice(0, -1)}1`), signature), [false])
  })

  test('says nothing that the Ed25519 key has not said', () => {
    const signer = newSigner()
    const signature = signer.sign(text(12))
    const other = new CheckpointSigner(Buffer.alloc(32, 8))
    assert.throws(() => signer.cosign(text(12, 13), signature), refused)
    assert.throws(() => signer.cosign(text(12), other.sign(text(12))), refused)
    assert.throws(() => signer.cosign(text(12), Buffer.alloc(0)), refused)
    assert.throws(() => signer.cosign(Buffer.from('message'), signature), refused)
  })

  test('never goes back, also when another process had the other history signed', () => {
    const signer = newSigner()
    const twin = newSigner()
    signer.cosign(text(12), signer.sign(text(12)))
    assert.throws(() => signer.cosign(text(12, 13), twin.sign(text(12, 13))), refused)
    assert.throws(() => signer.cosign(text(11), newSigner().sign(text(11))), refused)
    // What was signed first may be asked for again, and later ones follow.
    signer.cosign(text(12), signer.sign(text(12)))
    signer.cosign(text(13), signer.sign(text(13)))
  })

  test('comes through the core, by a key that stays', async (t) => {
    const hsm = newCore(t)
    const signature = await hsm.cosignCheckpoint(text(5), await hsm.signCheckpoint(text(5)))
    const raw = await hsm.checkpointMlDsaPublicKey()
    const core = verifierKey(origin, signatureTypes.mlDsa44, raw)
    const checkpoint = parseCheckpoint(
      `${text(5)}\n${signatureLine(core, timestamped(0, signature))}`,
    )
    assert.ok(typeof checkpoint !== 'string')
    assert.deepEqual(
      checkpoint.signatures.map((line) => verifyLine(checkpoint, line, core)),
      [true],
    )
    await assert.rejects(hsm.cosignCheckpoint(text(5), Buffer.alloc(64)), refused)
    assert.notDeepEqual(newSigner().mlDsaPublicKey(), raw)
  })
})
