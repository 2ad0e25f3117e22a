import type { Assembly } from './assembly.ts'
import { type KeyId, parseArn, parseRegion } from './base/ids.ts'
import { type PolicyArchive, PolicyTexts } from './identities/policy-texts.ts'
import type { ExplainDeps } from './operator/explain-commands.ts'
import { hypotheticalCheck } from './services/kms/hypothetical.ts'
import { bucketOfArn } from './services/s3/bucket.ts'
import type { Tables } from './tables.ts'

type Explanations = Pick<ExplainDeps, 'texts' | 'resourcePolicy' | 'keyCheck'> & Assembly & Tables

/** What explanations need of keys and of policies, answered out of the tables and the archive. */
export function explanations(
  tables: Tables,
  assembly: Assembly,
  archive: PolicyArchive,
): Explanations {
  const { identities, guardrails, state, s3 } = tables
  const texts = new PolicyTexts(archive, identities, guardrails)
  return {
    ...tables,
    ...assembly,
    texts: (digests) => texts.find(digests),
    resourcePolicy(text) {
      const bucket = bucketOfArn(text)
      if (bucket !== undefined) return s3.get(bucket)?.policy
      const arn = parseArn(text)
      const region = parseRegion(arn?.region ?? '')
      if (region === undefined || arn?.resource.startsWith('key/') !== true) return undefined
      return state.key(region, arn.resource.slice(4) as KeyId)?.policy
    },
    keyCheck: (call, use) => hypotheticalCheck(call, use, tables),
  }
}
