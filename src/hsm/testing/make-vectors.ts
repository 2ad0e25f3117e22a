/**
 * Made the vectors under `tests/vectors`: a hierarchy, and blobs that must decrypt with it for ever. Never overwrites
 * them: a new format gets vectors of its own beside the old.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInProcessCore } from '../in-process.ts'
import type { EncryptionContext, Hsm, Material } from '../port.ts'
import { sourceDirectory } from './child.ts'
import { keyName, multiRegionKey, newMaterial, otherRegion, quickCost, region } from './fixtures.ts'

const vectors = join(dirname(sourceDirectory), 'tests/vectors')

const contexts: EncryptionContext[] = [
  {},
  { department: 'finance' },
  { b: '2', a: '1', '': 'empty key', 'empty value': '' },
  { schlüssel: '鍵番', '\u{1f511}': 'above U+FFFF', '\uffff': 'below' },
]
const plaintexts = [
  Buffer.alloc(0),
  Buffer.from('x'),
  Buffer.alloc(32, 0xa5),
  Buffer.alloc(4096, 'k'),
]

const root = Buffer.alloc(32, 0xa5).toString('base64')
const checkpoint = `kagiban/main/00000000-0000-4000-8000-000000000000\n42\n${root}\n`

async function encryptAll(hsm: Hsm, materials: readonly Material[]): Promise<object[]> {
  const blobs: object[] = []
  for (const [material, each] of materials.entries()) {
    for (const [index, context] of contexts.entries()) {
      const plaintext = plaintexts[(index + material) % plaintexts.length] ?? Buffer.alloc(0)
      const blob = await hsm.encrypt(each, plaintext, context)
      blobs.push({
        material,
        context,
        plaintext: plaintext.toString('base64'),
        blob: blob.toString('base64'),
      })
    }
  }
  return blobs
}

async function makeMaterials(hsm: Hsm): Promise<Material[]> {
  await hsm.ensureRegion(region)
  await hsm.ensureRegion(otherRegion)
  const first = await newMaterial(hsm)
  await hsm.rotateDomainKey(region)
  const second = await newMaterial(hsm, keyName({ keyId: multiRegionKey }))
  return [first, second, await newMaterial(hsm, keyName({ region: otherRegion }))]
}

async function describe(hsm: Hsm): Promise<object> {
  const materials = await makeMaterials(hsm)
  const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
  const secret = Buffer.from('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
  const sealedSecret = await hsm.sealSecret(accessKeyId, secret)
  const scope = { accessKeyId, sealedSecret, date: '20150830', region: 'us-east-1', service: 'iam' }
  const signature = await hsm.signCheckpoint(Buffer.from(checkpoint))
  return {
    materials,
    blobs: await encryptAll(hsm, materials),
    scope,
    checkpoint: {
      message: checkpoint,
      signature: signature.toString('base64'),
      publicKey: (await hsm.checkpointPublicKey()).toString('base64'),
    },
  }
}

async function make(name: string, passphrase?: Buffer): Promise<void> {
  const directory = join(vectors, name)
  const file = join(vectors, 'blobs', passphrase === undefined ? 'v1.json' : 'v1-passphrase.json')
  if (existsSync(directory) || existsSync(file)) throw new Error(`${name} is there already`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(file), { recursive: true })
  const hsm = createInProcessCore(directory, passphrase ? { passphrase, cost: quickCost } : {})
  writeFileSync(file, `${JSON.stringify(await describe(hsm), null, 2)}\n`)
  hsm.close()
}

await make('hsm-v1')
await make('hsm-v1-passphrase', Buffer.from('correct horse battery staple'))
