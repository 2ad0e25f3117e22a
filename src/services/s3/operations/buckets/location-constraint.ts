import { s3Error } from '../../../../base/errors.ts'
import type { Region } from '../../../../base/ids.ts'

/** The Region that has no constraint, and that a bucket of which answers so. */
export const unconstrained = 'us-east-1'

/**
 * A bucket is made in the Region of the call, which it has to name unless that is us-east-1. Throws
 * 'IllegalLocationConstraintException' and 'InvalidLocationConstraint'.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
 */
export function requireLocation(
  constraint: string | undefined,
  region: Region,
  served: readonly Region[],
): void {
  const wanted = constraint === 'EU' ? 'eu-west-1' : constraint
  if (wanted === undefined && region === unconstrained) return
  if (wanted !== undefined) {
    const isKnown = wanted !== unconstrained && served.some((each) => each === wanted)
    if (wanted === region && isKnown) return
    if (!isKnown && (wanted !== unconstrained || region === unconstrained)) {
      throw s3Error('InvalidLocationConstraint', { LocationConstraint: wanted.slice(0, 64) })
    }
  }
  throw s3Error('IllegalLocationConstraintException', undefined, {
    text:
      `The ${wanted ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this ` +
      'request was sent to.',
  })
}
