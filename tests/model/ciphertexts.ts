import assert from 'node:assert/strict'
import { createKey } from './keys.ts'
import { materialTold } from './materials.ts'
import { type Body, firstOf, nameKey, type Plan, pickKey, refusals, textOf } from './plan.ts'
import { invalidState, notFound, type Operation, unsupported } from './states.ts'
import type { Context, StepOf } from './step.ts'
import {
  arnOf,
  type Ciphertext,
  chosen,
  currentMaterial,
  type Family,
  familyOf,
  idOf,
  isSymmetric,
  type KeyRef,
  livingRegions,
  must,
  type World,
} from './world.ts'

const wrongUsage = 'InvalidKeyUsageException'
const absent = 'AccessDeniedException'

export function contextOf(context: Context): Readonly<Record<string, string>> {
  return context === 'none' ? {} : { team: context, purpose: 'model' }
}

export function encrypt(world: World, step: StepOf<'Encrypt'>): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by, true)
  const family = familyOf(world, ref.family)
  const context = contextOf(step.context)
  const plaintext = Buffer.from(`plaintext ${world.ciphertexts.length}`).toString('base64')
  const what = step.do === 'Encrypt' ? { Plaintext: plaintext } : { KeySpec: 'AES_256' }
  const apply = (answer: Body | undefined) => {
    if (answer === undefined) return
    assert.equal(answer['KeyId'], arnOf(world, ref))
    const material = currentMaterial(family)
    if (step.do === 'GenerateDataKey')
      materialTold(world, family, material, answer['KeyMaterialId'])
    world.ciphertexts.push({
      blob: textOf(answer, 'CiphertextBlob'),
      family: ref.family,
      material,
      context,
      plaintext: step.do === 'Encrypt' ? plaintext : textOf(answer, 'Plaintext'),
    })
  }
  return {
    region: ref.region,
    operation: step.do,
    input: { KeyId, ...what, EncryptionContext: isSymmetric(family) ? context : undefined },
    refused: firstOf(
      refused,
      refusals(world, ref, step.do),
      isSymmetric(family) ? [] : [wrongUsage],
    ),
    apply,
    touched: [],
  }
}

function encryptFirst(world: World, key: number): Plan | undefined {
  return encrypt(world, { do: 'Encrypt', key, by: 'id', context: 'none' })
}

/** What opening that ciphertext in that Region meets. */
function opening(
  world: World,
  { family }: Ciphertext,
  region: string,
  operation: Operation,
): string[] {
  const key = familyOf(world, family).keys.get(region)
  if (key === undefined || key.state === 'Gone') return [absent]
  return refusals(world, { family, region }, operation)
}

export function decrypt(world: World, step: StepOf<'Decrypt'>): Plan | undefined {
  const ciphertext = chosen(world.ciphertexts, step.ciphertext)
  if (ciphertext === undefined) return encryptFirst(world, step.ciphertext)
  const { family } = ciphertext
  // Mostly one in which its key is.
  const there = step.region > 2 ? livingRegions(familyOf(world, family)) : []
  const region = must(chosen(there, step.region) ?? chosen(world.regions, step.region), 'a Region')
  const named = namedForDecrypt(world, step, { family, region })
  const EncryptionContext = step.rightContext ? ciphertext.context : { team: 'another' }
  const apply = (answer: Body | undefined) => {
    if (answer === undefined) return
    assert.equal(answer['Plaintext'], ciphertext.plaintext)
    assert.equal(answer['KeyId'], arnOf(world, { family, region }))
    materialTold(world, familyOf(world, family), ciphertext.material, answer['KeyMaterialId'])
  }
  return {
    region,
    operation: 'Decrypt',
    input: { CiphertextBlob: ciphertext.blob, EncryptionContext, ...named.input },
    refused: firstOf(
      named.refused,
      opening(world, ciphertext, region, 'Decrypt'),
      step.rightContext ? [] : ['InvalidCiphertextException'],
    ),
    apply,
    touched: [],
  }
}

function namedForDecrypt(
  world: World,
  { named, ciphertext }: StepOf<'Decrypt'>,
  right: KeyRef,
): { input: object; refused: string[] } {
  if (named === 'none') return { input: {}, refused: [] }
  if (named === 'the right one') {
    const there = familyOf(world, right.family).keys.get(right.region)
    const isGone = there === undefined || there.state === 'Gone'
    if (ciphertext % 2 === 0) {
      return { input: { KeyId: arnOf(world, right) }, refused: isGone ? [notFound] : [] }
    }
    // A bare id may be that of another account's key here, which is not told to be absent.
    return { input: { KeyId: idOf(world, right) }, refused: isGone ? [absent, notFound] : [] }
  }
  const other = pickKey(world, named, ({ region }) => region === right.region)
  if (other === undefined || other.region !== right.region) return { input: {}, refused: [] }
  const { KeyId, refused } = nameKey(world, other, 'arn')
  if (refused.length > 0 || other.family === right.family) return { input: { KeyId }, refused }
  // Whether it could decrypt anything, were it the right one, may be looked at before.
  const early = [...refusals(world, other, 'Decrypt')]
  if (!isSymmetric(familyOf(world, other.family))) early.push(wrongUsage)
  return { input: { KeyId }, refused: ['IncorrectKeyException', ...early] }
}

