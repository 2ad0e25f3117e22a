/** The pool of requests that every operation of STS draws from. */
export const stsPool = 'sts'

/**
 * What the operator can set. AWS's rate is that of signed requests in one Region.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const stsQuotas = [
  {
    name: `requests/${stsPool}`,
    initial: undefined,
    aws: 600,
    perAccount: true,
    meaning: 'requests a second of one account',
  },
] as const
