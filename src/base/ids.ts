/**
 * Identifiers as AWS writes them. The branded types are made by the parsers here and nowhere else.
 */
declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Twelve decimal digits. */
export type AccountId = Branded<'AccountId'>
/** For example `us-east-1`. */
export type Region = Branded<'Region'>
/** A UUID in lower case with dashes, or `mrk-` and 32 lower-case hexadecimal digits. */
export type KeyId = Branded<'KeyId'>

const accountPattern = /^\d{12}$/
const regionPattern = /^([a-z]+-){2,3}\d+$/
const keyIdPattern =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/

export function parseAccountId(text: string): AccountId | undefined {
  return accountPattern.test(text) ? (text as AccountId) : undefined
}

export function parseRegion(text: string): Region | undefined {
  return text.length <= 32 && regionPattern.test(text) ? (text as Region) : undefined
}

export function parseKeyId(text: string): KeyId | undefined {
  return keyIdPattern.test(text) ? (text as KeyId) : undefined
}

export function keyArn(region: Region, account: AccountId, keyId: KeyId): string {
  return `arn:aws:kms:${region}:${account}:key/${keyId}`
}

/** `aliasName` includes its prefix, as in `alias/payments`. */
export function aliasArn(region: Region, account: AccountId, aliasName: string): string {
  return `arn:aws:kms:${region}:${account}:${aliasName}`
}

export function rootArn(account: AccountId): string {
  return `arn:aws:iam::${account}:root`
}

export type Arn = {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  /** Everything after the fifth colon. */
  readonly resource: string
}

export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return undefined
  const [, partition = '', service = '', region = '', account = ''] = parts
  const resource = parts.slice(5).join(':')
  if (partition === '' || service === '' || resource === '') return undefined
  return { partition, service, region, account, resource }
}
