/**
 * What a service with these keys has to remember, and nothing else: written from what AWS documents, and sharing no
 * code with the product. Plain data, so that `structuredClone` makes a world of its own.
 */
export type Region = string

/** A moment in milliseconds, known to lie between two. An answer that tells it narrows it to one. */
export type When = { from: number; to: number }

export type KeyState =
  | 'Enabled'
  | 'Disabled'
  | 'PendingDeletion'
  | 'PendingReplicaDeletion'
  | 'PendingImport'
  /** Deleted: no operation knows it any more. */
  | 'Gone'

export type Material = {
  /** As the service told it. */
  id: string | undefined
  /** What its owner imports, in hex; of others, the service keeps it to itself. */
  readonly bytes: string | undefined
  standing: 'CURRENT' | 'NON_CURRENT' | 'PENDING_ROTATION'
  /** False after imported material was deleted or expired. */
  present: boolean
  expires: When | undefined
  rotated: { readonly at: When; readonly type: 'AUTOMATIC' | 'ON_DEMAND' } | undefined
}

export type Grant = {
  id: string | undefined
  readonly tokens: string[]
  /** The request that made it; with a name, the same request makes no second grant. */
  readonly request: GrantRequest
  readonly created: When
}

export type GrantRequest = {
  readonly Name?: string
  readonly GranteePrincipal: string
  readonly RetiringPrincipal?: string
  readonly Operations: readonly string[]
  readonly Constraints?: { readonly EncryptionContextSubset: Readonly<Record<string, string>> }
}

/** A key in one Region. */
export type RegionalKey = {
  state: KeyState
  description: string
  readonly tags: Map<string, string>
  grants: Grant[]
  readonly created: When
  windowInDays: number | undefined
  deletion: When | undefined
}

export type Kind = 'symmetric' | 'multi-Region' | 'external' | 'hmac' | 'ecc'

/** A key with all that is related to it: one key, or a primary with its replicas. */
export type Family = {
  /** The key id that they share. */
  id: string | undefined
  readonly kind: Kind
  primary: Region
  readonly keys: Map<Region, RegionalKey>
  /** In the order in which they were made or imported. */
  materials: Material[]
  rotation: { periodInDays: number; next: When } | undefined
  onDemandRotations: number
  /** Of all material that was ever imported, also of what is not associated any more: bytes to id. */
  readonly imported: Map<string, string>
}

export type Alias = { target: number; readonly created: When; updated: When }

export type Ciphertext = {
  readonly blob: string
  readonly family: number
  readonly material: number
  readonly context: Readonly<Record<string, string>>
  readonly plaintext: string
}

/** A signature or a MAC. */
export type Proof = { readonly blob: string; readonly family: number; readonly message: string }

export type ImportParameters = {
  readonly family: number
  readonly publicKey: string
  readonly token: string
  readonly validTo: When
}

export type World = {
  readonly account: string
  /** One that owns no key. */
  readonly otherAccount: string | undefined
  readonly regions: readonly Region[]
  now: When
  readonly families: Family[]
  readonly aliases: Map<Region, Map<string, Alias>>
  readonly ciphertexts: Ciphertext[]
  readonly proofs: Proof[]
  readonly importParameters: ImportParameters[]
}

/** A key as steps name it: by its family and its Region. */
export type KeyRef = { readonly family: number; readonly region: Region }

export const dayMs = 86_400_000

export function newWorld(
  { account, otherAccount, regions }: Pick<World, 'account' | 'otherAccount' | 'regions'>,
  now: When,
): World {
  return {
    account,
    otherAccount,
    regions,
    now,
    families: [],
    aliases: new Map(regions.map((region) => [region, new Map()])),
    ciphertexts: [],
    proofs: [],
    importParameters: [],
  }
}

/** Every key that ever was, the deleted ones too. */
export function keyRefs(world: World): KeyRef[] {
  return world.families.flatMap(({ keys }, family) =>
    [...keys.keys()].map((region) => ({ family, region })),
  )
}

/** Chosen by a number of any size; undefined where there is nothing to choose. */
export function chosen<T>(items: readonly T[], index: number): T | undefined {
  return items[index % items.length]
}

export function familyOf(world: World, index: number): Family {
  return must(world.families[index], 'a family')
}

export function keyOf(world: World, { family, region }: KeyRef): RegionalKey {
  return must(familyOf(world, family).keys.get(region), 'a key')
}

/** The key of the family in that Region, unless it was deleted or never was. */
export function livingKey(family: Family, region: Region): RegionalKey | undefined {
  const key = family.keys.get(region)
  return key?.state === 'Gone' ? undefined : key
}

export function livingRegions(family: Family): Region[] {
  return [...family.keys.keys()].filter((region) => livingKey(family, region) !== undefined)
}

export function replicaRegions(family: Family): Region[] {
  return livingRegions(family).filter((region) => region !== family.primary)
}

export function isSymmetric({ kind }: Family): boolean {
  return kind !== 'hmac' && kind !== 'ecc'
}

export function aliasesIn(world: World, region: Region): Map<string, Alias> {
  return must(world.aliases.get(region), 'a Region')
}

export function aliasesOf(world: World, { family, region }: KeyRef): string[] {
  return [...aliasesIn(world, region)].filter(([, { target }]) => target === family).map(([n]) => n)
}

export function currentMaterial(family: Family): number {
  return family.materials.findIndex(({ standing }) => standing === 'CURRENT')
}

export function arnOf(world: World, ref: KeyRef, region: Region = ref.region): string {
  return `arn:aws:kms:${region}:${world.account}:key/${idOf(world, ref)}`
}

export function idOf(world: World, { family }: KeyRef): string {
  return must(familyOf(world, family).id, 'the id of a key')
}

export function later({ from, to }: When, ms: number): When {
  return { from: from + ms, to: to + ms }
}

export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the model lost ${what}`)
  return value
}

/** Roles of the first account that grants name: there before anything begins. */
export const granteeNames = ['grantee-0', 'grantee-1', 'grantee-2'] as const
