import { boolean, integer, oneOf, string, structure, timestamp } from '../../wire/schema.ts'
import * as shapes from './shapes.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html; bounds as in the service model. */
export const policyDescription = string({ max: 1000 })
/** The model has no bound of length; no version that there is has a longer id. */
export const versionId = string({ max: 64, pattern: 'v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?' })
export const usageFilter = oneOf('PermissionsPolicy', 'PermissionsBoundary')
export const entityType = oneOf('User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy')
/** Of actions, resources and context keys in simulations. */
export const resourceName = string({ min: 1, max: 2048 })

export const managedPolicy = structure({
  PolicyName: string(),
  PolicyId: string(),
  Arn: string(),
  Path: string(),
  DefaultVersionId: string(),
  AttachmentCount: integer(),
  PermissionsBoundaryUsageCount: integer(),
  IsAttachable: boolean(),
  Description: string(),
  CreateDate: timestamp(),
  UpdateDate: timestamp(),
  Tags: shapes.tags,
})

export const policyVersion = structure({
  Document: string(),
  VersionId: string(),
  IsDefaultVersion: boolean(),
  CreateDate: timestamp(),
})
