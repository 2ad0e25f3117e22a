import { resolve } from 'node:path'
import { defaults, type Environment, givenIn } from '../src/config.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { type CommandLine, parse, UsageError } from './command-line.ts'
import { jsonText } from './explain.ts'
import { Progress } from './progress.ts'
import { copyLimits } from './reencrypt-copy.ts'
import { objectsOf } from './reencrypt-listing.ts'
import { readRule } from './reencrypt-rule.ts'
import { Reencryption, type Result, type RunOptions } from './reencrypt-run.ts'
import { readState, removeState, type StateOf, writeState } from './reencrypt-state.ts'
import type { Tally } from './reencrypt-tally.ts'
import { bytesText, summaryJson, summaryText } from './reencrypt-text.ts'
import { type AwsCredentials, S3Client, S3Failure, Unreachable } from './s3-client.ts'

const exitCodes = { done: 0, failed: 1, left: 3 }

const options = {
  endpoint: { type: 'string' },
  region: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'allow-weaker': { type: 'boolean' },
  state: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const

export const reencrypt: CommandLine = {
  words: ['reencrypt'],
  synopsis: 'reencrypt s3://BUCKET',
  summary: 'bring objects under the default encryption that their bucket has now',
  help: `Usage: kagiban reencrypt s3://BUCKET[/PREFIX] [--dry-run] [--allow-weaker] [--state FILE]
                         [--endpoint URL] [--region NAME] [--json] [--quiet]

Looks at each object (HeadObject) and copies those that are not encrypted as the bucket's default
encryption says onto themselves, with their metadata and tags. It is a client like any other: it signs
with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and whoever they belong to needs
s3:ListBucket, s3:GetEncryptionConfiguration, s3:GetObject, s3:PutObject, of objects with tags
s3:GetObjectTagging and s3:PutObjectTagging, kms:Decrypt on the keys that objects are under and
kms:GenerateDataKey on the bucket's (and kms:Decrypt for objects above 5 GiB); kms:DescribeKey where
the bucket names its key by an alias. No operator's rights help.

What is right already is left alone, so that it can be broken off and run again at any time. An object
that somebody puts while it is being copied is not replaced. Of a bucket with versions the latest are
looked at; older ones stay as they are.

  --dry-run                    only say what would be done
  --allow-weaker               also objects that have more than the rule asks for, as an object under a
                               KMS key in a bucket whose rule is AES256
  --state FILE                 keep in FILE how far it has come, and go on from there: what was looked at
                               is not looked at again. It is removed when nothing is left to do
  --endpoint URL               [AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL] (http://${defaults.listen})
  --region NAME                [AWS_REGION, AWS_DEFAULT_REGION] (${defaults.regions[0]})
  --json                       one JSON object
  --quiet                      no progress on standard error

Exit codes: 0 every object is as the rule says, or would be; 1 some could not be brought under it, or
it ended before the last; 2 it was not understood; 3 nothing failed, and some stay as they are: under
keys that their owners keep (SSE-C), or with more than the rule asks for.
`,
  async run({ argv, env }) {
    const { values, positionals } = parse({ argv, env }, options, ['s3://BUCKET[/PREFIX]'])
    const { bucket, prefix } = placeNamed(positionals[0] ?? '')
    const dryRun = values['dry-run'] === true
    if (dryRun && values.state !== undefined) throw new UsageError('--dry-run keeps no state.')
    const given = givenIn(env)
    const endpoint = endpointOf(values.endpoint, given)
    const client = new S3Client({
      endpoint,
      region: values.region ?? given['AWS_REGION'] ?? given['AWS_DEFAULT_REGION'] ?? homeRegion,
      credentials: credentialsIn(given),
      connections: connectionsMax,
    })
    const progress = new Progress(values.quiet !== true && values.json !== true)
    try {
      const rule = await readRule(client, bucket)
      const wanted = { bucket, prefix, rule, allowWeaker: values['allow-weaker'] === true }
      const state = values.state === undefined ? undefined : resolve(values.state)
      const result = await runWith(client, progress, {
        ...{ ...wanted, dryRun, limits: copyLimits },
        ...keeping(state, { ...wanted, endpoint: endpoint.origin }),
      })
      if (state !== undefined && isOver(result)) removeState(state)
      const summary = { ...result, bucket, prefix, dryRun, rule }
      progress.end()
      process.stdout.write(
        values.json === true ? jsonText(summaryJson(summary)) : summaryText(summary),
      )
      return exitCodeOf(result)
    } catch (error) {
      if (error instanceof S3Failure) throw new OperatorError(`${error.code}: ${error.message}`)
      throw error instanceof Unreachable ? new OperatorError(error.message) : error
    } finally {
      progress.end()
      client.close()
    }
  },
}

const homeRegion = defaults.regions[0] ?? ''
/** One for each object at a time, and one for counting. */
const connectionsMax = 5
const keepEveryMs = 250

function isOver({ stopped, failures }: Result): boolean {
  return stopped === undefined && failures.count === 0
}

function exitCodeOf(result: Result): number {
  if (!isOver(result)) return exitCodes.failed
  const { customerKeys, wouldBeWeaker } = result.tally
  return customerKeys.count + wouldBeWeaker.count > 0 ? exitCodes.left : exitCodes.done
}

/** Goes on from a state, and keeps it. */
function keeping(file: string | undefined, of: StateOf): Pick<RunOptions, 'from' | 'keep'> {
  if (file === undefined) return { from: undefined, keep: () => {} }
  const found = readState(file, of)
  let last = Number.NEGATIVE_INFINITY
  const { endpoint, bucket, prefix, allowWeaker, rule } = of
  return {
    from: found,
    keep(place, isLast) {
      const now = performance.now()
      if (!isLast && now - last < keepEveryMs) return
      last = now
      writeState(file, {
        ...{ version: 1, endpoint, bucket, prefix, allowWeaker, rule },
        ...place(),
      })
    },
  }
}

async function runWith(
  client: S3Client,
  progress: Progress,
  given: Omit<RunOptions, 'signal' | 'shown'>,
): Promise<Result> {
  const stop = new AbortController()
  const told = () => stop.abort()
  // Once: whoever says it again means it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, told)
  const total = { objects: 0, isKnown: false }
  const over = new AbortController()
  const counting = progress.isShown ? countInto(total, client, given, over.signal) : undefined
  const before = given.from?.tally.bytes ?? 0
  try {
    return await new Reencryption(client, {
      ...{ ...given, signal: stop.signal },
      shown: (tally, failed) =>
        progress.show((seconds) => progressText(tally, failed, total, { before, seconds })),
    }).run()
  } finally {
    over.abort()
    await counting
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, told)
  }
}

