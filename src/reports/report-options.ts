import { parseAccountId, parseRegion } from '../base/ids.ts'
import { type Input, optionalText } from '../operator/command-input.ts'
import { OperatorError } from '../operator/socket.ts'
import { type Period, type ReportName, reportNames } from './report.ts'

export type ReportOptions = {
  readonly name: ReportName
  readonly period: Period
  readonly account: string | undefined
  readonly region: string | undefined
  /** As the operator named it. */
  readonly key: string | undefined
  readonly object: string | undefined
  readonly bucket: string | undefined
  readonly limit: number
}

export const defaultLimit = 10_000
const limitMax = 100_000
const defaultDays = 90
const dayMs = 86_400_000
const unitMs: Readonly<Record<string, number>> = { d: dayMs, h: 3_600_000 }

/** What each report can be restricted to, beside the period; `key!` has to be there. */
const taken: Readonly<Record<ReportName, readonly string[]>> = {
  'object-access': ['object!', 'account', 'region'],
  'key-use': ['key', 'account', 'region'],
  'unused-keys': ['key', 'account', 'region'],
  'allowed-but-never-used': ['key!'],
  rotation: ['key', 'account', 'region'],
  'privileged-use': ['account', 'region'],
  'cross-account-use': ['key', 'account', 'region'],
  grants: ['key', 'account', 'region'],
  deletion: ['key', 'account', 'region'],
  'encryption-coverage': ['bucket', 'account', 'region'],
  'log-integrity': [],
}

/** It is about what there is now. */
const withoutPeriod: readonly ReportName[] = ['encryption-coverage']

/** Throws OperatorError for what a report does not take, or does not understand. */
export function readOptions(input: Input, now: number): ReportOptions {
  const text = optionalText(input, 'report') ?? ''
  const name = reportNames.find((each) => each === text)
  if (name === undefined || name === 'log-integrity') {
    throw new OperatorError(`There is no report '${text.slice(0, 64)}'.`)
  }
  for (const option of ['key', 'object', 'bucket', 'account', 'region']) {
    const given = optionalText(input, option) !== undefined
    const takes = taken[name].some((each) => each.startsWith(option))
    if (given && !takes) throw new OperatorError(`The report ${name} takes no ${option}.`)
    if (!given && taken[name].includes(`${option}!`)) {
      throw new OperatorError(`The report ${name} needs --${option}.`)
    }
  }
  return {
    name,
    period: periodOf(input, name, now),
    account: accountOf(input),
    region: regionOf(input),
    key: optionalText(input, 'key'),
    object: optionalText(input, 'object'),
    bucket: optionalText(input, 'bucket'),
    limit: limitOf(input),
  }
}

function periodOf(input: Input, name: ReportName, now: number): Period {
  if (withoutPeriod.includes(name)) {
    for (const option of ['since', 'until']) {
      if (optionalText(input, option) === undefined) continue
      throw new OperatorError(`The report ${name} is of now: it takes no --${option}.`)
    }
    return { since: 0, until: now }
  }
  const since = timeOf(input, 'since', now) ?? now - defaultDays * dayMs
  const until = timeOf(input, 'until', now) ?? now
  if (since > until) throw new OperatorError('The period ends before it begins.')
  return { since, until }
}

function timeOf(input: Input, name: string, now: number): number | undefined {
  const text = optionalText(input, name)
  if (text === undefined) return undefined
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) {
    return Math.max(0, now - Number(count) * (unitMs[unit] ?? dayMs))
  }
  const time = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (!Number.isNaN(time)) return time
  const form = 'a time in UTC, as in 2026-11-24 or 2026-11-24T06:00:00Z, or so long ago, as in 90d'
  throw new OperatorError(`--${name} '${text.slice(0, 64)}' is not ${form}.`)
}

function accountOf(input: Input): string | undefined {
  const text = optionalText(input, 'account')
  if (text === undefined || parseAccountId(text) !== undefined) return text
  throw new OperatorError('An account id is twelve digits.')
}

function regionOf(input: Input): string | undefined {
  const text = optionalText(input, 'region')
  if (text === undefined || parseRegion(text) !== undefined) return text
  throw new OperatorError(`'${text.slice(0, 64)}' is no Region.`)
}

function limitOf(input: Input): number {
  const limit = input['limit'] ?? defaultLimit
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= limitMax) {
    return limit
  }
  throw new OperatorError(`--limit is a number from 1 to ${limitMax}.`)
}
