import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac, createPublicKey, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import type { KeySpec, SigningAlgorithm, WrappingAlgorithm } from '../key-specs.ts'
import { keyName, newCore, region, temporaryDirectory } from '../testing/fixtures.ts'
import { importedMaterialId } from './material-id.ts'

/** What AWS's developer guide has its readers do, with the same commands. */
const missing = openSslMissing()
const skip = missing === undefined ? false : `NOT TESTED HERE: there is no openssl (${missing})`

function openSslMissing(): string | undefined {
  try {
    const version = String(execFileSync('openssl', ['version'], { stdio: 'pipe' }))
    return /^OpenSSL [3-9]/.test(version) ? undefined : version.trim()
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error)
  }
}

/** A folder, and openssl in it. */
function shell(t: TestContext) {
  const directory = temporaryDirectory(t)
  const at = (name: string) => join(directory, name)
  const openssl = (command: string) =>
    execFileSync('openssl', command.split(' '), { cwd: directory, stdio: 'pipe' })
  return { at, openssl, read: (name: string) => readFileSync(at(name)) }
}

type Shell = ReturnType<typeof shell>

/** Leaves the material in `material.bin`. */
const makers: Partial<Readonly<Record<KeySpec, (run: Shell) => void>>> = {
  SYMMETRIC_DEFAULT: ({ openssl }) => openssl('rand -out material.bin 32'),
  HMAC_512: ({ openssl }) => openssl('rand -out material.bin 64'),
  RSA_2048: ({ openssl }) => {
    openssl('genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out key.pem')
    openssl('pkcs8 -topk8 -nocrypt -in key.pem -outform der -out material.bin')
  },
  ECC_NIST_P384: ({ openssl }) => {
    openssl('ecparam -name secp384r1 -genkey -noout -out key.pem')
    openssl('pkcs8 -topk8 -nocrypt -in key.pem -outform der -out material.bin')
  },
  ECC_SECG_P256K1: ({ openssl }) => {
    openssl('ecparam -name secp256k1 -genkey -noout -out key.pem')
    openssl('ec -in key.pem -no_public -out bare.pem')
    openssl('pkcs8 -topk8 -nocrypt -in bare.pem -outform der -out material.bin')
  },
  ECC_NIST_EDWARDS25519: ({ openssl }) =>
    openssl('genpkey -algorithm ed25519 -outform der -out material.bin'),
}

/** Wraps `material.bin` for the key in `wrapping.der`. */
function wrapByOpenSsl({ openssl, read }: Shell, algorithm: WrappingAlgorithm): Buffer {
  const hash = algorithm.endsWith('SHA_256') ? 'sha256' : 'sha1'
  const oaep = (from: string, to: string) =>
    openssl(
      `pkeyutl -encrypt -in ${from} -out ${to} -inkey wrapping.der -keyform DER -pubin ` +
        `-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:${hash} -pkeyopt rsa_mgf1_md:${hash}`,
    )
  if (algorithm.startsWith('RSAES')) {
    oaep('material.bin', 'encrypted.bin')
    return read('encrypted.bin')
  }
  openssl('rand -out aes.bin 32')
  const key = read('aes.bin').toString('hex')
  openssl(`enc -id-aes256-wrap-pad -iv A65959A6 -K ${key} -in material.bin -out wrapped.bin`)
  oaep('aes.bin', 'key.bin')
  return Buffer.concat([read('key.bin'), read('wrapped.bin')])
}

const cases = [
  ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_256'],
  ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1'],
  ['HMAC_512', 'RSAES_OAEP_SHA_256'],
  ['RSA_2048', 'RSA_AES_KEY_WRAP_SHA_256'],
  ['RSA_2048', 'RSA_AES_KEY_WRAP_SHA_1'],
  ['ECC_NIST_P384', 'RSAES_OAEP_SHA_1'],
  ['ECC_NIST_P384', 'RSA_AES_KEY_WRAP_SHA_256'],
  ['ECC_SECG_P256K1', 'RSAES_OAEP_SHA_256'],
  ['ECC_NIST_EDWARDS25519', 'RSA_AES_KEY_WRAP_SHA_1'],
] as const

const signing: Partial<Readonly<Record<KeySpec, readonly [SigningAlgorithm, string | null]>>> = {
  RSA_2048: ['RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
  ECC_NIST_P384: ['ECDSA_SHA_384', 'sha384'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256', 'sha256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', null],
}

describe('the openssl command line wraps what the core unwraps', { skip }, () => {
  for (const [spec, algorithm] of cases) {
    test(`${spec} by ${algorithm}`, async (t) => {
      const run = shell(t)
      const hsm = newCore(t)
      await hsm.ensureRegion(region)
      const validTo = systemClock.now() + 60_000
      const wrapping = { spec: 'RSA_2048', algorithm, validTo } as const
      const { publicKey, token } = await hsm.importParameters(keyName(), wrapping)
      writeFileSync(run.at('wrapping.der'), publicKey)
      makers[spec]?.(run)
      const encrypted = wrapByOpenSsl(run, algorithm)
      const imported = await hsm.importMaterial(keyName(), spec, { token, encrypted })
      const { material } = imported
      const message = Buffer.from('message')
      const [signer, hash] = signing[spec] ?? []
      if (signer !== undefined && hash !== undefined) {
        const options = '-inform der -in material.bin -pubout -outform der -out public.der'
        run.openssl(`pkey ${options}`)
        assert.deepEqual(imported.publicKey, run.read('public.der'))
        const signature = await hsm.sign(material, signer, 'RAW', message)
        const key = createPublicKey({ key: run.read('public.der'), format: 'der', type: 'spki' })
        assert.ok(verify(hash, message, key, signature))
      } else if (spec === 'HMAC_512') {
        const mac = createHmac('sha512', run.read('material.bin')).update(message).digest()
        assert.deepEqual(await hsm.generateMac(material, message), mac)
      } else {
        const id = importedMaterialId(material.keyId, run.read('material.bin'))
        assert.equal(material.materialId, id)
      }
    })
  }
})
