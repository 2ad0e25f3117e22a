import {
  boolean,
  integer,
  list,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../wire/schema.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html; bounds as in the service model. */
export const entityName = string({ min: 1, max: 64, pattern: '[\\w+=,.@-]+' })
export const existingUserName = string({ min: 1, max: 128, pattern: '[\\w+=,.@-]+' })
export const policyName = string({ min: 1, max: 128, pattern: '[\\w+=,.@-]+' })
export const groupName = string({ min: 1, max: 128, pattern: '[\\w+=,.@-]+' })
export const path = string({
  min: 1,
  max: 512,
  pattern: '(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)',
})
export const pathPrefix = string({ min: 1, max: 512, pattern: '\\u002F[\\u0021-\\u007F]*' })
export const policyPath = string({
  min: 1,
  max: 512,
  pattern: '((/[A-Za-z0-9\\.,\\+@=_-]+)*)/',
})
export const arn = string({ min: 20, max: 2048 })
export const policyDocument = string({
  min: 1,
  max: 131_072,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
})
export const marker = string({ min: 1, max: 320, pattern: '[\\u0020-\\u00FF]+' })
export const maxItems = integer({ min: 1, max: 1000 })
export const tag = structure({
  Key: required(string({ min: 1, max: 128, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+' })),
  Value: required(string({ min: 0, max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*' })),
})
export const tags = list(tag, { max: 50 })
export const tagKeys = list(string({ min: 1, max: 128 }), { max: 50 })
export const accessKeyId = string({ min: 16, max: 128, pattern: '[\\w]+' })

export const accessKeyStatus = oneOf('Active', 'Inactive', 'Expired')
/** The service model's pattern, without a look-ahead. */
export const accountAlias = string({ min: 3, max: 63, pattern: '[a-z0-9]+(-[a-z0-9]+)*' })

/** Of every list. */
export const pageInput = { Marker: marker, MaxItems: maxItems } as const
export const pageOutput = { IsTruncated: boolean(), Marker: string() } as const

export const permissionsBoundary = structure({
  PermissionsBoundaryType: string(),
  PermissionsBoundaryArn: string(),
})

export const user = structure({
  Path: string(),
  UserName: string(),
  UserId: string(),
  Arn: string(),
  CreateDate: timestamp(),
  PermissionsBoundary: permissionsBoundary,
  Tags: tags,
})

export const group = structure({
  Path: string(),
  GroupName: string(),
  GroupId: string(),
  Arn: string(),
  CreateDate: timestamp(),
})

export const role = structure({
  Path: string(),
  RoleName: string(),
  RoleId: string(),
  Arn: string(),
  CreateDate: timestamp(),
  AssumeRolePolicyDocument: string(),
  Description: string(),
  MaxSessionDuration: integer(),
  PermissionsBoundary: permissionsBoundary,
  Tags: tags,
})
