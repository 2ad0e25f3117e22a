import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  generatePrimeSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { describe, test } from 'node:test'
import { der, readElement, tags, unsignedInteger } from '../asymmetric/der.ts'
import { inverse, toBytes } from '../asymmetric/modular.ts'
import { isAsymmetric, type KeySpec, keySpecs, specRow } from '../key-specs.ts'
import { account, failure } from '../testing/fixtures.ts'
import { pkcs8, sampleMaterial, samplePrivateKey } from '../testing/importing.ts'
import { Turns } from '../turns.ts'
import { type ImportedMaterial, type InTurn, importedMaterial } from './imported-material.ts'

const curves = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1'] as const

const atOnce: InTurn = (check) => check()

/** `bytes` are wiped as soon as the call has returned. */
async function imported(spec: KeySpec, bytes: Buffer): Promise<ImportedMaterial> {
  const sent = Buffer.from(bytes)
  try {
    return importedMaterial(spec, sent, atOnce)
  } finally {
    sent.fill(0)
  }
}

async function refused(spec: KeySpec, bytes: Buffer, what: string): Promise<void> {
  await assert.rejects(imported(spec, bytes), failure('incorrect-key-material'), what)
}

const spkiOf = (key: KeyObject) => createPublicKey(key).export({ format: 'der', type: 'spki' })

describe('secret keys', () => {
  const lengths = {
    SYMMETRIC_DEFAULT: [32, 32],
    HMAC_224: [28, 128],
    HMAC_256: [32, 128],
    HMAC_384: [48, 128],
    HMAC_512: [64, 128],
  } as const
  for (const [name, [least, most]] of Object.entries(lengths)) {
    const spec = keySpecs.find((each) => each === name) ?? 'SYMMETRIC_DEFAULT'
    test(`${spec} has ${least} to ${most} bytes`, async () => {
      for (const length of [least, most]) {
        const bytes = randomBytes(length)
        assert.deepEqual(await imported(spec, bytes), { material: bytes, publicKey: undefined })
      }
      for (const length of [0, 1, least - 1, most + 1, 1024]) {
        await refused(spec, randomBytes(length), `${length} bytes`)
      }
    })
  }
})

