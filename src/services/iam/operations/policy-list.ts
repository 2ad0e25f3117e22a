import { awsManagedPolicies } from '../../../identities/aws-managed-policies.ts'
import { type ManagedPolicyRecord, policyArn } from '../../../identities/records.ts'
import { boolean, list, oneOf, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { policyPosition, shownPolicy } from '../managed-policy.ts'
import { readPage } from '../paging.ts'
import * as policyShapes from '../policy-shapes.ts'
import { policyUsage, usageOf } from '../policy-usage.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  Scope: oneOf('All', 'AWS', 'Local'),
  OnlyAttached: boolean(),
  PathPrefix: shapes.policyPath,
  PolicyUsageFilter: policyShapes.usageFilter,
  ...shapes.pageInput,
})

export const listPolicies = operation({
  name: 'ListPolicies',
  input,
  output: structure({ Policies: list(policyShapes.managedPolicy), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: (_call, _request, _deps: IamDeps) => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListPolicies', '*')],
  audit: {
    request: (request) =>
      recorded(
        input,
        request,
        ...(['Scope', 'OnlyAttached', 'PathPrefix', 'PolicyUsageFilter'] as const),
        ...(['Marker', 'MaxItems'] as const),
      ),
  },
  handle({ caller: { account } }, request, _target, { identities }) {
    const { Scope = 'All', OnlyAttached = false, PathPrefix = '/', PolicyUsageFilter } = request
    const usage = policyUsage(identities, account)
    const wanted = (policy: ManagedPolicyRecord) => {
      const { attachments, boundaries } = usageOf(usage, policyArn(policy))
      if (!policy.path.startsWith(PathPrefix)) return false
      if (OnlyAttached && attachments + boundaries === 0) return false
      if (PolicyUsageFilter === 'PermissionsPolicy') return attachments > 0
      return PolicyUsageFilter === 'PermissionsBoundary' ? boundaries > 0 : true
    }
    const policies = [
      ...(Scope === 'AWS' ? [] : identities.policies.of(account)),
      ...(Scope === 'Local' ? [] : awsManagedPolicies()),
    ].filter(wanted)
    const scope = [account, Scope, String(OnlyAttached), PathPrefix, PolicyUsageFilter ?? '']
    const { items, page } = readPage(request, ['ListPolicies', ...scope], policies, policyPosition)
    return { output: { Policies: items.map((policy) => shownPolicy(policy, usage)), ...page } }
  },
})
