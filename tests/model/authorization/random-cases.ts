import type { Caller } from '../../../src/base/caller.ts'
import type { AccountId } from '../../../src/base/ids.ts'
import type { Seeded } from '../../support/seeded.ts'
import type { NaiveRequest, NaiveResource } from './naive.ts'
import { randomCondition, randomValues } from './random-conditions.ts'

/**
 * Policies and requests of few names, so that they often meet: two accounts, two keys, a role to be assumed, and
 * everybody who can call.
 */
const home = '111122223333' as AccountId
const away = '444455556666' as AccountId
const provider = `arn:aws:iam::${home}:oidc-provider/issuer.test`
const keys = ['k1', 'k2'].map((id) => `arn:aws:kms:us-east-1:${home}:key/${id}`)
const objects = ['o1', 'o2'].map((key) => `arn:aws:s3:::safe/${key}`)
const role = `arn:aws:iam::${home}:role/app/ops`

function callersOf(account: AccountId, letter: string): readonly Caller[] {
  const roleId = `AROA${letter.repeat(17)}`
  const common = { account, accessKeyId: 'AKIAEXAMPLE' }
  return [
    { ...common, type: 'root', arn: `arn:aws:iam::${account}:root`, principalId: account },
    {
      ...{ ...common, type: 'user', userName: 'ann', principalId: `AIDA${letter.repeat(17)}` },
      arn: `arn:aws:iam::${account}:user/ann`,
    },
    {
      ...{ ...common, type: 'role-session', principalId: `${roleId}:night`, roleId },
      arn: `arn:aws:sts::${account}:assumed-role/ops/night`,
      roleArn: `arn:aws:iam::${account}:role/app/ops`,
    },
  ]
}

const callers: readonly Caller[] = [...callersOf(home, 'A'), ...callersOf(away, 'B')]
const webIdentity: Caller = {
  type: 'web-identity',
  account: home,
  arn: provider,
  principalId: `${provider}:app:ann`,
  accessKeyId: '',
}

const keyActions = ['kms:Encrypt', 'kms:Decrypt', 'kms:CreateGrant', 'kms:DescribeKey']
const keyPatterns = ['*', 'kms:*', 'kms:*crypt', 'KMS:en?rypt', 'kms:D*', 'iam:*', ...keyActions]
const roleActions = ['sts:AssumeRole', 'sts:TagSession', 'sts:AssumeRoleWithWebIdentity']
const rolePatterns = ['sts:*', 'sts:Assume*', 'STS:tagsession', ...roleActions]
const bucketActions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:GetObjectTagging']
const bucketPatterns = ['*', 's3:*', 's3:*Object', 'S3:get*', 's3:Delete?bject', ...bucketActions]
const patternsOf = {
  key: keyPatterns,
  identity: keyPatterns,
  role: rolePatterns,
  bucket: bucketPatterns,
}
const actionsOf = {
  key: keyActions,
  identity: keyActions,
  role: roleActions,
  bucket: bucketActions,
}
const resourcePatterns = [
  ...['*', 'arn:aws:kms:us-east-1:*:key/*', 'arn:aws:kms:*:*:key/k?', 'arn:aws:iam::*:role/*'],
  ...[`arn:aws:kms:us-east-1:${home}:key/\${aws:PrincipalTag/key}`],
  ...[`arn:aws:kms:us-east-1:${home}:key/\${aws:PrincipalTag/key, 'k1'}`],
  ...['arn:aws:s3:::*', 'arn:aws:s3:::safe/*', 'arn:aws:s3:::safe/o?'],
  ...[...keys, ...objects, role],
]
const names = [
  ...['*', home, away, `arn:aws:iam::${home}:root`, `arn:aws:iam::${away}:root`],
  ...callers.filter(({ type }) => type !== 'root').map(({ principalId }) => principalId),
  ...callers.map(({ roleId }) => roleId).filter((id) => id !== undefined),
]

export function randomCase(chance: Seeded): NaiveRequest {
  const resource = randomResource(chance)
  const kinds = patternsOf[resource.type]
  const own = (kind: Kind) => randomPolicy(chance, kind, kind === 'trust' ? rolePatterns : kinds)
  const caller = resource.type === 'role' && chance.chance(0.2) ? webIdentity : chance.pick(callers)
  const resourceWith = (policy: string): NaiveResource =>
    resource.type === 'identity' || lacksPolicy(resource, chance)
      ? resource
      : { ...resource, policy }
  const human = caller.type === 'user' || caller.type === 'role-session'
  return {
    caller,
    permission: chance.pick(actionsOf[resource.type]),
    resource: resourceWith(own(policyKind[resource.type])),
    conditions: randomValues(chance),
    identity: human ? several(chance, 3, () => own('identity')) : [],
    boundary: human && chance.chance(0.25) ? own('identity') : undefined,
    session:
      caller.type === 'role-session' && chance.chance(0.25)
        ? several(chance, 3, () => own('identity'))
        : undefined,
    serviceControl: levels(chance, () => own('service-control')),
    resourceControl: levels(chance, () => own('resource-control')),
    grant: randomGrant(chance, resource, caller),
  }
}