describe('private keys', () => {
  const specs = keySpecs.filter(isAsymmetric)
  const keys = new Map<KeySpec, KeyObject>()
  for (const spec of specs) if (specRow(spec).importable) keys.set(spec, samplePrivateKey(spec))

  test('a key is of its own spec and of no other', async () => {
    for (const [made, key] of keys) {
      for (const spec of specs) {
        if (spec !== made) await refused(spec, pkcs8(key), `${made} as ${spec}`)
      }
      const { material, publicKey } = await imported(made, pkcs8(key))
      assert.deepEqual(material, pkcs8(key), made)
      assert.deepEqual(publicKey, spkiOf(key), made)
    }
  })

  test('what is no PKCS #8 is no private key', async () => {
    for (const [spec, key] of keys) {
      const bytes = pkcs8(key)
      const encrypted = key.export({
        ...({ format: 'der', type: 'pkcs8' } as const),
        ...{ cipher: 'aes-256-cbc', passphrase: 'kagiban' },
      })
      const others = {
        nothing: Buffer.alloc(0),
        noise: randomBytes(bytes.length),
        'the public key': spkiOf(key),
        'an encrypted key': encrypted,
        PEM: Buffer.from(key.export({ format: 'pem', type: 'pkcs8' })),
        'half of it': bytes.subarray(0, bytes.length / 2),
        'all but a byte': bytes.subarray(0, -1),
      }
      for (const [what, other] of Object.entries(others))
        await refused(spec, other, `${spec}: ${what}`)
      if (key.asymmetricKeyType === 'ed25519') continue
      const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1'
      await refused(spec, key.export({ format: 'der', type }), `${spec}: ${type}`)
    }
  })

  test('BER is read, DER is kept', async () => {
    for (const [spec, key] of keys) {
      const { contents } = readElement(tags.sequence, pkcs8(key)) ?? { contents: Buffer.alloc(0) }
      const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), contents, Buffer.of(0, 0)])
      const length = Buffer.alloc(4)
      length.writeUInt32BE(contents.length)
      const long = Buffer.concat([Buffer.of(0x30, 0x84), length, contents])
      for (const ber of [indefinite, long]) {
        assert.deepEqual((await imported(spec, ber)).material, pkcs8(key), spec)
      }
    }
  })

  test('BER is read inside, too, but a string in pieces is not', async () => {
    for (const [spec, key] of keys) {
      const { algorithm, privateKey } = partsOf(pkcs8(key))
      const version = der(tags.integer, Buffer.of(0))
      const inside = readElement(privateKey[0] ?? 0, privateKey)?.contents ?? Buffer.alloc(0)
      const long = Buffer.concat([Buffer.of(privateKey[0] ?? 0, 0x83), lengthOf(inside, 3), inside])
      const identifier = Buffer.concat([Buffer.of(0x30, 0x80), algorithm, Buffer.of(0, 0)])
      const octets = der(tags.octetString, long)
      const ber = der(tags.sequence, version, identifier, octets)
      assert.deepEqual((await imported(spec, ber)).material, pkcs8(key), spec)
      const pieces = der(0x24, octets)
      await refused(spec, der(tags.sequence, version, identifier, pieces), `${spec} in pieces`)
    }
  })

  test('both versions are read, and what follows the key is left', async () => {
    const attributes = der(0xa0, der(tags.sequence, der(tags.integer, Buffer.of(1))))
    for (const [spec, key] of keys) {
      const { algorithm, privateKey } = partsOf(pkcs8(key))
      const info = (version: number, ...more: readonly Buffer[]) =>
        der(
          tags.sequence,
          der(tags.integer, Buffer.of(version)),
          der(tags.sequence, algorithm),
          der(tags.octetString, privateKey),
          ...more,
        )
      for (const each of [info(0, attributes), info(1, der(0x81, Buffer.alloc(33)))]) {
        assert.deepEqual((await imported(spec, each)).material, pkcs8(key), spec)
      }
      await refused(spec, info(2), `${spec}: a version that does not exist`)
    }
  })

  test('a key that is longer than any of its spec is refused', async () => {
    for (const [spec, key] of keys) {
      const { contents } = readElement(tags.sequence, pkcs8(key)) ?? { contents: Buffer.alloc(0) }
      const withAttributes = (size: number) =>
        der(tags.sequence, contents, der(0xa0, Buffer.alloc(size)))
      await imported(spec, withAttributes(400))
      await refused(spec, withAttributes(4000), spec)
    }
  })

  test('a key of another algorithm costs nothing, however large its numbers are', async () => {
    const large = largeKeys(1400)
    for (const spec of keys.keys()) {
      for (const [what, key] of Object.entries(large)) {
        const begin = performance.now()
        await refused(spec, key, `${spec}: ${what}`)
        const took = performance.now() - begin
        // OpenSSL computes the public half of such a key as it reads it, for a second or more.
        assert.ok(took < 250, `${spec}: ${what} took ${took} ms`)
      }
    }
  })

  test('material that is not importable is refused, whatever it is', async () => {
    for (const spec of keySpecs.filter((each) => !specRow(each).importable)) {
      await refused(spec, sampleMaterial(spec), spec)
      await refused(spec, randomBytes(32), spec)
    }
  })
})

/** What PKCS #8 in DER holds: the contents of its AlgorithmIdentifier, and of its OCTET STRING. */
function partsOf(bytes: Buffer): { algorithm: Buffer; privateKey: Buffer } {
  const none = { contents: Buffer.alloc(0), rest: Buffer.alloc(0) }
  const info = readElement(tags.sequence, bytes) ?? none
  const version = readElement(tags.integer, info.contents) ?? none
  const algorithm = readElement(tags.sequence, version.rest) ?? none
  const octets = readElement(tags.octetString, algorithm.rest) ?? none
  return { algorithm: algorithm.contents, privateKey: octets.contents }
}

function lengthOf(contents: Buffer, bytes: number): Buffer {
  const length = Buffer.alloc(bytes)
  length.writeUIntBE(contents.length, 0, bytes)
  return length
}

