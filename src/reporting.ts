import type { Assembly } from './assembly.ts'
import type { Clock } from './base/clock.ts'
import { isSymmetric } from './hsm/key-specs.ts'
import type { GrantFacts, KeyFacts } from './reports/facts.ts'
import type { ReportDeps } from './reports/report-commands.ts'
import { operationNames } from './services/kms/grant.ts'
import { shownParty } from './services/kms/grant-principal.ts'
import { arnOf, type KeyRecord } from './services/kms/key.ts'
import { trackedOperations } from './services/kms/last-usage.ts'
import { asOf, materialEntries } from './services/kms/materials.ts'
import { rotationOf } from './services/kms/rotation.ts'
import type { Tables } from './tables.ts'

type Reporting = Pick<ReportDeps, 'keyFacts' | 'grantFacts' | 'keyOperations'>

/** Keys and grants as reports read them, out of the tables. */
export function reporting(tables: Tables, { principals }: Assembly, clock: Clock): Reporting {
  const { state, grants } = tables
  return {
    keyOperations: trackedOperations,
    *keyFacts() {
      for (const key of state.keys.values()) yield keyFacts(asOf(key, clock.now()), tables)
    },
    *grantFacts({ arn, region, keyId }) {
      const key = state.keys.get(`${region}/${keyId}`)
      if (key === undefined) return
      for (const grant of grants.ofKey(key, { after: undefined, count: grants.count(key) })) {
        const facts: GrantFacts = {
          grantId: grant.grantId,
          key: arn,
          createdAt: grant.createdAt,
          grantee: shownParty(grant.grantee, principals),
          operations: operationNames(grant.operations),
          name: grant.name,
        }
        yield facts
      }
    },
  }
}

function keyFacts(key: KeyRecord, { state }: Tables): KeyFacts {
  const { account, region, keyId, createdAt, keySpec, origin, manager = 'CUSTOMER' } = key
  const materials = materialEntries(key)
  const rotated = materials.findLast(({ rotatedAt }) => rotatedAt !== undefined)
  return {
    ...{ arn: arnOf(key), account, region, keyId, createdAt, keySpec, origin, manager },
    aliases: state.aliasNamesOf(key),
    state: key.state,
    rotatable: isSymmetric(keySpec),
    rotation: rotationOf(key),
    materials: materials.length,
    lastRotation:
      rotated?.rotatedAt === undefined
        ? undefined
        : { at: rotated.rotatedAt, type: rotated.rotationType ?? '' },
    deletionDate: key.deletion?.date,
  }
}