type Total = { objects: number; isKnown: boolean }

/** Beside the work. How many there are is nobody's failure. */
async function countInto(
  total: Total,
  client: S3Client,
  { bucket, prefix }: Pick<RunOptions, 'bucket' | 'prefix'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of objectsOf(client, bucket, prefix, '')) {
      total.objects += 1
      if (signal.aborted) return
    }
    total.isKnown = true
  } catch (error) {
    if (!(error instanceof S3Failure) && !(error instanceof Unreachable)) throw error
  }
}

function progressText(
  { lookedAt, reencrypted, toReencrypt, bytes }: Tally,
  failed: number,
  { objects, isKnown }: Total,
  { before, seconds }: { readonly before: number; readonly seconds: number },
): string {
  const rate = bytesText(Math.round((bytes - before) / Math.max(0.001, seconds)))
  const failures = failed === 0 ? '' : `, ${failed} failed`
  return (
    `${lookedAt} of ${isKnown ? '' : 'at least '}${Math.max(objects, lookedAt)} objects, ` +
    `${reencrypted + toReencrypt} not as the rule says (${bytesText(bytes)}, ${rate} a second)` +
    `${failures}, ${Math.round(seconds)} s`
  )
}

function placeNamed(text: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, prefix = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text) ?? []
  if (bucket === undefined)
    throw new UsageError(`'${text}' is not s3://BUCKET or s3://BUCKET/PREFIX.`)
  return { bucket, prefix }
}

function endpointOf(option: string | undefined, env: Environment): URL {
  const text =
    option ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? `http://${defaults.listen}`
  const url = URL.parse(text)
  const isPlain = url !== null && url.pathname === '/' && url.search === '' && url.username === ''
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new UsageError(`The endpoint '${text}' is not http://HOST[:PORT] or https://HOST[:PORT].`)
}

function credentialsIn(env: Environment): AwsCredentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new UsageError('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be set.')
  }
  return { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] }
}
