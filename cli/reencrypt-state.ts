import { readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { OperatorError } from '../src/operator/socket.ts'
import { flush, writeNew } from './durable-files.ts'
import type { Rule } from './reencrypt-rule.ts'
import type { Tally } from './reencrypt-tally.ts'

/** How far a run has come. */
export type State = {
  readonly version: 1
  readonly endpoint: string
  readonly bucket: string
  readonly prefix: string
  readonly allowWeaker: boolean
  readonly rule: Rule
  /** Every object up to this key was looked at. */
  readonly after: string
  /** Those of them that failed. */
  readonly failed: readonly string[]
  readonly tally: Tally
}

/** What a state has to be of to be gone on with. */
export type StateOf = Pick<State, 'endpoint' | 'bucket' | 'prefix' | 'allowWeaker' | 'rule'>

/**
 * Undefined: there is none, or it is of another rule than the bucket has now, so that everything is to be looked at
 * again. Throws OperatorError for a file that is something else.
 */
export function readState(file: string, expected: StateOf): State | undefined {
  const text = textOf(file)
  if (text === undefined) return undefined
  const state = parsed(text)
  if (state === undefined) throw new OperatorError(`${file} is no state of a re-encryption.`)
  const { endpoint, bucket, prefix, allowWeaker, rule } = state
  const place = JSON.stringify([endpoint, bucket, prefix, allowWeaker])
  const { endpoint: e, bucket: b, prefix: p, allowWeaker: a } = expected
  if (place !== JSON.stringify([e, b, p, a])) {
    const weaker = allowWeaker ? ' with --allow-weaker' : ''
    throw new OperatorError(
      `${file} is of s3://${bucket}/${prefix} at ${endpoint}${weaker}: give another file, or remove it.`,
    )
  }
  return JSON.stringify(rule) === JSON.stringify(expected.rule) ? state : undefined
}

/** Afterwards the file is the new one; before, and whatever happens meanwhile, the old one. */
export function writeState(file: string, state: State): void {
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  writeNew(fresh, [Buffer.from(`${JSON.stringify(state)}\n`, 'utf8')])
  renameSync(fresh, file)
  flush(dirname(file))
}

export function removeState(file: string): void {
  rmSync(file, { force: true })
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parsed(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as State
    const texts = [state.endpoint, state.bucket, state.prefix, state.after]
    const fits = state.version === 1 && texts.every((each) => typeof each === 'string')
    return fits && Array.isArray(state.failed) && typeof state.tally === 'object'
      ? state
      : undefined
  } catch {
    return undefined
  }
}
