import { s3Error } from '../../base/errors.ts'

const form = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const address = /^\d{1,3}(?:\.\d{1,3}){3}$/
const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-']
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3', '-an']

/**
 * Whether a new bucket may have that name.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function isBucketName(name: string): boolean {
  return (
    form.test(name) &&
    !name.includes('..') &&
    !address.test(name) &&
    !reservedPrefixes.some((prefix) => name.startsWith(prefix)) &&
    !reservedSuffixes.some((suffix) => name.endsWith(suffix))
  )
}

/** Throws 'InvalidBucketName'. */
export function requireBucketName(name: string): void {
  if (!isBucketName(name)) throw s3Error('InvalidBucketName', { BucketName: name.slice(0, 255) })
}
