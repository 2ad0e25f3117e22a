import assert from 'node:assert/strict'
import { type Body, firstOf, nameKey, type Plan, pickKey, refusals, textOf } from './plan.ts'
import { notFound } from './states.ts'
import type { StepOf } from './step.ts'
import {
  arnOf,
  chosen,
  type Family,
  familyOf,
  type Grant,
  type GrantRequest,
  granteeNames,
  isSymmetric,
  type KeyRef,
  keyOf,
  keyRefs,
  type World,
} from './world.ts'

export function createGrant(world: World, step: StepOf<'CreateGrant'>): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const family = familyOf(world, ref.family)
  const operations = isSymmetric(family) ? forSymmetric : forOthers[family.kind]
  const Operations = chosen(operations ?? [], step.what) ?? []
  const isConstrained = isSymmetric(family) && step.what % 2 === 1
  const request: GrantRequest = {
    ...(step.named ? { Name: `grant-${step.what}` } : {}),
    GranteePrincipal: granteeOf(world, step.grantee),
    ...(step.grantee === 2 ? { RetiringPrincipal: granteeOf(world, 0) } : {}),
    Operations,
    ...(isConstrained ? { Constraints: { EncryptionContextSubset: { team: 'a' } } } : {}),
  }
  const isUnfit = isSymmetric(family) && Operations.includes('Sign')
  const apply = (answer: Body | undefined) => {
    const key = keyOf(world, ref)
    const same = request.Name === undefined ? undefined : grantLike(key.grants, request)
    const grant = same ?? { id: undefined, tokens: [], request, created: { ...world.now } }
    if (same === undefined) key.grants.push(grant)
    if (answer === undefined) return
    const id = textOf(answer, 'GrantId')
    if (grant.id === undefined) checkNew(world, id)
    else assert.equal(id, grant.id, 'the same request makes the same grant')
    grant.id = id
    grant.tokens.push(textOf(answer, 'GrantToken'))
  }
  return {
    region: ref.region,
    operation: 'CreateGrant',
    input: { KeyId, ...request },
    refused: [
      ...firstOf(refused, refusals(world, ref, 'CreateGrant')),
      ...(isUnfit ? ['ValidationException'] : []),
    ],
    apply,
    touched: [ref],
  }
}

const forSymmetric = [
  ['Encrypt', 'Decrypt'],
  ['Encrypt', 'GenerateDataKey', 'RetireGrant'],
  ['Decrypt', 'DescribeKey'],
  ['Encrypt'],
  ['Sign'],
]
const forOthers: Partial<Record<Family['kind'], string[][]>> = {
  hmac: [['GenerateMac'], ['VerifyMac', 'DescribeKey']],
  ecc: [['Sign'], ['Verify', 'GetPublicKey']],
}

function otherRoot({ otherAccount }: World): string | undefined {
  return otherAccount && `arn:aws:iam::${otherAccount}:root`
}

function granteeOf(world: World, grantee: number): string {
  const { account } = world
  return (
    (grantee === 1 ? otherRoot(world) : undefined) ??
    `arn:aws:iam::${account}:role/${granteeNames[grantee]}`
  )
}

function grantLike(grants: readonly Grant[], request: GrantRequest): Grant | undefined {
  const text = JSON.stringify(request)
  return grants.find((grant) => JSON.stringify(grant.request) === text)
}

function checkNew(world: World, id: string): void {
  const all = keyRefs(world).flatMap((ref) => keyOf(world, ref).grants)
  assert.ok(!all.some((grant) => grant.id === id), `two grants have the id ${id}`)
}

function grantRefs(world: World): { ref: KeyRef; grant: Grant }[] {
  return keyRefs(world).flatMap((ref) => keyOf(world, ref).grants.map((grant) => ({ ref, grant })))
}

/** The grant of that key, or, where it has none, of another: which is not found there. */
export function revokeGrant(world: World, step: StepOf<'RevokeGrant'>): Plan | undefined {
  const ref = pickKey(world, step.key, (each) => keyOf(world, each).grants.length > 0)
  if (ref === undefined) return undefined
  const own = chosen(keyOf(world, ref).grants, step.grant)
  const GrantId = own?.id ?? 'ab'.repeat(32)
  const { KeyId, refused } = nameKey(world, ref, 'id')
  return {
    region: ref.region,
    operation: 'RevokeGrant',
    input: { KeyId, GrantId },
    refused: firstOf(refused, own === undefined ? [notFound] : []),
    apply: () => remove(world, ref, GrantId),
    touched: [ref],
  }
}

function remove(world: World, ref: KeyRef, grantId: string): void {
  const key = keyOf(world, ref)
  key.grants = key.grants.filter(({ id }) => id !== grantId)
}

/** The root user of the account that made a grant may retire it. */
export function retireGrant(world: World, step: StepOf<'RetireGrant'>): Plan | undefined {
  const found = chosen(grantRefs(world), step.grant)
  if (found === undefined) return undefined
  const { ref, grant } = found
  const token = step.byToken ? grant.tokens.at(-1) : undefined
  const GrantId = grant.id ?? ''
  return {
    region: ref.region,
    operation: 'RetireGrant',
    input: token === undefined ? { KeyId: arnOf(world, ref), GrantId } : { GrantToken: token },
    refused: [],
    apply: () => remove(world, ref, GrantId),
    touched: [ref],
  }
}
