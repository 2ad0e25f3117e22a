import { list, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import {
  type Detail,
  detailsOf,
  groupDetail,
  policyDetail,
  positionOf,
  roleDetail,
  userDetail,
} from '../authorization-details.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { readPage } from '../paging.ts'
import * as policyShapes from '../policy-shapes.ts'
import { policyUsage } from '../policy-usage.ts'
import * as shapes from '../shapes.ts'

const policyList = list(structure({ PolicyName: string(), PolicyDocument: string() }))
const attachedPolicies = list(structure({ PolicyName: string(), PolicyArn: string() }))
const named = { Path: string(), Arn: string(), CreateDate: timestamp() } as const

const input = structure({ Filter: list(policyShapes.entityType), ...shapes.pageInput })

const output = structure({
  UserDetailList: list(
    structure({
      ...named,
      UserName: string(),
      UserId: string(),
      UserPolicyList: policyList,
      GroupList: list(string()),
      AttachedManagedPolicies: attachedPolicies,
      PermissionsBoundary: shapes.permissionsBoundary,
      Tags: shapes.tags,
    }),
  ),
  GroupDetailList: list(
    structure({
      ...named,
      GroupName: string(),
      GroupId: string(),
      GroupPolicyList: policyList,
      AttachedManagedPolicies: attachedPolicies,
    }),
  ),
  RoleDetailList: list(
    structure({
      ...named,
      RoleName: string(),
      RoleId: string(),
      AssumeRolePolicyDocument: string(),
      InstanceProfileList: list(string()),
      RolePolicyList: policyList,
      AttachedManagedPolicies: attachedPolicies,
      PermissionsBoundary: shapes.permissionsBoundary,
      Tags: shapes.tags,
    }),
  ),
  Policies: list(
    structure({
      ...policyShapes.managedPolicy.members,
      PolicyVersionList: list(policyShapes.policyVersion),
    }),
  ),
  ...shapes.pageOutput,
})

export const getAccountAuthorizationDetails = operation({
  name: 'GetAccountAuthorizationDetails',
  input,
  output,
  effects: 'read',
  errors: [],
  resolve: (_call, _request, _deps: IamDeps) => undefined,
  checks: (call) => [iamCheck(call, 'iam:GetAccountAuthorizationDetails', '*')],
  audit: { request: (request) => recorded(input, request, 'Filter', 'MaxItems', 'Marker') },
  handle({ caller: { account } }, request, _target, deps) {
    const { Filter = [] } = request
    const wanted = new Set<Detail['kind']>(Filter)
    const details = detailsOf(deps.identities, account).filter(
      ({ kind }) => wanted.size === 0 || wanted.has(kind),
    )
    const scope = ['GetAccountAuthorizationDetails', account, ...[...wanted].sort()]
    const asked = readPage(request, scope, details, positionOf).items
    const { items, page } = readPage(
      { ...request, MaxItems: countWithin(asked) },
      scope,
      details,
      positionOf,
    )
    const usage = policyUsage(deps.identities, account)
    return {
      output: {
        UserDetailList: items.flatMap((detail) =>
          detail.kind === 'User' ? [userDetail(detail.record, deps)] : [],
        ),
        GroupDetailList: items.flatMap((detail) =>
          detail.kind === 'Group' ? [groupDetail(detail.record, deps)] : [],
        ),
        RoleDetailList: items.flatMap((detail) =>
          detail.kind === 'Role' ? [roleDetail(detail.record, deps)] : [],
        ),
        Policies: items.flatMap((detail) =>
          detail.kind === 'LocalManagedPolicy' || detail.kind === 'AWSManagedPolicy'
            ? [policyDetail(detail.record, usage)]
            : [],
        ),
        ...page,
      },
    }
  },
})

/** Characters of records; policies in an answer are up to three times as long. */
const charactersMax = 1024 ** 2

/** How many of them a page can have: it ends early when it is long enough. */
function countWithin(details: readonly Detail[]): number {
  let characters = 0
  let count = 0
  for (const { record } of details) {
    if (characters >= charactersMax) break
    characters += JSON.stringify(record).length
    count++
  }
  return Math.max(1, count)
}