/** Private keys of algorithms that no spec has, with numbers of so many bytes. */
function largeKeys(size: number): Readonly<Record<string, Buffer>> {
  const number = (bytes: number) => {
    const random = randomBytes(bytes)
    random[0] = (random[0] ?? 0) | 0x80
    random[bytes - 1] = (random[bytes - 1] ?? 0) | 1
    return unsignedInteger(random)
  }
  const [generator, version] = [unsignedInteger(Buffer.of(2)), der(tags.integer, Buffer.of(0))]
  const info = (oid: string, ...parameters: readonly Buffer[]) => {
    const name = der(tags.objectIdentifier, Buffer.from(oid, 'hex'))
    const identifier = der(tags.sequence, name, der(tags.sequence, ...parameters))
    return der(tags.sequence, version, identifier, der(tags.octetString, number(size)))
  }
  return {
    DSA: info('2a8648ce380401', number(size), number(20), generator),
    DH: info('2a864886f70d010301', number(size), generator),
  }
}

/** PKCS #8 of an elliptic curve's key, put together by hand. */
function ecKey(
  key: KeyObject,
  parts: { scalar?: Buffer; point?: Buffer | undefined; named?: Buffer },
): Buffer {
  const spki = readElement(tags.sequence, spkiOf(key))
  const algorithm = readElement(tags.sequence, spki?.contents ?? Buffer.alloc(0))
  const identifier = der(tags.sequence, algorithm?.contents ?? Buffer.alloc(0))
  const { scalar = scalarOf(key), point, named } = parts
  const bits = point && der(0xa1, der(tags.bitString, Buffer.of(0), point))
  const fields = [der(tags.integer, Buffer.of(1)), der(tags.octetString, scalar)]
  if (named !== undefined) fields.push(der(0xa0, named))
  const ecPrivateKey = der(tags.sequence, ...fields, ...(bits ? [bits] : []))
  const version = der(tags.integer, Buffer.of(0))
  return der(tags.sequence, version, identifier, der(tags.octetString, ecPrivateKey))
}

/** The object identifier of its curve. */
function curveOid(key: KeyObject): Buffer {
  const { algorithm } = partsOf(pkcs8(key))
  return readElement(tags.objectIdentifier, algorithm)?.rest ?? Buffer.alloc(0)
}

function scalarOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
}

function pointOf(key: KeyObject, form: 'compressed' | 'uncompressed'): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  if (form === 'uncompressed') return Buffer.concat([Buffer.of(4), left, right])
  return Buffer.concat([Buffer.of(2 + ((right.at(-1) ?? 0) & 1)), left])
}

