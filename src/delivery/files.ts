import { isDeepStrictEqual } from 'node:util'
import { internalError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import { commitRecorded } from '../record/commit.ts'
import type { TrailRecord } from '../services/cloudtrail/trails.ts'
import { DeliveryFailure, type TrailFile } from './bucket.ts'
import type { DeliveryDeps } from './deps.ts'
import { digestEntry, digestSignatureAlgorithm, digestText, sha256, signedText } from './digest.ts'
import { gzipped } from './gzip.ts'
import type { CollectedFile } from './journals.ts'
import { digestFileKey, logFileKey } from './names.ts'
import type { Chain, DeliveryState, Destination, DigestIntent, Intent, LogIntent } from './state.ts'

/** A put that takes longer has failed: it will be done again, and is the same. */
const putMsMax = 30_000

/** Where a trail's files go that are made now. */
export function destinationOf(
  trail: TrailRecord,
  region: Region,
  file: { readonly at: number; readonly unique: string } | { readonly end: number },
): Destination {
  const owner = { account: trail.account, region, prefix: trail.prefix }
  const key =
    'end' in file ? digestFileKey(owner, trail, file.end) : logFileKey(owner, file.at, file.unique)
  const { bucket, kmsKeyArn } = trail
  return { bucket, key, ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }) }
}

/**
 * Puts the log file of an intent, and then says so: the cursors and the file that a digest has to list, in one commit.
 * Without a file the cursors alone go on.
 */
export async function finishLog(
  deps: DeliveryDeps,
  trail: TrailRecord,
  state: DeliveryState,
  intent: LogIntent,
  collected: CollectedFile | undefined,
): Promise<void> {
  if (collected !== undefined) {
    const { body } = collected
    await put(deps, trail, intent, Buffer.from(body.buffer, body.byteOffset, body.length), {})
  }
  const now = deps.clock.now()
  await commitState(deps, {
    ...withoutIntent(state),
    cursors: intent.to,
    ...(collected === undefined ? {} : delivered(state, intent, collected, now)),
    ...(intent.isLast ? { dueAt: now + deps.deliverySeconds * 1000 } : {}),
  })
}

function delivered(
  { chain }: DeliveryState,
  { bucket, key }: LogIntent,
  { hash, oldest, newest, ranges }: CollectedFile,
  now: number,
): Partial<DeliveryState> {
  const latest = { latestDelivery: now }
  if (chain === undefined) return latest
  const file = { bucket, key, hash, oldest, newest, ranges }
  return { ...latest, chain: { ...chain, files: [...chain.files, file] } }
}

/** Puts the digest of an intent; its entry in the journal and the next link of the chain are one commit. */
export async function finishDigest(
  deps: DeliveryDeps,
  trail: TrailRecord,
  state: DeliveryState,
  intent: DigestIntent,
): Promise<void> {
  const { chain } = state
  if (chain === undefined) throw internalError(`a digest of ${state.arn} without its chain`)
  const { text, hash, signature, fingerprint } = await signedDigest(deps, trail, state, intent)
  await put(deps, trail, intent, gzipped(text).body, {
    signature,
    'signature-algorithm': digestSignatureAlgorithm,
  })
  const now = deps.clock.now()
  const eventId = deps.random.uuid()
  const made = { eventId, now, hash, signature, fingerprint }
  const record = JSON.stringify(digestEntry(state, chain, intent, made))
  const { chain: _, ...rest } = withoutIntent(state)
  const { bucket, key, end } = intent
  const previous = { bucket, key, hash, signature }
  const next: DeliveryState = {
    ...rest,
    lastDigestEnd: end,
    latestDigestDelivery: now,
    ...(intent.isFinal ? {} : { chain: { start: end, previous, files: [] } }),
  }
  const entry = { id: eventId, record, kind: 'digest' as const }
  await commitRecorded(deps, [deps.states.put(next)], [entry])
}

type SignedDigest = { text: string; hash: string; signature: string; fingerprint: string }

/** The text names the key that signs it, which is known for sure once that has signed. */
async function signedDigest(
  { signer }: DeliveryDeps,
  trail: TrailRecord,
  { region, chain }: DeliveryState & { readonly chain?: Chain },
  intent: DigestIntent,
): Promise<SignedDigest> {
  if (chain === undefined) throw internalError('a digest without its chain')
  let fingerprint = (await signer.publicKeys(region))[0]?.fingerprint ?? ''
  for (let attempt = 0; attempt < 3; attempt++) {
    const text = digestText(trail, chain, intent, fingerprint)
    const hash = sha256(text)
    const signed = await signer.sign(region, signedText(chain, intent, hash))
    if (signed.fingerprint === fingerprint) {
      return { text, hash, fingerprint, signature: signed.signature.toString('hex') }
    }
    fingerprint = signed.fingerprint
  }
  throw internalError('the key that signs digests keeps changing')
}

/** What failed is shown by GetTrailStatus until a delivery succeeds. */
export async function showFailure(
  deps: DeliveryDeps,
  state: DeliveryState,
  kind: Intent['kind'],
  error: unknown,
): Promise<void> {
  const code = error instanceof DeliveryFailure ? error.code : 'InternalError'
  const member = kind === 'log' ? 'latestDeliveryError' : 'latestDigestDeliveryError'
  const shown = { ...state, [member]: code }
  const known = deps.states.get(state.arn, state.region)
  if (!isDeepStrictEqual(known, shown)) await commitState(deps, shown)
}

export async function commitState(deps: DeliveryDeps, state: DeliveryState): Promise<void> {
  await commitRecorded(deps, [deps.states.put(state)], [])
}

/** Whatever is delivered, the failure of its kind is over. */
function withoutIntent(state: DeliveryState): DeliveryState {
  const { intent, ...rest } = state
  const { latestDeliveryError: _, ...afterLog } = rest
  const { latestDigestDeliveryError: __, ...afterDigest } = rest
  return intent?.kind === 'digest' ? afterDigest : afterLog
}

async function put(
  { buckets }: DeliveryDeps,
  trail: TrailRecord,
  { bucket, key, kmsKeyArn }: Destination,
  body: Buffer,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const file: TrailFile = {
    account: trail.account,
    trailArn: trail.arn,
    homeRegion: trail.homeRegion,
    bucket,
    key,
    body,
    contentType: 'application/json',
    contentEncoding: 'gzip',
    metadata,
    kmsKeyArn,
  }
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the bucket did not answer')), putMsMax)
  try {
    await Promise.race([buckets.put(file), late])
  } finally {
    clearTimeout(timer)
  }
}
