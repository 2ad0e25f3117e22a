import { integer, list, required, string, structure, timestamp } from '../../wire/schema.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_Types.html; bounds as in the service model. */
export const arn = string({
  min: 20,
  max: 2048,
  pattern:
    '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+',
})
export const roleSessionName = string({ min: 2, max: 64, pattern: '[\\w+=,.@-]*' })
/** AWS has no bound for it in its model of AssumeRole, and the same one in its documentation. */
export const sessionPolicy = string({
  min: 1,
  max: 2048,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
})
export const policyArns = list(structure({ arn }), { max: 10 })
export const roleDuration = integer({ min: 900, max: 43_200 })
export const userDuration = integer({ min: 900, max: 129_600 })
export const tagKey = string({ min: 1, max: 128, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+' })
export const tags = list(
  structure({
    Key: required(tagKey),
    Value: required(string({ min: 0, max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*' })),
  }),
  { max: 50 },
)
export const tagKeys = list(tagKey, { max: 50 })
export const externalId = string({ min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' })
export const serialNumber = string({ min: 9, max: 256, pattern: '[\\w+=/:,.@-]*' })
export const tokenCode = string({ min: 6, max: 6, pattern: '[\\d]*' })
export const webIdentityToken = string({ min: 4, max: 20_000, sensitive: true })
export const providerId = string({ min: 4, max: 2048 })
export const sourceIdentity = string({ min: 2, max: 64, pattern: '[\\w+=,.@-]*' })
export const minimumTokenSize = integer({ min: 0, max: 4096 })
export const accessKeyId = string({ min: 16, max: 128, pattern: '[\\w]*' })

export const credentials = structure({
  AccessKeyId: string({ min: 16, max: 128 }),
  SecretAccessKey: string({ sensitive: true }),
  SessionToken: string({ sensitive: true }),
  Expiration: timestamp(),
})

export const assumedRoleUser = structure({
  AssumedRoleId: string({ min: 2, max: 193 }),
  Arn: string({ min: 20, max: 2048 }),
})

/** Of the longest token that there can be, in per cent; in characters. */
export const tokenSize = {
  SessionTokenUtilization: integer({ min: 0 }),
  SessionTokenSize: integer({ min: 0 }),
} as const

/** What the answers of both kinds of AssumeRole have in common. */
export const roleSessionOutput = {
  Credentials: credentials,
  AssumedRoleUser: assumedRoleUser,
  PackedPolicySize: integer({ min: 0 }),
  SourceIdentity: sourceIdentity,
  ...tokenSize,
} as const
