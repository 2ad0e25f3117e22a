/** A KMS key as it is now, as far as reports read it. Times are ms since the epoch. */
export type KeyFacts = {
  readonly arn: string
  readonly account: string
  readonly region: string
  readonly keyId: string
  readonly aliases: readonly string[]
  readonly state: string
  readonly createdAt: number
  readonly keySpec: string
  readonly origin: string
  /** AWS: made by a service for itself. */
  readonly manager: 'AWS' | 'CUSTOMER'
  /** Whether it can have more than one material. */
  readonly rotatable: boolean
  readonly rotation: { readonly periodInDays: number; readonly nextDate: number } | undefined
  readonly materials: number
  readonly lastRotation: { readonly at: number; readonly type: string } | undefined
  readonly deletionDate: number | undefined
}

/** A grant that there is now. */
export type GrantFacts = {
  readonly grantId: string
  readonly key: string
  readonly createdAt: number
  /** ARN, or what else names the grantee. */
  readonly grantee: string
  readonly operations: readonly string[]
  readonly name: string | undefined
}

/** The account of a key's ARN. */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? ''
}

export function regionOf(arn: string): string {
  return arn.split(':')[3] ?? ''
}
