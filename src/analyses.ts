import type { Assembly } from './assembly.ts'
import type { AnalyseDeps } from './operator/analyse-commands.ts'
import { analysedGrants, analysedKey, keysNamed } from './services/kms/analysed-key.ts'
import type { Tables } from './tables.ts'

type Analyses = Pick<AnalyseDeps, 'keys'> & Assembly & Tables

/** What analyses need of keys, answered out of the tables. */
export function analyses(tables: Tables, assembly: Assembly): Analyses {
  const { accounts, state, grants } = tables
  return {
    ...tables,
    ...assembly,
    keys: (text) =>
      keysNamed(text, accounts.deployment?.regions ?? [], accounts.all(), state).map((key) => ({
        key: analysedKey(key, state),
        grants: analysedGrants(key, grants),
      })),
  }
}
