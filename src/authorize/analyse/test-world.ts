/** Small worlds that the tests of the analyser share. */
import { parseRegion } from '../../base/ids.ts'
import type { CallerLayers, SourcedPolicy } from '../layers.ts'
import { noLayers } from '../layers.ts'
import { compilePolicy } from '../policy/compile.ts'
import type { PolicyKind } from '../policy/document.ts'
import { abroad, home, keyArn, policyText, type StatementJson } from '../test-samples.ts'
import type { AnalysedKey, AnalysedRole, AnalysedUser, AnalysisWorld } from './world.ts'

export const ids = {
  alice: 'AIDAALICE0000000EXAMPLE',
  bob: 'AIDABOB000000000EXAMPLE',
  carol: 'AIDACAROL0000000EXAMPLE',
  role: 'AROAROLE00000000EXAMPLE',
} as const

export function sourced(
  name: string,
  statements: StatementJson | readonly StatementJson[],
  kind: PolicyKind = 'identity',
): SourcedPolicy {
  return { name, version: undefined, policy: compilePolicy(policyText(statements), kind) }
}

export function layersWith(...identity: readonly StatementJson[]): CallerLayers {
  const policies = identity.length === 0 ? [] : [sourced('own', identity)]
  return { ...noLayers, identity: policies }
}

export function user(
  name: string,
  userId: string,
  layers = noLayers,
  account = home,
): AnalysedUser {
  const arn = `arn:aws:iam::${account}:user/${name}`
  return { account, arn, userId, userName: name, tags: {}, groupIds: [], layers }
}

export function role(
  name: string,
  trust: readonly StatementJson[],
  layers = noLayers,
): AnalysedRole {
  return {
    account: home,
    arn: `arn:aws:iam::${home}:role/${name}`,
    roleId: ids.role,
    roleName: name,
    tags: {},
    layers,
    trustPolicy: policyText(trust),
  }
}

const region = parseRegion('eu-west-1')

export function keyWith(
  policy: readonly StatementJson[],
  changes: Partial<AnalysedKey> = {},
): AnalysedKey {
  if (region === undefined) throw new Error('a Region')
  return {
    arn: keyArn,
    account: home,
    region,
    policy: policyText(policy),
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    multiRegion: undefined,
    tags: {},
    aliases: [],
    guarded: false,
    ...changes,
  }
}

export function worldOf(
  changes: Partial<AnalysisWorld> & Pick<AnalysisWorld, 'key'>,
): AnalysisWorld {
  return {
    accounts: [home, abroad].map((account) => ({ account, layers: noLayers, resourceControl: [] })),
    users: [],
    roles: [],
    groups: [],
    grants: [],
    organization: {},
    viaServices: [],
    ...changes,
  }
}
