import assert from 'node:assert/strict'
import { lacksMaterial } from './keys.ts'
import { materialTold } from './materials.ts'
import { type Body, checkDate } from './plan.ts'
import { notFound, unsupported } from './states.ts'
import type { Subject } from './subject.ts'
import {
  aliasesIn,
  aliasesOf,
  arnOf,
  currentMaterial,
  type Family,
  familyOf,
  idOf,
  isSymmetric,
  type KeyRef,
  keyOf,
  keyRefs,
  livingRegions,
  must,
  type RegionalKey,
  replicaRegions,
  type World,
} from './world.ts'

/** Asks the service for all that the model knows: the keys of each Region, their aliases, and each key. */
export async function observeAll(subject: Subject, world: World): Promise<void> {
  for (const region of world.regions) {
    await observeKeys(subject, world, region)
    await observeAliases(subject, world, region)
  }
  for (const ref of keyRefs(world)) await observe(subject, world, ref)
}

async function observeKeys(subject: Subject, world: World, region: string): Promise<void> {
  const { Keys } = await subject.ask(region, 'ListKeys', { Limit: 1000 })
  const told = (Keys as { KeyId: string }[]).map(({ KeyId }) => KeyId)
  const expected = world.families.filter((family) => livingRegions(family).includes(region))
  const known = expected.map(({ id }) => id)
  // A key whose creation was not answered: it is there, and nobody said its name.
  const nameless = expected.find(({ id }) => id === undefined)
  if (nameless !== undefined) nameless.id = told.find((id) => !known.includes(id))
  const ids = expected.map(({ id }) => id)
  assert.deepEqual(told.sort(), ids.sort(), `the keys of ${region}`)
}

async function observeAliases(subject: Subject, world: World, region: string): Promise<void> {
  const { Aliases } = await subject.ask(region, 'ListAliases', { Limit: 1000 })
  const own = (Aliases as Body[]).filter(
    (alias) => !String(alias['AliasName']).startsWith('alias/aws/'),
  )
  checkAliases(world, region, own, [...aliasesIn(world, region).keys()])
}

function checkAliases(world: World, region: string, told: readonly Body[], names: string[]): void {
  assert.deepEqual(told.map((alias) => alias['AliasName']).sort(), [...names].sort(), 'aliases')
  for (const each of told) {
    const name = String(each['AliasName'])
    const alias = must(aliasesIn(world, region).get(name), 'an alias')
    assert.equal(each['TargetKeyId'], idOf(world, { family: alias.target, region }), name)
    assert.equal(each['AliasArn'], `arn:aws:kms:${region}:${world.account}:${name}`)
    checkDate(each['CreationDate'], alias.created, `CreationDate of ${name}`)
    checkDate(each['LastUpdatedDate'], alias.updated, `LastUpdatedDate of ${name}`)
  }
}

/** What its state is: after a call that was refused, nothing else can be another. */
export async function observeState(subject: Subject, world: World, ref: KeyRef): Promise<void> {
  if (keyOf(world, ref).state === 'Gone') return
  const { KeyMetadata } = await subject.ask(ref.region, 'DescribeKey', { KeyId: idOf(world, ref) })
  checkMetadata(world, ref, KeyMetadata as Body)
}

/** Everything that the service says of one key has to be what the model says. */
export async function observe(subject: Subject, world: World, ref: KeyRef): Promise<void> {
  const key = keyOf(world, ref)
  const KeyId = idOf(world, ref)
  if (key.state === 'Gone') {
    const { error } = await subject.call(ref.region, 'DescribeKey', { KeyId })
    assert.equal(error, notFound, `DescribeKey of ${KeyId} that was deleted`)
    return
  }
  const ask = (operation: string, input: object = {}) =>
    subject.ask(ref.region, operation, { KeyId, ...input })
  const { KeyMetadata } = await ask('DescribeKey')
  checkMetadata(world, ref, KeyMetadata as Body)
  const { Aliases } = await ask('ListAliases')
  checkAliases(world, ref.region, Aliases as Body[], aliasesOf(world, ref))
  const { Tags } = await ask('ListResourceTags')
  const tags = (Tags as { TagKey: string; TagValue: string }[]).map((tag) => [
    tag.TagKey,
    tag.TagValue,
  ])
  assert.deepEqual(tags.sort(), [...key.tags].sort(), 'tags')
  const { Grants } = await ask('ListGrants')
  checkGrants(world, ref, Grants as Body[])
  await observeRotation(subject, world, ref)
}

