import {
  type AccountId,
  parseAccountId,
  parseArn,
  parseRegion,
  type Region,
} from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import { invalidHomeRegion, invalidTrailArn, invalidTrailName, trailNotFound } from './errors.ts'
import { isIn, type TrailRecord, type Trails } from './trails.ts'

/** Which trail a request is about, whether or not there is one. */
export type TrailName = {
  readonly homeRegion: Region
  readonly account: AccountId
  readonly name: string
  readonly arn: string
}

export function trailArn(region: Region, account: AccountId, name: string): string {
  return `arn:aws:cloudtrail:${region}:${account}:trail/${name}`
}

const nameMin = 3
const nameMax = 128

/**
 * Throws 'invalid-trail-name'.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html
 */
export function checkTrailName(name: string): void {
  const reason = wrongIn(name)
  if (reason !== undefined) throw invalidTrailName(reason)
}

function wrongIn(name: string): string | undefined {
  const { length } = name
  if (length === 0) return 'Trail name cannot be blank!'
  if (length < nameMin) {
    return `Trail name too short. Minimum allowed length: ${nameMin} characters. Specified name length: ${length} characters.`
  }
  if (length > nameMax) {
    return `Trail name too long. Maximum allowed length: ${nameMax} characters. Specified name length: ${length} characters.`
  }
  if (!/^[\w.-]*$/.test(name)) {
    return 'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).'
  }
  if (!/^[A-Za-z0-9]/.test(name)) return 'Trail name must starts with a letter or number.'
  if (!/[A-Za-z0-9]$/.test(name)) return 'Trail name must ends with a letter or number.'
  if (/[._-]{2}/.test(name))
    return 'Trail name must not have adjacent periods, underscores or dashes.'
  if (/^\d+(\.\d+){3}$/.test(name)) return 'Trail name must not be in IP address format.'
  return undefined
}

/** By its name, of the caller's account and Region, or by its ARN. Throws 'invalid-trail-name', 'invalid-trail-arn'. */
export function trailNamed(call: CallContext, text: string): TrailName {
  if (text.startsWith('arn:')) return trailOfArn(text)
  checkTrailName(text)
  const { region, caller } = call
  return {
    homeRegion: region,
    account: caller.account,
    name: text,
    arn: trailArn(region, caller.account, text),
  }
}

/** Throws 'invalid-trail-arn'. */
export function trailOfArn(text: string): TrailName {
  const arn = parseArn(text)
  const homeRegion = parseRegion(arn?.region ?? '')
  const account = parseAccountId(arn?.account ?? '')
  const [kind, name = '', ...more] = (arn?.resource ?? '').split('/')
  const isTrail = arn?.partition === 'aws' && arn.service === 'cloudtrail' && kind === 'trail'
  if (!isTrail || homeRegion === undefined || account === undefined || more.length > 0) {
    throw invalidTrailArn(text)
  }
  if (wrongIn(name) !== undefined) throw invalidTrailArn(text)
  return { homeRegion, account, name, arn: text }
}

/** The trail as the Region of the call has it: undefined for one of another Region alone. */
export function trailAt({ region }: CallContext, name: TrailName, trails: Trails) {
  const trail = trails.get(name.homeRegion, name.account, name.name)
  return trail !== undefined && isIn(trail, region) ? trail : undefined
}

/** Throws 'trail-not-found'. */
export function seenTrail(call: CallContext, name: TrailName, trails: Trails): TrailRecord {
  const trail = trailAt(call, name, trails)
  if (trail === undefined) throw trailNotFound(name.arn, call.caller.account)
  return trail
}

/** The trail to be changed, which takes a call to its home Region. Throws 'trail-not-found', 'invalid-home-region'. */
export function ownTrail(call: CallContext, name: TrailName, trails: Trails): TrailRecord {
  const { region, caller } = call
  const trail = trails.get(name.homeRegion, name.account, name.name)
  if (trail?.homeRegion === region) return trail
  // By its name a shadow is found, too.
  const shadow =
    trail ?? trails.ofAccount(name.account).find((each) => isShadow(each, name, region))
  if (shadow !== undefined) throw invalidHomeRegion(shadow.name, shadow.homeRegion, region)
  throw trailNotFound(name.arn, caller.account)
}

function isShadow(trail: TrailRecord, { name, homeRegion }: TrailName, region: Region): boolean {
  return trail.multiRegion && trail.name === name && homeRegion === region
}
