import { printable, printableLines } from './explain-text.ts'
import type { Rule } from './reencrypt-rule.ts'
import type { Result } from './reencrypt-run.ts'
import type { FailureGroup, Left } from './reencrypt-tally.ts'

export type Summary = Result & {
  readonly bucket: string
  readonly prefix: string
  readonly dryRun: boolean
  readonly rule: Rule
}

/** One JSON object. */
export function summaryJson(summary: Summary): Readonly<Record<string, unknown>> {
  const { bucket, prefix, dryRun, rule, tally, failures, stopped, olderVersions } = summary
  const { algorithm, key, bucketKey } = rule
  return {
    ...{ bucket, prefix, dryRun, rule: { algorithm, key, bucketKey }, ...tally },
    ...{ olderVersions: olderVersions ?? null, failed: failures.count },
    ...{ failures: failures.groups(), complete: stopped === undefined, stopped: stopped ?? null },
  }
}

/** What became of every object, and for those that are not under the rule why. */
export function summaryText(summary: Summary): string {
  const { bucket, prefix, dryRun, rule, tally, stopped } = summary
  const bytes = bytesText(tally.bytes)
  const lines = [
    `s3://${bucket}/${prefix}: the rule is ${ruleText(rule)}`,
    `${tally.lookedAt} objects looked at`,
    `${tally.right} are as the rule says`,
    dryRun
      ? `${tally.toReencrypt} would be re-encrypted (${bytes})`
      : `${tally.reencrypted} re-encrypted (${bytes})`,
  ]
  if (tally.gone > 0) lines.push(`${tally.gone} were deleted meanwhile`)
  lines.push(
    ...leftLines(
      tally.wouldBeWeaker,
      'have more than the rule asks for and stay as they are (--allow-weaker brings them under it)',
    ),
    ...summary.failures.groups().map(failureText),
    ...leftLines(
      tally.customerKeys,
      'are under keys that their owners keep (SSE-C): only who has the key can put them anew',
    ),
    ...versionLines(summary),
  )
  if (stopped !== undefined) lines.push(`Not every object was looked at. ${stopped}`)
  return printableLines(lines)
}

function ruleText({ algorithm, key, bucketKey }: Rule): string {
  if (key === undefined) return algorithm
  return `${algorithm} under ${key}${bucketKey ? ' with a bucket key' : ''}`
}

function leftLines({ count, keys }: Left, what: string): string[] {
  if (count === 0) return []
  const more = count > keys.length ? [`  and ${count - keys.length} more`] : []
  return [`${count} ${what}:`, ...keys.map((key) => `  ${oneLine(key)}`), ...more]
}

/** Copying makes a new version; nobody can change an old one, in S3 or here. */
function versionLines({ tally, olderVersions, dryRun, stopped }: Summary): string[] {
  if (!tally.versioned || stopped !== undefined) return []
  const count = olderVersions === undefined ? 'Older versions' : `${olderVersions} older versions`
  const made = dryRun ? '' : `, ${tally.reencrypted} of them replaced by these copies,`
  const unknown =
    olderVersions === undefined
      ? ' How many is not known: s3:ListBucketVersions is not allowed.'
      : ''
  return [
    `${count}${made} stay encrypted as they are until they are deleted.${unknown}`,
    'How they are encrypted: kagiban report encryption-coverage',
  ]
}

/** A sentence for each kind of failure. */
export function failureText({ code, key, message, count, objects }: FailureGroup): string {
  const some = `${objects.map(oneLine).join(', ')}${count > objects.length ? ', …' : ''}`
  const of = `${count} ${count === 1 ? 'object' : 'objects'} (${some})`
  if (code === 'PreconditionFailed') {
    return `Changed while they were copied, and left alone: ${of}. Run it again for them.`
  }
  if (code === 'AccessDenied') {
    return key === undefined
      ? `AccessDenied: ${of}. ${message}`
      : `AccessDenied on key ${key}: ${of}. ${message}`
  }
  return `${code}${key === undefined ? '' : ` on key ${key}`}: ${of}. ${message}`
}

function oneLine(text: string): string {
  return printable(text).replaceAll('\n', '\\u{a}')
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