function checkMetadata(world: World, ref: KeyRef, told: Body): void {
  const family = familyOf(world, ref.family)
  const key = keyOf(world, ref)
  const expected = {
    AWSAccountId: world.account,
    KeyId: idOf(world, ref),
    Arn: arnOf(world, ref),
    KeyState: key.state,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyManager: 'CUSTOMER',
    KeySpec:
      family.kind === 'hmac'
        ? 'HMAC_256'
        : family.kind === 'ecc'
          ? 'ECC_NIST_P256'
          : 'SYMMETRIC_DEFAULT',
    Origin: family.kind === 'external' ? 'EXTERNAL' : 'AWS_KMS',
    MultiRegion: family.kind === 'multi-Region',
    PendingDeletionWindowInDays:
      key.state === 'PendingReplicaDeletion' ? key.windowInDays : undefined,
  }
  const members = Object.keys(expected).map((name) => [name, told[name]])
  assert.deepEqual(Object.fromEntries(members), expected, 'DescribeKey')
  checkDate(told['CreationDate'], key.created, 'CreationDate')
  if (key.deletion === undefined) assert.equal(told['DeletionDate'], undefined)
  else checkDate(told['DeletionDate'], key.deletion, 'DeletionDate')
  checkRelations(world, ref, told['MultiRegionConfiguration'])
  checkCurrentMaterial(world, family, told)
}

function checkRelations(world: World, { family: index }: KeyRef, told: unknown): void {
  const family = familyOf(world, index)
  if (family.kind !== 'multi-Region') {
    assert.equal(told, undefined)
    return
  }
  const related = (region: string) => ({
    Arn: arnOf(world, { family: index, region }),
    Region: region,
  })
  const { PrimaryKey, ReplicaKeys } = told as { PrimaryKey: Body; ReplicaKeys: { Arn: string }[] }
  assert.deepEqual(PrimaryKey, related(family.primary))
  const byArn = (a: { Arn: string }, b: { Arn: string }) => (a.Arn < b.Arn ? -1 : 1)
  assert.deepEqual(ReplicaKeys.toSorted(byArn), replicaRegions(family).map(related).sort(byArn))
}

function checkCurrentMaterial(world: World, family: Family, told: Body): void {
  const index = currentMaterial(family)
  const material = family.materials[index]
  if (!isSymmetric(family) || material === undefined) {
    assert.equal(told['CurrentKeyMaterialId'], undefined)
  } else if (material.present) {
    materialTold(world, family, index, told['CurrentKeyMaterialId'])
  }
  if (family.kind === 'external' && !lacksMaterial(family)) checkExpiration(family, told)
}

/** Of all material that belongs to the key for good, what expires first. */
function checkExpiration({ materials }: Family, told: Body): void {
  const [first] = materials
    .filter(({ standing }) => standing !== 'PENDING_ROTATION')
    .map(({ expires }) => expires)
    .filter((expires) => expires !== undefined)
    .sort((a, b) => a.from - b.from)
  const model = first === undefined ? 'DOES_NOT_EXPIRE' : 'EXPIRES'
  assert.equal(told['ExpirationModel'], `KEY_MATERIAL_${model}`)
  if (first === undefined) assert.equal(told['ValidTo'], undefined)
  else checkDate(told['ValidTo'], first, 'ValidTo')
}

