/** The pool of requests that every operation of IAM draws from. */
export const iamPool = 'iam'

/** What the operator can set. AWS publishes no rates of IAM. */
export const iamQuotas = [
  {
    name: `requests/${iamPool}`,
    initial: undefined,
    aws: undefined,
    perAccount: true,
    meaning: 'requests a second of one account',
  },
] as const
