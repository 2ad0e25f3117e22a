import type { AccountId } from '../base/ids.ts'
import type { ManagedPolicyRecord } from './records.ts'

/**
 * AWS's own managed policies that this deployment knows, under AWS's names and ids. They can be attached, and nobody
 * can change them. Each has the one version `v1`, which says what AWS's present version says.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
type AwsPolicy = {
  readonly id: string
  readonly description: string
  readonly statements: readonly object[]
}

/** In the order of their names without regard to case. */
const policies: Readonly<Record<string, AwsPolicy>> = {
  AdministratorAccess: {
    id: 'ANPAIWMBCKSKIEE64ZLYK',
    description: 'Provides full access to AWS services and resources.',
    statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  },
  AWSKeyManagementServicePowerUser: {
    id: 'ANPAJNPP7PPPPMJRV2SA4',
    description: 'Provides access to AWS Key Management Service (KMS).',
    statements: [
      allow(
        ...['kms:CreateAlias', 'kms:CreateKey', 'kms:DeleteAlias', 'kms:Describe*'],
        ...['kms:GenerateRandom', 'kms:Get*', 'kms:List*', 'kms:TagResource', 'kms:UntagResource'],
        ...['iam:ListGroups', 'iam:ListRoles', 'iam:ListUsers'],
      ),
    ],
  },
  IAMFullAccess: {
    id: 'ANPAI7XKCFMBPM3QQRRVQ',
    description: 'Provides full access to IAM via the AWS Management Console.',
    statements: [
      allow(
        ...['iam:*', 'organizations:DescribeAccount', 'organizations:DescribeOrganization'],
        ...['organizations:DescribeOrganizationalUnit', 'organizations:DescribePolicy'],
        ...['organizations:ListChildren', 'organizations:ListParents'],
        ...['organizations:ListPoliciesForTarget', 'organizations:ListRoots'],
        ...['organizations:ListPolicies', 'organizations:ListTargetsForPolicy'],
      ),
    ],
  },
  IAMReadOnlyAccess: {
    id: 'ANPAJKSO7NDY4T57MWDSQ',
    description: 'Provides read only access to IAM via the AWS Management Console.',
    statements: [
      allow(
        ...['iam:GenerateCredentialReport', 'iam:GenerateServiceLastAccessedDetails'],
        ...['iam:Get*', 'iam:List*', 'iam:SimulateCustomPolicy', 'iam:SimulatePrincipalPolicy'],
      ),
    ],
  },
  PowerUserAccess: {
    id: 'ANPAJYRXTHIB4FOVS3ZXS',
    description:
      'Provides full access to AWS services and resources, but does not allow management of Users and groups.',
    statements: [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow(
        ...['account:GetAccountInformation', 'account:GetPrimaryEmail', 'account:ListRegions'],
        ...['iam:CreateServiceLinkedRole', 'iam:DeleteServiceLinkedRole', 'iam:ListRoles'],
        ...['organizations:DescribeEffectivePolicy', 'organizations:DescribeOrganization'],
      ),
    ],
  },
}

/** When AWS made the first of them. */
const createdAt = Date.UTC(2015, 1, 6, 18, 39, 46)

const records: ReadonlyMap<string, ManagedPolicyRecord> = new Map(
  Object.entries(policies).map(([policyName, { id, description, statements }]) => [
    `arn:aws:iam::aws:policy/${policyName}`,
    {
      account: 'aws' as AccountId,
      policyId: id,
      policyName,
      path: '/',
      createdAt,
      updatedAt: createdAt,
      description,
      tags: [],
      versions: [{ versionId: 'v1', text: policyText(statements), createdAt }],
      defaultVersionId: 'v1',
      nextVersion: 2,
    },
  ]),
)

/** One of these, not a customer's. */
export function isAwsManaged({ account }: ManagedPolicyRecord): boolean {
  return (account as string) === 'aws'
}

export function awsManagedPolicy(arn: string): ManagedPolicyRecord | undefined {
  return records.get(arn)
}

export function awsManagedPolicies(): readonly ManagedPolicyRecord[] {
  return [...records.values()]
}

function allow(...actions: readonly string[]) {
  return { Effect: 'Allow', Action: actions, Resource: '*' }
}

function policyText(statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}
