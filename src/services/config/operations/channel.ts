import { ServiceError } from '../../../base/errors.ts'
import { list, required, string, structure, timestamp } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { check, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { noSuchChannel, validation } from '../errors.ts'
import { frequency } from '../shapes.ts'
import { type ChannelRecord, placeOf } from '../state.ts'

/** Where AWS delivers snapshots and histories. Here the journal has them; the channel is kept as it was put. */
const name = string({ min: 1, max: 256 })
const names = list(name, { max: 25 })
const channel = structure({
  name,
  s3BucketName: string({ max: 63 }),
  s3KeyPrefix: string({ max: 1024 }),
  s3KmsKeyArn: string({ max: 2048 }),
  snsTopicARN: string({ max: 2048 }),
  configSnapshotDeliveryProperties: structure({ deliveryFrequency: frequency }),
})

function channelsNamed(
  call: CallContext,
  wanted: readonly string[] | undefined,
  { config }: ConfigDeps,
): readonly ChannelRecord[] {
  const found = config.channels.get(placeOf(whereOf(call)))
  const missing = wanted?.find((each) => each !== found?.name)
  if (missing !== undefined) throw noSuchChannel(missing)
  return found === undefined ? [] : [found]
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_PutDeliveryChannel.html */
export const putDeliveryChannel = operation({
  name: 'PutDeliveryChannel',
  input: structure({ DeliveryChannel: required(channel) }),
  output: undefined,
  effects: 'write',
  errors: [
    'delivery-channels-exceeded',
    'invalid-s3-kms-key-arn',
    'invalid-sns-topic-arn',
    'no-available-recorder',
    'validation',
  ],
  resolve(call, { DeliveryChannel: asked }, { config }: ConfigDeps): ChannelRecord {
    const { name = 'default', s3BucketName: bucket, s3KeyPrefix: prefix } = asked
    if (bucket === undefined) throw validation('s3BucketName must not be null.')
    if (asked.snsTopicARN !== undefined) {
      throw new ServiceError('invalid-sns-topic-arn', 'There are no SNS topics to notify.')
    }
    if (asked.s3KmsKeyArn !== undefined) {
      throw new ServiceError('invalid-s3-kms-key-arn', 'The key of a channel cannot be set.')
    }
    const place = placeOf(whereOf(call))
    if (config.recorders.get(place) === undefined) {
      throw new ServiceError(
        'no-available-recorder',
        'Configuration recorder is not available to put delivery channel.',
      )
    }
    const before = config.channels.get(place)
    if (before !== undefined && before.name !== name) {
      throw new ServiceError(
        'delivery-channels-exceeded',
        `Failed to put delivery channel '${name}' because the maximum number of delivery channels: 1 is reached.`,
      )
    }
    const { deliveryFrequency } = asked.configSnapshotDeliveryProperties ?? {}
    return { name, bucket, prefix, frequency: deliveryFrequency }
  },
  checks: (call) => check(call, 'PutDeliveryChannel'),
  audit: { request: (request) => shown(request, ['DeliveryChannel']) },
  handle: (call, _request, record, { config }) => ({
    output: undefined,
    changes: [config.channels.put(placeOf(whereOf(call)), record)],
  }),
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeDeliveryChannels.html */
export const describeDeliveryChannels = operation({
  name: 'DescribeDeliveryChannels',
  input: structure({ DeliveryChannelNames: names }),
  output: structure({ DeliveryChannels: list(channel) }),
  effects: 'read',
  errors: ['no-such-delivery-channel'],
  resolve: (call, { DeliveryChannelNames }, deps: ConfigDeps) =>
    channelsNamed(call, DeliveryChannelNames, deps),
  checks: (call) => check(call, 'DescribeDeliveryChannels'),
  audit: { request: (request) => shown(request, ['DeliveryChannelNames']) },
  handle: (_call, _request, found) => ({
    output: {
      DeliveryChannels: found.map(({ name, bucket, prefix, frequency }) => ({
        ...{ name, s3BucketName: bucket, s3KeyPrefix: prefix },
        ...(frequency !== undefined && {
          configSnapshotDeliveryProperties: { deliveryFrequency: frequency as 'One_Hour' },
        }),
      })),
    },
  }),
})

const delivery = structure({
  lastStatus: string(),
  lastErrorCode: string(),
  lastErrorMessage: string(),
  lastAttemptTime: timestamp(),
  lastSuccessfulTime: timestamp(),
  nextDeliveryTime: timestamp(),
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeDeliveryChannelStatus.html */
export const describeDeliveryChannelStatus = operation({
  name: 'DescribeDeliveryChannelStatus',
  input: structure({ DeliveryChannelNames: names }),
  output: structure({
    DeliveryChannelsStatus: list(
      structure({
        name: string(),
        configSnapshotDeliveryInfo: delivery,
        configHistoryDeliveryInfo: delivery,
        configStreamDeliveryInfo: structure({
          lastStatus: string(),
          lastErrorCode: string(),
          lastErrorMessage: string(),
          lastStatusChangeTime: timestamp(),
        }),
      }),
    ),
  }),
  effects: 'read',
  errors: ['no-such-delivery-channel'],
  resolve: (call, { DeliveryChannelNames }, deps: ConfigDeps) =>
    channelsNamed(call, DeliveryChannelNames, deps),
  checks: (call) => check(call, 'DescribeDeliveryChannelStatus'),
  audit: { request: (request) => shown(request, ['DeliveryChannelNames']) },
  handle: (_call, _request, found) => ({
    output: {
      DeliveryChannelsStatus: found.map(({ name }) => ({
        name,
        configSnapshotDeliveryInfo: { lastStatus: 'Not_Applicable' },
        configHistoryDeliveryInfo: { lastStatus: 'Not_Applicable' },
        configStreamDeliveryInfo: { lastStatus: 'Not_Applicable' },
      })),
    },
  }),
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DeleteDeliveryChannel.html */
export const deleteDeliveryChannel = operation({
  name: 'DeleteDeliveryChannel',
  input: structure({ DeliveryChannelName: required(name) }),
  output: undefined,
  effects: 'write',
  errors: ['last-delivery-channel', 'no-such-delivery-channel'],
  resolve: (call, { DeliveryChannelName }, deps: ConfigDeps) =>
    channelsNamed(call, [DeliveryChannelName], deps),
  checks: (call) => check(call, 'DeleteDeliveryChannel'),
  audit: { request: (request) => shown(request, ['DeliveryChannelName']) },
  handle(call, { DeliveryChannelName }, _target, { config }) {
    const place = placeOf(whereOf(call))
    if (config.recorders.get(place)?.recording === true) {
      throw new ServiceError(
        'last-delivery-channel',
        `Failed to delete last specified delivery channel with name '${DeliveryChannelName}', because there, because there is a running configuration recorder.`,
      )
    }
    return { output: undefined, changes: [config.channels.remove(place)] }
  },
})
