import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { decryptOaep } from '../asymmetric/oaep.ts'
import type { WrappingAlgorithm } from '../key-specs.ts'
import { wrapForImport, wrapPadded } from '../testing/importing.ts'
import { bytes, wycheproof } from '../testing/wycheproof.ts'
import { unwrapMaterial, unwrapPadded } from './unwrap-material.ts'

/** Undefined if it is refused as it should be. */
async function unlessRefused(unwrap: () => Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await unwrap()
  } catch (error) {
    assert.ok(error instanceof ServiceError && error.code === 'invalid-ciphertext')
    return undefined
  }
}

const padded = (key: Buffer, wrapped: Buffer) =>
  unlessRefused(async () => unwrapPadded(key, wrapped))

const unwrapped = (algorithm: WrappingAlgorithm, key: KeyObject, encrypted: Buffer) =>
  unlessRefused(() =>
    unwrapMaterial(
      algorithm,
      {
        modulusBytes: (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8,
        open: async (oaep, ciphertext) => decryptOaep(key, oaep, ciphertext),
      },
      encrypted,
    ),
  )

test('AES key wrap with padding as Wycheproof has it', async (t) => {
  const counts = { valid: 0, acceptable: 0, invalid: 0, invalidAccepted: 0 }
  for (const { tests } of wycheproof('aes_kwp_test.json')) {
    for (const { tcId, comment, key, msg, ct, result } of tests) {
      const opened = await padded(bytes(key), bytes(ct))
      counts[result] += 1
      if (result === 'valid') assert.deepEqual(opened, bytes(msg), `${tcId} ${comment}`)
      else if (opened !== undefined) counts.invalidAccepted += 1
    }
  }
  t.diagnostic(`aes_kwp_test.json: ${JSON.stringify(counts)}`)
  assert.deepEqual(counts, { valid: 77, acceptable: 0, invalid: 177, invalidAccepted: 0 })
})

test('AES key wrap without padding (RFC 3394) is another algorithm, and none of it unwraps', async (t) => {
  const counts = { cases: 0, accepted: 0 }
  for (const { tests } of wycheproof('aes_wrap_test.json')) {
    for (const { key, ct } of tests) {
      counts.cases += 1
      if ((await padded(bytes(key), bytes(ct))) !== undefined) counts.accepted += 1
    }
  }
  t.diagnostic(`aes_wrap_test.json: ${JSON.stringify(counts)}`)
  assert.deepEqual(counts, { cases: 165, accepted: 0 })
})

const oaepFiles = [
  ['rsa_oaep_2048_sha1_mgf1sha1_test.json', 'RSAES_OAEP_SHA_1'],
  ['rsa_oaep_2048_sha256_mgf1sha256_test.json', 'RSAES_OAEP_SHA_256'],
  ['rsa_oaep_3072_sha256_mgf1sha256_test.json', 'RSAES_OAEP_SHA_256'],
  ['rsa_oaep_4096_sha256_mgf1sha256_test.json', 'RSAES_OAEP_SHA_256'],
] as const

for (const [file, algorithm] of oaepFiles) {
  test(`${algorithm} as ${file} has it; with a label nothing opens`, async (t) => {
    const counts = { valid: 0, invalid: 0, labelled: 0, invalidAccepted: 0, labelledAccepted: 0 }
    for (const { privateKeyPkcs8, tests } of wycheproof(file)) {
      const key = createPrivateKey({ key: bytes(privateKeyPkcs8), format: 'der', type: 'pkcs8' })
      for (const { tcId, comment, msg, ct, label, result } of tests) {
        const opened = await unwrapped(algorithm, key, bytes(ct))
        const kind = result === 'valid' && label ? 'labelled' : result
        if (kind === 'acceptable') throw new RangeError(`case ${tcId} is neither`)
        counts[kind] += 1
        if (kind === 'valid') assert.deepEqual(opened, bytes(msg), `${tcId} ${comment}`)
        else if (opened !== undefined) counts[`${kind}Accepted`] += 1
      }
    }
    t.diagnostic(`${file}: ${JSON.stringify(counts)}`)
    const { valid, invalid, invalidAccepted, labelledAccepted } = counts
    assert.deepEqual({ valid, invalid }, { valid: 10, invalid: 19 })
    assert.deepEqual(
      { invalidAccepted, labelledAccepted },
      { invalidAccepted: 0, labelledAccepted: 0 },
    )
  })
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const spki = publicKey.export({ format: 'der', type: 'spki' })

test('an AES key of any of its three sizes carries material of any size', async () => {
  for (const size of [16, 24, 32]) {
    for (const length of [1, 8, 9, 32, 121, 1217, 2375]) {
      const material = randomBytes(length)
      const wrapped = wrapForImport('RSA_AES_KEY_WRAP_SHA_256', spki, material, randomBytes(size))
      const opened = await unwrapped('RSA_AES_KEY_WRAP_SHA_256', privateKey, wrapped)
      assert.deepEqual(opened, material, `${size} ${length}`)
    }
  }
})

test('an algorithm opens what was wrapped by itself only', async () => {
  const material = randomBytes(32)
  const algorithms = [
    ...(['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const),
    ...(['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const),
  ]
  for (const wrapping of algorithms) {
    const wrapped = wrapForImport(wrapping, spki, material)
    for (const unwrapping of algorithms) {
      const opened = await unwrapped(unwrapping, privateKey, wrapped)
      const expected = unwrapping === wrapping ? material : undefined
      assert.deepEqual(opened, expected, `${wrapping} as ${unwrapping}`)
    }
  }
})

test('what is cut short, longer, altered or under a key that is none does not unwrap', async () => {
  const wrapped = wrapForImport('RSA_AES_KEY_WRAP_SHA_1', spki, randomBytes(32))
  const open = (encrypted: Buffer) => unwrapped('RSA_AES_KEY_WRAP_SHA_1', privateKey, encrypted)
  assert.notEqual(await open(wrapped), undefined)
  for (const length of [0, 1, 255, 256, 264, 272, 288, 295]) {
    assert.equal(await open(wrapped.subarray(0, length)), undefined, `${length} bytes`)
  }
  assert.equal(await open(Buffer.concat([wrapped, Buffer.alloc(8)])), undefined)
  for (let byte = 0; byte < wrapped.length; byte++) {
    const altered = Buffer.from(wrapped)
    altered[byte] = (altered[byte] ?? 0) ^ 0x10
    assert.equal(await open(altered), undefined, `byte ${byte}`)
  }
  for (const size of [1, 15, 31, 33, 64]) {
    const oaep = wrapForImport('RSAES_OAEP_SHA_1', spki, Buffer.alloc(size))
    const under = Buffer.concat([oaep, wrapPadded(Buffer.alloc(32), randomBytes(32))])
    assert.equal(await open(under), undefined, `a key of ${size} bytes`)
  }
})

test('a key of another pair opens nothing', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const wrapped = wrapForImport('RSAES_OAEP_SHA_256', spki, randomBytes(32))
  assert.equal(await unwrapped('RSAES_OAEP_SHA_256', other.privateKey, wrapped), undefined)
})

test('a ciphertext is as long as the modulus, also if its first byte is zero', async () => {
  const material = randomBytes(32)
  let wrapped = wrapForImport('RSAES_OAEP_SHA_256', spki, material)
  while (wrapped[0] !== 0) wrapped = wrapForImport('RSAES_OAEP_SHA_256', spki, material)
  const shorter = wrapped.subarray(1)
  const longer = Buffer.concat([Buffer.of(0), wrapped])
  assert.deepEqual(await unwrapped('RSAES_OAEP_SHA_256', privateKey, wrapped), material)
  assert.equal(await unwrapped('RSAES_OAEP_SHA_256', privateKey, shorter), undefined)
  assert.equal(await unwrapped('RSAES_OAEP_SHA_256', privateKey, longer), undefined)
})
