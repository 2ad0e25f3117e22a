import { rootArn } from '../../../base/ids.ts'
import type { LookupQuery } from '../../../journal/port.ts'
import { required, string, structure, timestamp } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, findEntity, userKind } from '../entities.ts'
import { noSuchAccessKey } from '../errors.ts'
import * as shapes from '../shapes.ts'

/** From the audit record: the newest call, in any Region, that this key signed. */
export const getAccessKeyLastUsed = operation({
  name: 'GetAccessKeyLastUsed',
  input: structure({ AccessKeyId: required(shapes.accessKeyId) }),
  output: structure({
    UserName: string(),
    AccessKeyLastUsed: structure({
      LastUsedDate: timestamp(),
      ServiceName: string(),
      Region: string(),
    }),
  }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve(call, request, { identities }: IamDeps) {
    const key = identities.accessKey(request.AccessKeyId)
    if (key === undefined || key.account !== call.caller.account) return undefined
    const user = key.userId === undefined ? undefined : identities.users.byId(key.userId)
    return { key, user }
  },
  checks(call, _request, found, deps) {
    const permission = 'iam:GetAccessKeyLastUsed'
    // Of a key that nobody has here, whoever may ask about every user is told so.
    if (found === undefined) return [iamCheck(call, permission, '*')]
    if (found.user === undefined) return [iamCheck(call, permission, rootArn(found.key.account))]
    const named = findEntity(userKind, call, found.user.userName, deps)
    return [entityCheck(userKind, call, permission, named)]
  },
  audit: { request: (request) => ({ accessKeyId: request.AccessKeyId }) },
  async handle(call, request, found, deps) {
    if (found === undefined) throw noSuchAccessKey(request.AccessKeyId)
    const used = await lastUse(call, request.AccessKeyId, deps)
    return {
      output: {
        UserName: found.user?.userName,
        AccessKeyLastUsed: used ?? { ServiceName: 'N/A', Region: 'N/A' },
      },
    }
  },
})

async function lastUse(call: CallContext, accessKeyId: string, deps: IamDeps) {
  const { account } = call.caller
  const attribute: LookupQuery['attribute'] = { key: 'AccessKeyId', value: accessKeyId }
  const query = { account, attribute, from: 0, to: call.now, limit: 1 }
  // IAM itself is of one Region, which may be none of the deployment's.
  const regions = [...new Set([...deps.regions, call.region])]
  const pages = await Promise.all(regions.map((region) => deps.lookup.find({ ...query, region })))
  const uses = pages.flatMap(({ records }) => records.slice(0, 1).map(useIn))
  return uses.sort((a, b) => b.LastUsedDate - a.LastUsedDate)[0]
}

function useIn(record: string) {
  const { eventTime, eventSource, awsRegion } = JSON.parse(record) as Record<
    'eventTime' | 'eventSource' | 'awsRegion',
    string
  >
  return {
    LastUsedDate: Date.parse(eventTime),
    ServiceName: eventSource.replace(/\.amazonaws\.com$/, ''),
    Region: awsRegion,
  }
}