export function reEncrypt(world: World, step: StepOf<'ReEncrypt'>): Plan | undefined {
  const ciphertext = chosen(world.ciphertexts, step.ciphertext)
  const region = must(chosen(world.regions, step.region), 'a Region')
  const ref = pickKey(world, step.key, (each) => each.region === region)
  if (ciphertext === undefined) return encryptFirst(world, step.key)
  if (ref === undefined || ref.region !== region) return undefined
  const destination = nameKey(world, ref, 'id')
  const family = familyOf(world, ref.family)
  const context = contextOf(step.context)
  const apply = (answer: Body | undefined) => {
    if (answer === undefined) return
    const source = { family: ciphertext.family, region }
    assert.equal(answer['KeyId'], arnOf(world, ref))
    assert.equal(answer['SourceKeyId'], arnOf(world, source))
    const material = currentMaterial(family)
    materialTold(
      world,
      familyOf(world, source.family),
      ciphertext.material,
      answer['SourceKeyMaterialId'],
    )
    materialTold(world, family, material, answer['DestinationKeyMaterialId'])
    const blob = textOf(answer, 'CiphertextBlob')
    const { plaintext } = ciphertext
    world.ciphertexts.push({ blob, family: ref.family, material, context, plaintext })
  }
  return {
    region,
    operation: 'ReEncrypt',
    input: {
      CiphertextBlob: ciphertext.blob,
      SourceEncryptionContext: ciphertext.context,
      DestinationKeyId: destination.KeyId,
      DestinationEncryptionContext: isSymmetric(family) ? context : undefined,
    },
    // Source and destination are both looked at, and which is first is not documented.
    refused: [
      ...opening(world, ciphertext, region, 'ReEncrypt'),
      ...firstOf(
        destination.refused,
        refusals(world, ref, 'ReEncrypt'),
        isSymmetric(family) ? [] : [wrongUsage],
      ),
    ],
    apply,
    touched: [],
  }
}

const proving = {
  ecc: { make: 'Sign', check: 'Verify', algorithm: { SigningAlgorithm: 'ECDSA_SHA_256' } },
  hmac: { make: 'GenerateMac', check: 'VerifyMac', algorithm: { MacAlgorithm: 'HMAC_SHA_256' } },
} as const

/** Signs with a key pair, makes a MAC with another. */
export function prove(world: World, step: StepOf<'Prove'>): Plan | undefined {
  const others = world.families.filter((family) => !isSymmetric(family))
  if (others.length === 0 && step.key % 3 > 0) {
    const kind = step.key % 3 === 1 ? 'ecc' : 'hmac'
    return createKey(world, { do: 'CreateKey', kind, region: 0, tagged: false })
  }
  const ref = pickKey(world, step.key, (each) => !isSymmetric(familyOf(world, each.family)))
  if (ref === undefined) return undefined
  const { kind } = familyOf(world, ref.family)
  const { make, algorithm } = proving[kind === 'hmac' ? 'hmac' : 'ecc']
  const { KeyId, refused } = nameKey(world, ref, step.by, true)
  const message = Buffer.from(`message ${world.proofs.length}`).toString('base64')
  return {
    region: ref.region,
    operation: make,
    input: { KeyId, Message: message, ...algorithm },
    refused: firstOf(
      refused,
      refusals(world, ref, make),
      isSymmetric(familyOf(world, ref.family)) ? [wrongUsage] : [],
    ),
    apply: (answer) => {
      if (answer === undefined) return
      const blob = textOf(answer, make === 'Sign' ? 'Signature' : 'Mac')
      world.proofs.push({ blob, family: ref.family, message })
    },
    touched: [],
  }
}

export function verifyProof(world: World, step: StepOf<'VerifyProof'>): Plan | undefined {
  const proof = chosen(world.proofs, step.proof)
  if (proof === undefined) return prove(world, { do: 'Prove', key: step.proof, by: 'id' })
  const family = familyOf(world, proof.family)
  const ref = { family: proof.family, region: family.primary }
  const { check, algorithm } = proving[family.kind === 'hmac' ? 'hmac' : 'ecc']
  const Message = step.right ? proof.message : Buffer.from('another').toString('base64')
  const isMac = check === 'VerifyMac'
  const wrong = isMac ? 'KMSInvalidMacException' : 'KMSInvalidSignatureException'
  return {
    region: ref.region,
    operation: check,
    input: {
      KeyId: idOf(world, ref),
      Message,
      ...algorithm,
      ...(isMac ? { Mac: proof.blob } : { Signature: proof.blob }),
    },
    refused: firstOf(refusals(world, ref, check), step.right ? [] : [wrong]),
    apply: (answer) => {
      if (answer === undefined) return
      assert.equal(answer[isMac ? 'MacValid' : 'SignatureValid'], true)
    },
    touched: [],
  }
}

export function getPublicKey(world: World, step: StepOf<'Prove'>): Plan | undefined {
  const ref = pickKey(world, step.key, (each) => familyOf(world, each.family).kind === 'ecc')
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by, true)
  const { kind } = familyOf(world, ref.family)
  // A key without a public half has none in any state, and AWS does not say which comes first.
  const byState = refusals(world, ref, 'GetPublicKey')
  return {
    region: ref.region,
    operation: 'GetPublicKey',
    input: { KeyId },
    refused: firstOf(
      refused,
      kind === 'ecc' ? byState : [...byState, unsupported, ...pendingToo(kind)],
    ),
    apply: (answer) => {
      if (answer !== undefined) assert.equal(answer['KeyId'], arnOf(world, ref))
    },
    touched: [],
  }
}

function pendingToo(kind: Family['kind']): string[] {
  return kind === 'external' ? [invalidState] : []
}
