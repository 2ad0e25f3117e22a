import { type CloudTrailLimits, defaultLimits } from './deps.ts'

const trails = 'trails'

/** What the operator can set. */
export const cloudTrailQuotas = [
  {
    name: trails,
    initial: defaultLimits.trails,
    aws: defaultLimits.trails,
    perAccount: false,
    meaning: 'trails in one account and Region, those of other Regions that reach into it included',
  },
] as const

/** The limits as they are set now, each looked up when it is asked for. */
export function limitsFrom(quotas: { value(name: string): number | undefined }): CloudTrailLimits {
  return {
    get trails() {
      return quotas.value(trails) ?? defaultLimits.trails
    },
  }
}
