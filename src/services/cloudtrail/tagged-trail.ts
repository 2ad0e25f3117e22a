import { parseArn } from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import { resourceNotFound, unsupportedResource } from './errors.ts'
import { type TrailName, trailOfArn } from './trail-name.ts'
import type { TrailRecord, Trails } from './trails.ts'

/** Kinds of what CloudTrail can tag, and that there is none of here. */
const otherKinds: ReadonlySet<string> = new Set(['channel', 'dashboard', 'eventdatastore'])

/** Tags are of what an ARN names. Throws 'invalid-trail-arn', 'resource-type-not-supported'. */
export function taggedTrailName(text: string): TrailName {
  const arn = parseArn(text)
  const [kind = ''] = arn?.resource.split('/') ?? []
  if (arn?.service === 'cloudtrail' && otherKinds.has(kind)) throw unsupportedResource(text)
  return trailOfArn(text)
}

/** Tags are seen and changed in the home Region alone. Throws 'resource-not-found'. */
export function taggedTrail(call: CallContext, name: TrailName, trails: Trails): TrailRecord {
  const trail = trails.get(name.homeRegion, name.account, name.name)
  if (trail?.homeRegion !== call.region) throw resourceNotFound(name.arn)
  return trail
}
