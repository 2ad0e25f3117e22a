import type { PolicyVersion } from '../../../identities/records.ts'
import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findPolicy,
  policyCheck,
  policyResource,
  requirePolicy,
  shownVersion,
} from '../managed-policy.ts'
import { readPage } from '../paging.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'

const input = structure({ PolicyArn: required(shapes.arn), ...shapes.pageInput })

export const listPolicyVersions = operation({
  name: 'ListPolicyVersions',
  input,
  output: structure({ Versions: list(policyShapes.policyVersion), ...shapes.pageOutput }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyCheck(call, 'iam:ListPolicyVersions', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn', 'Marker', 'MaxItems'),
    resources: policyResource,
  },
  handle(_call, request, target) {
    const policy = requirePolicy(target)
    const scope = ['ListPolicyVersions', target.arn]
    const { items, page } = readPage(request, scope, policy.versions.toReversed(), position)
    const Versions = items.map((version) => shownVersion(policy, version, false))
    return { output: { Versions, ...page } }
  },
})

/** The newest first: positions of as many digits each, the smaller the newer. */
function position({ versionId }: PolicyVersion): string {
  return String(Number.MAX_SAFE_INTEGER - Number(versionId.slice(1)))
}
