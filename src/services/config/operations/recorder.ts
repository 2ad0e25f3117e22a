import { ServiceError } from '../../../base/errors.ts'
import {
  boolean,
  list,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { check, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { noSuchRecorder, validation } from '../errors.ts'
import { resourceType } from '../shapes.ts'
import { placeOf, type RecorderRecord } from '../state.ts'

/** The recorder that AWS wants to see before it records. Here everything is recorded always, with one or without. */
const name = string({ min: 1, max: 256 })
const names = list(name, { max: 25 })
const types = list(resourceType, { max: 1000 })

const recorder = structure({
  arn: string({ min: 1, max: 1000 }),
  name,
  roleARN: string({ max: 2048 }),
  recordingGroup: structure({
    allSupported: boolean(),
    includeGlobalResourceTypes: boolean(),
    resourceTypes: types,
    exclusionByResourceTypes: structure({ resourceTypes: types }),
    recordingStrategy: structure({
      useOnly: oneOf(
        'ALL_SUPPORTED_RESOURCE_TYPES',
        'INCLUSION_BY_RESOURCE_TYPES',
        'EXCLUSION_BY_RESOURCE_TYPES',
      ),
    }),
  }),
  recordingMode: structure({
    recordingFrequency: required(oneOf('CONTINUOUS', 'DAILY')),
    recordingModeOverrides: list(structure({ description: string() }), { max: 1 }),
  }),
  recordingScope: oneOf('INTERNAL', 'PAID'),
  servicePrincipal: string({ min: 1, max: 128 }),
})

const roleForm = /^arn:aws:iam::\d{12}:role\/.{1,512}$/

function recorderOf(call: CallContext, { config }: ConfigDeps): RecorderRecord | undefined {
  return config.recorders.get(placeOf(whereOf(call)))
}

function recorderNamed(call: CallContext, wanted: string, deps: ConfigDeps): RecorderRecord {
  const found = recorderOf(call, deps)
  if (found?.name !== wanted) throw noSuchRecorder(wanted)
  return found
}

function recordersNamed(
  call: CallContext,
  wanted: readonly string[] | undefined,
  deps: ConfigDeps,
): readonly RecorderRecord[] {
  if (wanted !== undefined && wanted.length > 0) {
    return wanted.map((each) => recorderNamed(call, each, deps))
  }
  const found = recorderOf(call, deps)
  return found === undefined ? [] : [found]
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigurationRecorder.html */
export const putConfigurationRecorder = operation({
  name: 'PutConfigurationRecorder',
  input: structure({ ConfigurationRecorder: required(recorder) }),
  output: undefined,
  effects: 'write',
  errors: ['invalid-recording-group', 'invalid-role', 'recorders-exceeded', 'validation'],
  resolve(call, { ConfigurationRecorder: asked }, deps: ConfigDeps) {
    const { name = 'default', roleARN = '', recordingGroup, recordingMode } = asked
    if (!roleForm.test(roleARN)) {
      throw new ServiceError('invalid-role', 'The role ARN is not valid.')
    }
    requireEverything(recordingGroup)
    const { arn, recordingScope, servicePrincipal } = asked
    if (recordingMode?.recordingFrequency === 'DAILY' || recordingMode?.recordingModeOverrides) {
      throw validation('Every change is recorded: recordingFrequency can only be CONTINUOUS.')
    }
    if ((arn ?? recordingScope ?? servicePrincipal) !== undefined) {
      throw validation('A recorder has a name, a role and a recording group.')
    }
    const before = recorderOf(call, deps)
    if (before !== undefined && before.name !== name) {
      throw new ServiceError(
        'recorders-exceeded',
        `Failed to put configuration recorder '${name}' because the maximum number of configuration recorders: 1 is reached.`,
      )
    }
    const includeGlobal = recordingGroup?.includeGlobalResourceTypes === true
    return { recording: false, ...before, name, roleArn: roleARN, includeGlobal }
  },
  checks: (call) => check(call, 'PutConfigurationRecorder'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorder']) },
  handle: (call, _request, record, { config }) => ({
    output: undefined,
    changes: [config.recorders.put(placeOf(whereOf(call)), record)],
  }),
})

type Group = { allSupported?: boolean | undefined } & Readonly<Record<string, unknown>>

function requireEverything(group: Group | undefined): void {
  if (group === undefined) return
  const { resourceTypes = [], exclusionByResourceTypes, recordingStrategy } = group
  const strategy = (recordingStrategy as { useOnly?: string } | undefined)?.useOnly
  const excluded = (exclusionByResourceTypes as { resourceTypes?: unknown[] } | undefined)
    ?.resourceTypes
  const isNarrow =
    (group.allSupported === false && strategy !== 'ALL_SUPPORTED_RESOURCE_TYPES') ||
    (strategy ?? 'ALL_SUPPORTED_RESOURCE_TYPES') !== 'ALL_SUPPORTED_RESOURCE_TYPES' ||
    (resourceTypes as unknown[]).length > 0 ||
    (excluded ?? []).length > 0
  if (!isNarrow) return
  throw new ServiceError(
    'invalid-recording-group',
    'All supported resource types are recorded: a recording group cannot leave any out.',
  )
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html */
export const describeConfigurationRecorders = operation({
  name: 'DescribeConfigurationRecorders',
  input: structure({ ConfigurationRecorderNames: names }),
  output: structure({ ConfigurationRecorders: list(recorder) }),
  effects: 'read',
  errors: ['no-such-recorder'],
  resolve: (call, { ConfigurationRecorderNames }, deps: ConfigDeps) =>
    recordersNamed(call, ConfigurationRecorderNames, deps),
  checks: (call) => check(call, 'DescribeConfigurationRecorders'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorderNames']) },
  handle: (call, _request, found) => ({
    output: {
      ConfigurationRecorders: found.map(({ name, roleArn, includeGlobal }) => ({
        ...{ arn: recorderArn(call, name), name, roleARN: roleArn },
        recordingGroup: {
          allSupported: true,
          includeGlobalResourceTypes: includeGlobal,
          resourceTypes: [],
          exclusionByResourceTypes: { resourceTypes: [] },
          recordingStrategy: { useOnly: 'ALL_SUPPORTED_RESOURCE_TYPES' as const },
        },
        recordingMode: { recordingFrequency: 'CONTINUOUS' as const },
        recordingScope: 'PAID' as const,
      })),
    },
  }),
})

function recorderArn(call: CallContext, name: string): string {
  const { account, region } = whereOf(call)
  return `arn:aws:config:${region}:${account}:configuration-recorder/${name}`
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html */
export const describeConfigurationRecorderStatus = operation({
  name: 'DescribeConfigurationRecorderStatus',
  input: structure({ ConfigurationRecorderNames: names }),
  output: structure({
    ConfigurationRecordersStatus: list(
      structure({
        arn: string(),
        name: string(),
        lastStartTime: timestamp(),
        lastStopTime: timestamp(),
        recording: boolean(),
        lastStatus: string(),
        lastErrorCode: string(),
        lastErrorMessage: string(),
        lastStatusChangeTime: timestamp(),
        servicePrincipal: string(),
      }),
    ),
  }),
  effects: 'read',
  errors: ['no-such-recorder'],
  resolve: (call, { ConfigurationRecorderNames }, deps: ConfigDeps) =>
    recordersNamed(call, ConfigurationRecorderNames, deps),
  checks: (call) => check(call, 'DescribeConfigurationRecorderStatus'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorderNames']) },
  handle: (call, _request, found) => ({
    output: {
      ConfigurationRecordersStatus: found.map(({ name, recording, startedAt, stoppedAt }) => ({
        ...{ arn: recorderArn(call, name), name, recording },
        lastStartTime: startedAt,
        lastStopTime: stoppedAt,
        lastStatus: startedAt === undefined ? 'Pending' : 'Success',
        lastStatusChangeTime: recording ? startedAt : (stoppedAt ?? startedAt),
      })),
    },
  }),
})

const named = structure({ ConfigurationRecorderName: required(name) })

/** https://docs.aws.amazon.com/config/latest/APIReference/API_StartConfigurationRecorder.html */
export const startConfigurationRecorder = operation({
  name: 'StartConfigurationRecorder',
  input: named,
  output: undefined,
  effects: 'write',
  errors: ['no-available-delivery-channel', 'no-such-recorder'],
  resolve: (call, { ConfigurationRecorderName }, deps: ConfigDeps) =>
    recorderNamed(call, ConfigurationRecorderName, deps),
  checks: (call) => check(call, 'StartConfigurationRecorder'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorderName']) },
  handle(call, _request, before, { config }) {
    const place = placeOf(whereOf(call))
    if (config.channels.get(place) === undefined) {
      throw new ServiceError(
        'no-available-delivery-channel',
        'Delivery channel is not available to start configuration recorder.',
      )
    }
    if (before.recording) return { output: undefined }
    const record = { ...before, recording: true, startedAt: call.now }
    return { output: undefined, changes: [config.recorders.put(place, record)] }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html */
export const stopConfigurationRecorder = operation({
  name: 'StopConfigurationRecorder',
  input: named,
  output: undefined,
  effects: 'write',
  errors: ['no-such-recorder'],
  resolve: (call, { ConfigurationRecorderName }, deps: ConfigDeps) =>
    recorderNamed(call, ConfigurationRecorderName, deps),
  checks: (call) => check(call, 'StopConfigurationRecorder'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorderName']) },
  handle(call, _request, before, { config }) {
    if (!before.recording) return { output: undefined }
    const record = { ...before, recording: false, stoppedAt: call.now }
    return { output: undefined, changes: [config.recorders.put(placeOf(whereOf(call)), record)] }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DeleteConfigurationRecorder.html */
export const deleteConfigurationRecorder = operation({
  name: 'DeleteConfigurationRecorder',
  input: named,
  output: undefined,
  effects: 'write',
  errors: ['no-such-recorder'],
  resolve: (call, { ConfigurationRecorderName }, deps: ConfigDeps) =>
    recorderNamed(call, ConfigurationRecorderName, deps),
  checks: (call) => check(call, 'DeleteConfigurationRecorder'),
  audit: { request: (request) => shown(request, ['ConfigurationRecorderName']) },
  handle: (call, _request, _target, { config }) => ({
    output: undefined,
    changes: [config.recorders.remove(placeOf(whereOf(call)))],
  }),
})