function checkGrants(world: World, ref: KeyRef, told: readonly Body[]): void {
  const { grants } = keyOf(world, ref)
  const known = grants.map(({ id }) => id)
  const nameless = grants.find(({ id }) => id === undefined)
  if (nameless !== undefined) {
    const id = told.map((grant) => String(grant['GrantId'])).find((each) => !known.includes(each))
    nameless.id = id
  }
  const ids = told.map((grant) => grant['GrantId'])
  assert.deepEqual(ids.toSorted(), grants.map(({ id }) => id).sort(), 'grants')
  for (const each of told) {
    const grant = must(
      grants.find(({ id }) => id === each['GrantId']),
      'a grant',
    )
    const { Name, Operations, ...rest } = grant.request
    for (const [name, value] of Object.entries(rest)) assert.deepEqual(each[name], value, name)
    assert.equal(each['RetiringPrincipal'], grant.request.RetiringPrincipal)
    assert.deepEqual((each['Operations'] as string[]).toSorted(), [...Operations].sort())
    assert.equal(each['Name'] ?? '', Name ?? '')
    assert.equal(each['IssuingAccount'], `arn:aws:iam::${world.account}:root`)
    assert.equal(each['KeyId'], arnOf(world, ref))
    checkDate(each['CreationDate'], grant.created, 'CreationDate of a grant')
  }
}

async function observeRotation(subject: Subject, world: World, ref: KeyRef): Promise<void> {
  const family = familyOf(world, ref.family)
  const input = { KeyId: idOf(world, ref) }
  const status = await subject.call(ref.region, 'GetKeyRotationStatus', input)
  if (keyOf(world, ref).state === 'PendingImport') assert.equal(status.error, unsupported)
  else checkStatus(family, keyOf(world, ref), status)
  if (!isSymmetric(family)) {
    const { Rotations } = await subject.ask(ref.region, 'ListKeyRotations', input)
    assert.deepEqual(Rotations, [])
    return
  }
  const all = { ...input, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1000 }
  const { Rotations } = await subject.ask(ref.region, 'ListKeyRotations', all)
  checkRotations(world, family, Rotations as Body[])
}

function checkStatus(
  { rotation }: Family,
  { state }: RegionalKey,
  { error, body }: { error: string | undefined; body: Body },
): void {
  assert.equal(error, undefined, 'GetKeyRotationStatus')
  const isDeleting = state === 'PendingDeletion' || state === 'PendingReplicaDeletion'
  assert.equal(body['KeyRotationEnabled'], rotation !== undefined && !isDeleting)
  if (rotation === undefined || isDeleting) {
    assert.equal(body['RotationPeriodInDays'], undefined)
    assert.equal(body['NextRotationDate'], undefined)
    return
  }
  assert.equal(body['RotationPeriodInDays'], rotation.periodInDays)
  checkDate(body['NextRotationDate'], rotation.next, 'NextRotationDate')
}

/** All its material, each with what became of it. */
function checkRotations(world: World, family: Family, told: readonly Body[]): void {
  assert.equal(told.length, family.materials.length, 'how much material there is')
  // A material whose id was not told yet is the one that has none.
  const known = family.materials.map(({ id }) => id)
  const fresh = told.filter((each) => !known.includes(String(each['KeyMaterialId'])))
  family.materials.forEach((material, index) => {
    const each =
      material.id === undefined
        ? fresh.shift()
        : told.find((rotation) => rotation['KeyMaterialId'] === material.id)
    assert.ok(each !== undefined, `material ${index} is not listed`)
    materialTold(world, family, index, each['KeyMaterialId'])
    assert.equal(each['KeyMaterialState'], material.standing)
    assert.equal(each['RotationType'], material.rotated?.type)
    if (material.rotated === undefined) assert.equal(each['RotationDate'], undefined)
    else checkDate(each['RotationDate'], material.rotated.at, 'RotationDate')
    if (family.kind !== 'external') return
    assert.equal(each['ImportState'], material.present ? 'IMPORTED' : 'PENDING_IMPORT')
    if (material.expires === undefined) assert.equal(each['ValidTo'], undefined)
    else checkDate(each['ValidTo'], material.expires, 'ValidTo')
  })
}
