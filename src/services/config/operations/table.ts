import type { AnyOperation } from '../../operation.ts'
import {
  deleteDeliveryChannel,
  describeDeliveryChannelStatus,
  describeDeliveryChannels,
  putDeliveryChannel,
} from './channel.ts'
import {
  describeComplianceByConfigRule,
  describeComplianceByResource,
  getComplianceDetailsByConfigRule,
  getComplianceDetailsByResource,
} from './compliance.ts'
import { batchGetResourceConfig, getResourceConfigHistory } from './history.ts'
import {
  deleteConfigurationRecorder,
  describeConfigurationRecorderStatus,
  describeConfigurationRecorders,
  putConfigurationRecorder,
  startConfigurationRecorder,
  stopConfigurationRecorder,
} from './recorder.ts'
import { getDiscoveredResourceCounts, listDiscoveredResources } from './resources.ts'
import {
  deleteConfigRule,
  describeConfigRuleEvaluationStatus,
  describeConfigRules,
  putConfigRule,
  startConfigRulesEvaluation,
} from './rules.ts'
import { selectResourceConfig } from './select.ts'
import { listTagsForResource, tagResource, untagResource } from './tags.ts'

const operations: readonly AnyOperation[] = [
  batchGetResourceConfig,
  deleteConfigRule,
  deleteConfigurationRecorder,
  deleteDeliveryChannel,
  describeComplianceByConfigRule,
  describeComplianceByResource,
  describeConfigRuleEvaluationStatus,
  describeConfigRules,
  describeConfigurationRecorderStatus,
  describeConfigurationRecorders,
  describeDeliveryChannelStatus,
  describeDeliveryChannels,
  getComplianceDetailsByConfigRule,
  getComplianceDetailsByResource,
  getDiscoveredResourceCounts,
  getResourceConfigHistory,
  listDiscoveredResources,
  listTagsForResource,
  putConfigRule,
  putConfigurationRecorder,
  putDeliveryChannel,
  selectResourceConfig,
  startConfigRulesEvaluation,
  startConfigurationRecorder,
  stopConfigurationRecorder,
  tagResource,
  untagResource,
]

export const configOperations: ReadonlyMap<string, AnyOperation> = new Map(
  operations.map((operation) => [operation.name, operation]),
)
