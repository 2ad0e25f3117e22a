import type { TestContext } from 'node:test'
import { account } from '../../src/testing/house.ts'
import { type How, Stage } from './stage.ts'

const ConfigRuleName = 'rotation'
const Tags = [{ Key: 'team', Value: 'red' }]
const name = 'default'

/** Every operation of AWS Config. */
export async function configRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'config')
  const { house } = stage
  const call = (operation: string, input: object, how: How = {}) =>
    stage.call(operation, input, {
      ...{ service: 'config', target: `StarlingDoveService.${operation}`, ...how },
    })
  house.buckets.set('logs', undefined)
  const roleARN = `arn:aws:iam::${account}:role/config`
  await call('PutConfigurationRecorder', { ConfigurationRecorder: { name, roleARN } })
  await call('DescribeConfigurationRecorders', {})
  await call('PutDeliveryChannel', { DeliveryChannel: { name, s3BucketName: 'logs' } })
  await call('DescribeDeliveryChannels', {})
  await call('DescribeDeliveryChannelStatus', {})
  const ConfigurationRecorderName = name
  await call('StartConfigurationRecorder', { ConfigurationRecorderName })
  await call('DescribeConfigurationRecorderStatus', {})
  await call('StopConfigurationRecorder', { ConfigurationRecorderName })
  await call('DeleteDeliveryChannel', { DeliveryChannelName: name })
  await call('DeleteConfigurationRecorder', { ConfigurationRecorderName })

  const resourceType = 'AWS::KMS::Key'
  const resourceId = await house.newKey()
  await call('GetResourceConfigHistory', { resourceType, resourceId })
  await call('BatchGetResourceConfig', { resourceKeys: [{ resourceType, resourceId }] })
  await call('ListDiscoveredResources', { resourceType })
  await call('GetDiscoveredResourceCounts', {})
  await call('SelectResourceConfig', { Expression: 'SELECT resourceId' })

  const Source = { Owner: 'AWS', SourceIdentifier: 'CMK_BACKING_KEY_ROTATION_ENABLED' }
  await call('PutConfigRule', { ConfigRule: { ConfigRuleName, Source }, Tags })
  const { ConfigRules } = await call('DescribeConfigRules', {})
  const [rule] = ConfigRules as [{ ConfigRuleArn: string }]
  await house.assembly.configuration.compliance.round()
  await call('DescribeComplianceByConfigRule', {})
  const of = { ResourceType: resourceType, ResourceId: resourceId }
  await call('DescribeComplianceByResource', of)
  await call('GetComplianceDetailsByConfigRule', { ConfigRuleName })
  await call('GetComplianceDetailsByResource', of)
  await call('StartConfigRulesEvaluation', { ConfigRuleNames: [ConfigRuleName] })
  await call('DescribeConfigRuleEvaluationStatus', {})
  const ResourceArn = rule.ConfigRuleArn
  await call('TagResource', { ResourceArn, Tags })
  await call('ListTagsForResource', { ResourceArn })
  await call('UntagResource', { ResourceArn, TagKeys: ['team'] })
  await call('DeleteConfigRule', { ConfigRuleName })
  return stage
}