/** https://www.secg.org/sec2-v2.pdf */
const orders = {
  ECC_NIST_P256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ECC_NIST_P384: `${'f'.repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`,
  ECC_NIST_P521: `01${'f'.repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
  ECC_SECG_P256K1: `${'f'.repeat(31)}ebaaedce6af48a03bbfd25e8cd0364141`,
} as const

for (const spec of curves) {
  describe(spec, () => {
    const key = samplePrivateKey(spec)
    const { curve = '' } = { ...specRow(spec).material } as { curve?: string }

    test('one key has one form, with its public key or without, however its point is written', async () => {
      const forms = [undefined, pointOf(key, 'compressed'), pointOf(key, 'uncompressed')]
      for (const point of forms) {
        const { material, publicKey } = await imported(spec, ecKey(key, { point }))
        assert.deepEqual(material, pkcs8(key))
        assert.deepEqual(publicKey, spkiOf(key))
      }
      const padded = Buffer.concat([Buffer.alloc(3), scalarOf(key)])
      assert.deepEqual((await imported(spec, ecKey(key, { scalar: padded }))).material, pkcs8(key))
    })

    test('a public key of another scalar is refused', async () => {
      const point = pointOf(samplePrivateKey(spec), 'uncompressed')
      await refused(spec, ecKey(key, { point }), 'exchanged')
      const off = pointOf(key, 'uncompressed')
      off[off.length - 1] = (off.at(-1) ?? 0) ^ 1
      await refused(spec, ecKey(key, { point: off }), 'not on the curve')
    })

    test('a scalar is from 1 to n-1', async () => {
      const order = BigInt(`0x${orders[spec]}`)
      const bytes = scalarOf(key).length
      const scalarFor = (value: bigint) =>
        Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
      for (const value of [1n, 2n, order - 1n]) {
        const { publicKey } = await imported(spec, ecKey(key, { scalar: scalarFor(value) }))
        assert.equal(publicKey?.length, spkiOf(key).length)
      }
      const most = (1n << BigInt(8 * bytes)) - 1n
      for (const value of [0n, order, order + 1n, most]) {
        await refused(spec, ecKey(key, { scalar: scalarFor(value) }), `${value}`)
      }
      await refused(spec, ecKey(key, { scalar: Buffer.alloc(0) }), 'no scalar')
    })

    test('a point may be in the hybrid form, and a curve named twice', async () => {
      const point = pointOf(key, 'uncompressed')
      point[0] = 6 + ((point.at(-1) ?? 0) & 1)
      assert.deepEqual((await imported(spec, ecKey(key, { point }))).publicKey, spkiOf(key))
      const again = ecKey(key, { named: curveOid(key) })
      assert.deepEqual((await imported(spec, again)).material, pkcs8(key))
    })

    test('a curve that the key itself says otherwise is refused', async () => {
      const other = curves.find((each) => each !== spec) ?? spec
      await refused(spec, ecKey(key, { named: curveOid(samplePrivateKey(other)) }), other)
      const options = { namedCurve: curve, paramEncoding: 'explicit' } as const
      const described = partsOf(pkcs8(generateKeyPairSync('ec', options).privateKey)).algorithm
      const named = readElement(tags.objectIdentifier, described)?.rest ?? Buffer.alloc(0)
      assert.ok(named.length > 100)
      await refused(spec, ecKey(key, { named }), 'described')
    })

    test('a curve is named, not described', async () => {
      const options = { namedCurve: curve, paramEncoding: 'explicit' } as const
      const described = pkcs8(generateKeyPairSync('ec', options).privateKey)
      assert.ok(described.length > pkcs8(key).length + 100)
      await refused(spec, described, 'explicit parameters')
    })
  })
}

/** PKCS #8 of RSA, with some of its integers replaced. */
function rsaKey(key: KeyObject, change: (integers: Buffer[]) => void): Buffer {
  const pkcs1 = key.export({ format: 'der', type: 'pkcs1' })
  const integers: Buffer[] = []
  let rest = readElement(tags.sequence, pkcs1)?.contents
  while (rest !== undefined && rest.length > 0) {
    const integer = readElement(tags.integer, rest)
    if (integer !== undefined) integers.push(Buffer.from(integer.contents))
    rest = integer?.rest
  }
  change(integers)
  return rsaInfo(integers.map((each) => der(tags.integer, each)))
}

/** PrivateKeyInfo of the elements of an RSAPrivateKey. */
function rsaInfo(elements: readonly Buffer[]): Buffer {
  const oid = der(tags.sequence, Buffer.from('06092a864886f70d0101010500', 'hex'))
  const version = der(tags.integer, Buffer.of(0))
  const rsaPrivateKey = der(tags.sequence, ...elements)
  return der(tags.sequence, version, oid, der(tags.octetString, rsaPrivateKey))
}

/** Multi-prime RSA (RFC 8017 §3.2), PKCS #8. */
function threePrimeKey(): Buffer {
  const e = 65_537n
  const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })
  const [p, q, r] = [prime(683), prime(683), prime(682)]
  const n = p * q * r
  const phi = (p - 1n) * (q - 1n) * (r - 1n)
  if (n.toString(2).length !== 2048 || phi % e === 0n) return threePrimeKey()
  const d = inverse(e, phi)
  const integer = (value: bigint) => unsignedInteger(toBytes(value, 256))
  const numbers = [1n, n, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)].map(integer)
  const third = [r, d % (r - 1n), inverse(p * q, r)].map(integer)
  return rsaInfo([...numbers, der(tags.sequence, der(tags.sequence, ...third))])
}

describe('RSA', () => {
  const key = samplePrivateKey('RSA_2048')
  const names = ['version', 'n', 'e', 'd', 'p', 'q', 'dP', 'dQ', 'qInv']

  test('its numbers belong together', async () => {
    const rewritten = rsaKey(key, () => {})
    assert.deepEqual((await imported('RSA_2048', rewritten)).material, pkcs8(key))
    for (let place = 1; place < names.length; place++) {
      const altered = rsaKey(key, (integers) => {
        const integer = integers[place] ?? Buffer.alloc(0)
        integer[integer.length - 1] = (integer.at(-1) ?? 0) ^ 4
      })
      await refused('RSA_2048', altered, `${names[place]} altered`)
      const none = rsaKey(key, (integers) => {
        integers[place] = Buffer.of(0)
      })
      await refused('RSA_2048', none, `${names[place]} zero`)
    }
  })

  test('no number of it is longer than the modulus: nothing is computed with such a key', async () => {
    const never: InTurn = () => assert.fail('a check is begun')
    for (let place = 2; place < names.length; place++) {
      const longer = rsaKey(key, (integers) => {
        integers[place] = Buffer.concat([Buffer.of(0x41), randomBytes(255), Buffer.of(1)])
      })
      const call = async () => importedMaterial('RSA_2048', longer, never)
      await assert.rejects(call, failure('incorrect-key-material'), names[place])
    }
  })

  test('it has two primes', async () => {
    const more = rsaKey(key, (integers) => integers.splice(0, 1, Buffer.of(1)))
    await refused('RSA_2048', more, 'the version of more primes')
    const three = threePrimeKey()
    const opened = createPrivateKey({ key: three, format: 'der', type: 'pkcs8' })
    const signature = sign('sha256', Buffer.from('message'), opened)
    assert.equal(opened.asymmetricKeyDetails?.modulusLength, 2048)
    assert.ok(verify('sha256', Buffer.from('message'), createPublicKey(opened), signature))
    await refused('RSA_2048', three, 'a key of three primes that works')
  })

  test('the modulus has as many bits as the spec says, to the bit', async () => {
    for (const modulusLength of [1024, 2047, 2050, 2056, 3072]) {
      const other = generateKeyPairSync('rsa', { modulusLength }).privateKey
      await refused('RSA_2048', pkcs8(other), `${modulusLength} bits`)
    }
  })

  test('the public exponent is more than 2^16', async () => {
    for (const publicExponent of [3, 17]) {
      const other = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent }).privateKey
      await refused('RSA_2048', pkcs8(other), `e = ${publicExponent}`)
    }
    const wide = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 0x1000_0001 })
    assert.deepEqual(
      (await imported('RSA_2048', pkcs8(wide.privateKey))).publicKey,
      spkiOf(wide.privateKey),
    )
  })

  test('too many at once are refused', async () => {
    const narrow = new Turns({ atOnce: 1, waitingMax: 1 })
    const inTurn: InTurn = (check) => narrow.run(account, check)
    const send = async () => importedMaterial('RSA_2048', pkcs8(key), inTurn)
    const results = await Promise.allSettled([send(), send(), send()])
    const outcomes = results.map((each) => (each.status === 'rejected' ? each.reason.code : 'in'))
    assert.deepEqual(outcomes, ['in', 'in', 'throttled'])
  })

  test('a key for RSASSA-PSS alone is another kind of key', async () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
    await refused('RSA_2048', pkcs8(pss), 'rsa-pss')
  })
})

test('what was imported signs and agrees like the key that it was', async () => {
  const message = Buffer.from('message')
  for (const spec of ['RSA_2048', ...curves, 'ECC_NIST_EDWARDS25519'] as const) {
    const original = samplePrivateKey(spec)
    const { material } = await imported(spec, pkcs8(original))
    const kept = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
    const hash = spec === 'ECC_NIST_EDWARDS25519' ? null : 'sha256'
    assert.ok(verify(hash, message, createPublicKey(original), sign(hash, message, kept)), spec)
    if (original.asymmetricKeyType !== 'ec') continue
    const publicKey = createPublicKey(samplePrivateKey(spec))
    assert.deepEqual(
      diffieHellman({ privateKey: kept, publicKey }),
      diffieHellman({ privateKey: original, publicKey }),
    )
  }
})