const policyKind = { key: 'key', identity: 'key', role: 'trust', bucket: 'bucket' } as const

function lacksPolicy({ type }: NaiveResource, chance: Seeded): boolean {
  return type === 'bucket' && chance.chance(0.2)
}

function randomResource(chance: Seeded): NaiveResource {
  if (chance.chance(0.15)) {
    return { type: 'identity', arn: chance.pick(['*', ...keys]), account: home }
  }
  if (chance.chance(0.25)) return { type: 'role', arn: role, account: home, policy: '' }
  const crossAccount = chance.chance(0.8)
  if (chance.chance(0.3)) {
    return {
      type: 'bucket',
      arn: chance.pick(objects),
      account: home,
      policy: undefined,
      crossAccount,
    }
  }
  return { type: 'key', arn: chance.pick(keys), account: home, policy: '', crossAccount }
}

function randomGrant(chance: Seeded, resource: NaiveResource, caller: Caller) {
  if (resource.type !== 'key' || chance.chance(0.8)) return undefined
  if (caller.type === 'root') return 'account'
  if (caller.type === 'user') return chance.pick(['user', 'account'] as const)
  return chance.pick(['role', 'role-session', 'account'] as const)
}

/** Mostly none: guardrails that allow nothing would hide everything else. */
function levels(chance: Seeded, policy: () => string): readonly (readonly string[])[] {
  if (chance.chance(0.8)) return []
  return several(chance, 3, () => several(chance, 3, policy))
}

type Kind = 'key' | 'trust' | 'bucket' | 'identity' | 'service-control' | 'resource-control'

function randomPolicy(chance: Seeded, kind: Kind, actions: readonly string[]): string {
  const statements = [1, 2, 3]
    .slice(0, chance.between(1, 4))
    .map(() => randomStatement(chance, kind, actions))
  const version = chance.pick(['2012-10-17', '2012-10-17', '2008-10-17', undefined])
  const Statement = statements.length === 1 && chance.chance(0.3) ? statements[0] : statements
  return JSON.stringify({ ...(version !== undefined && { Version: version }), Statement })
}

function randomStatement(chance: Seeded, kind: Kind, actions: readonly string[]): object {
  return {
    Effect: chance.pick(['Allow', 'Allow', 'Deny']),
    ...principalElement(chance, kind),
    ...element(chance, 'Action', actions, kind === 'key' ? 0.05 : 0),
    ...(kind === 'trust'
      ? {}
      : element(chance, 'Resource', resourcePatterns, kind === 'key' ? 0.05 : 0)),
    ...(chance.chance(0.5) && { Condition: randomCondition(chance) }),
  }
}

function principalElement(chance: Seeded, kind: Kind): object {
  if (kind === 'identity' || kind === 'service-control') return {}
  if (kind === 'resource-control') return { Principal: chance.pick(['*', { AWS: '*' }]) }
  const name = chance.chance(0.12) ? 'NotPrincipal' : 'Principal'
  if (kind === 'trust') {
    if (chance.chance(0.3)) return { Principal: { Federated: provider } }
    return { Principal: { AWS: someOf(chance, names) } }
  }
  if (chance.chance(0.1)) return { [name]: '*' }
  return { [name]: { AWS: someOf(chance, names) } }
}

function element(
  chance: Seeded,
  name: string,
  patterns: readonly string[],
  missing: number,
): object {
  if (chance.chance(missing)) return chance.chance(0.5) ? {} : { [name]: [] }
  return { [chance.chance(0.1) ? `Not${name}` : name]: someOf(chance, patterns) }
}

function someOf(chance: Seeded, items: readonly string[]): string | readonly string[] {
  if (chance.chance(0.4)) return chance.pick(items)
  return several(chance, 4, () => chance.pick(items))
}

function several<T>(chance: Seeded, below: number, make: () => T): readonly T[] {
  return Array.from({ length: chance.between(1, below) }, make)
}
