import {
  integer,
  list,
  map,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../wire/schema.ts'
import { complianceTypes } from './deps.ts'

/** Shapes that several operations share, with the bounds of AWS's own model. */
export const ruleName = string({ min: 1, max: 128, pattern: '.*\\S.*' })
export const ruleNames = list(ruleName, { max: 25 })
export const resourceType = string({ min: 1, max: 196, pattern: '^[A-Za-z0-9:]+$' })
export const resourceId = string({ min: 1, max: 768 })
export const nextToken = string({ max: 1024 })
/** What is out of bounds has an error of its own. */
export const limit = integer()
export const complianceType = oneOf(...complianceTypes)
export const complianceTypeList = list(complianceType, { max: 3 })
export const frequency = oneOf(
  ...(['One_Hour', 'Three_Hours', 'Six_Hours', 'Twelve_Hours', 'TwentyFour_Hours'] as const),
)
export const tag = structure({
  Key: required(string({ min: 1, max: 128 })),
  Value: required(string({ max: 256 })),
})
export const tags = list(tag, { max: 50 })
export const arn = string({ min: 1, max: 1000 })

const itemMembers = {
  version: string(),
  accountId: string(),
  configurationItemCaptureTime: timestamp(),
  configurationItemStatus: string(),
  configurationStateId: string(),
  arn: string(),
  resourceType: string(),
  resourceId: string(),
  resourceName: string(),
  awsRegion: string(),
  availabilityZone: string(),
  resourceCreationTime: timestamp(),
  configuration: string(),
  supplementaryConfiguration: map(),
  recordingFrequency: string(),
  configurationItemDeliveryTime: timestamp(),
} as const
export const baseConfigurationItem = structure(itemMembers)
export const configurationItem = structure({
  ...itemMembers,
  configurationItemMD5Hash: string(),
  tags: map(),
  relatedEvents: list(string()),
  relationships: list(
    structure({
      resourceType: string(),
      resourceId: string(),
      resourceName: string(),
      relationshipName: string(),
    }),
  ),
})

export const resourceKey = structure({
  resourceType: required(resourceType),
  resourceId: required(resourceId),
})

export const evaluationResult = structure({
  EvaluationResultIdentifier: structure({
    EvaluationResultQualifier: structure({
      ConfigRuleName: string(),
      ResourceType: string(),
      ResourceId: string(),
      EvaluationMode: string(),
    }),
    OrderingTimestamp: timestamp(),
    ResourceEvaluationId: string(),
  }),
  ComplianceType: string(),
  ResultRecordedTime: timestamp(),
  ConfigRuleInvokedTime: timestamp(),
  Annotation: string(),
  ResultToken: string(),
})

export const compliance = structure({
  ComplianceType: string(),
  ComplianceContributorCount: structure({
    CappedCount: integer(),
    CapExceeded: { type: 'boolean' },
  }),
})
