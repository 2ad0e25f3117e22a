import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { signNoble, verifyNoble } from './noble.ts'

test('Ed25519ph as RFC 8032 §7.3 has it', () => {
  const seed = '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42'
  const expected =
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
    '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406'
  const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex')
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const message = Buffer.from('abc')
  const signature = signNoble(privateKey, 'ED25519_PH_SHA_512', message)
  assert.equal(signature.toString('hex'), expected)
  assert.equal(verifyNoble(publicKey, 'ED25519_PH_SHA_512', message, signature), true)
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const bad = [Buffer.alloc(64), signature.subarray(0, 63), Buffer.concat([signature, signature])]
  bad.push(Buffer.concat([signature.subarray(0, 32), plus(signature.subarray(32), order)]))
  for (const each of bad) {
    assert.equal(verifyNoble(publicKey, 'ED25519_PH_SHA_512', message, each), false)
  }
})

test('no copy of the seed is left behind', () => {
  for (const [prefix, algorithm] of [
    ['302e020100300506032b657004220420', 'ED25519_PH_SHA_512'],
    ['3034020100300b06096086480165030403110422', 'ML_DSA_SHAKE_256'],
  ] as const) {
    const seed = randomBytes(32)
    const inner = algorithm === 'ML_DSA_SHAKE_256' ? '8020' : ''
    const pkcs8 = Buffer.concat([Buffer.from(prefix + inner, 'hex'), seed])
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    const made = arraysMadeBy(() => signNoble(privateKey, algorithm, Buffer.alloc(64, 1)))
    assert.ok(made.length > 0)
    const left = made.filter((each) => Buffer.from(each).includes(seed))
    assert.equal(left.length, 0, algorithm)
  }
})

/** Every byte array that is constructed meanwhile. */
function arraysMadeBy(run: () => void): Uint8Array[] {
  const made: Uint8Array[] = []
  const real = globalThis.Uint8Array
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, parameters, newTarget) {
      const array: Uint8Array = Reflect.construct(target, parameters, newTarget)
      made.push(array)
      return array
    },
  })
  try {
    run()
  } finally {
    globalThis.Uint8Array = real
  }
  return made
}

/** A little-endian number and another. */
function plus(bytes: Buffer, number: bigint): Buffer {
  const sum = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) + number
  return Buffer.from(sum.toString(16).padStart(64, '0'), 'hex').reverse()
}
