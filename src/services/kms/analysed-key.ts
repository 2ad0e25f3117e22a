import type { AnalysedGrant, AnalysedKey } from '../../authorize/analyse/world.ts'
import { parseArn, parseKeyId, type Region } from '../../base/ids.ts'
import { isEnforced } from './enforced.ts'
import { contextOf, operationNames } from './grant.ts'
import type { Grants } from './grants.ts'
import { arnOf, type KeyRecord } from './key.ts'
import type { KmsState } from './state.ts'

/** A key, its aliases and its tags, as an analysis looks at them. */
export function analysedKey(key: KeyRecord, state: KmsState): AnalysedKey {
  const { account, region, policy, keySpec, keyUsage, origin, replication, tags } = key
  return {
    ...{ account, region, policy, keySpec, keyUsage, origin },
    arn: arnOf(key),
    multiRegion: replication?.type,
    tags: Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
    aliases: state.aliasNamesOf(key),
    guarded: isEnforced(key),
  }
}

/** Grants on one key beyond which an analysis would take too long. */
const grantsMax = 5000

/** The grants on a key; undefined: they are more than an analysis takes. */
export function analysedGrants(
  key: KeyRecord,
  grants: Grants,
): readonly AnalysedGrant[] | undefined {
  if (grants.count(key) > grantsMax) return undefined
  return grants.ofKey(key, { after: undefined, count: grantsMax }).map((grant) => ({
    grantId: grant.grantId,
    grantee: grant.grantee,
    operations: operationNames(grant.operations),
    contextEquals: contextOf(grant.contextEquals),
    contextSubset: contextOf(grant.contextSubset),
    sourceArn: grant.sourceArn,
  }))
}

/**
 * Every key that a text can mean: a key ARN or an alias ARN means one, a key id or an alias name perhaps one in each of
 * several Regions and accounts.
 */
export function keysNamed(
  text: string,
  regions: readonly Region[],
  accounts: readonly string[],
  state: KmsState,
): readonly KeyRecord[] {
  const arn = parseArn(text)
  const within = (one: Region) => arn === undefined || arn.region === one
  const of = (account: string) => arn === undefined || arn.account === account
  const name = arn === undefined ? text : arn.resource.replace(/^key\//, '')
  const found = regions.filter(within).flatMap((region) => {
    if (!name.startsWith('alias/')) {
      return parseKeyId(name) === undefined ? [] : [state.key(region, name)]
    }
    const targets = accounts.filter(of).map((account) => state.alias(region, account, name))
    return targets.map((alias) => alias && state.key(region, alias.targetKeyId))
  })
  return found.filter((key) => key !== undefined).filter((key) => of(key.account))
}
