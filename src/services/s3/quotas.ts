import { defaultLimits, type S3Limits } from './deps.ts'

const buckets = 's3-buckets'

/** What the operator can set. */
export const s3Quotas = [
  {
    name: buckets,
    initial: defaultLimits.buckets,
    aws: defaultLimits.buckets,
    perAccount: false,
    meaning: 'buckets of one account',
  },
] as const

/** The limits as they are set now, each looked up when it is asked for. */
export function limitsFrom(quotas: { value(name: string): number | undefined }): S3Limits {
  return {
    get buckets() {
      return quotas.value(buckets) ?? defaultLimits.buckets
    },
  }
}
