import type { AccountId, Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'

/** Whose files, as far as their names say it. */
export type FileOwner = {
  readonly account: AccountId
  /** Where the events happened. */
  readonly region: Region
  readonly prefix?: string | undefined
}

/**
 * Where a log file goes.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
export function logFileKey(owner: FileOwner, at: number, unique: string): string {
  const { account, region } = owner
  const minute = `${compact(at).slice(0, 13)}Z`
  const name = `${account}_CloudTrail_${region}_${minute}_${unique}.json.gz`
  return `${folder(owner, 'CloudTrail', at)}/${name}`
}

/**
 * Where a digest file goes; `end` is that of the time it covers, in ms.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
export function digestFileKey(
  owner: FileOwner,
  trail: { readonly name: string; readonly homeRegion: Region },
  end: number,
): string {
  const { account, region } = owner
  const who = `${account}_CloudTrail-Digest_${region}_${trail.name}_${trail.homeRegion}`
  return `${folder(owner, 'CloudTrail-Digest', end)}/${who}_${compact(end)}.json.gz`
}

function folder({ account, region, prefix }: FileOwner, what: string, at: number): string {
  const day = new Date(at).toISOString().slice(0, 10).replaceAll('-', '/')
  const top = prefix === undefined || prefix === '' ? '' : `${prefix}/`
  return `${top}AWSLogs/${account}/${what}/${region}/${day}`
}

/** `20260102T030405Z` */
function compact(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

/** `2026-01-02T03:04:05Z` */
export function isoSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const uniqueLength = 16

/** The part of a log file's name that no other has. */
export function uniquePart(random: Random): string {
  return Array.from(random.bytes(uniqueLength), (byte) => alphabet[byte % alphabet.length]).join('')
}
