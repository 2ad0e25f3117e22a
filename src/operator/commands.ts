import type { Clock } from '../base/clock.ts'
import { type AccountId, parseAccountId, type Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import type { Organization } from '../identities/organization.ts'
import type { OpenedJournal } from '../journal/journal.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import type { DomainKeys } from '../upkeep/domain-keys.ts'
import { type Accounts, newAccessKey } from './accounts.ts'
import { type Input, refreshed, regionIn, textOf } from './command-input.ts'
import { commitGuarded } from './commit.ts'
import { operatorEvent } from './event.ts'
import { guardrailCommands } from './guardrail-commands.ts'
import { quotaCommands } from './quota-commands.ts'
import type { Quotas } from './quotas.ts'
import { type Command, OperatorError } from './socket.ts'

/** What an operator can do while the service runs. Each command that changes something is recorded. */
export type OperatorDeps = Recorder & {
  readonly journal: OpenedJournal
  readonly accounts: Accounts
  readonly quotas: Quotas
  readonly guardrails: Organization
  readonly hsm: Hsm
  readonly domainKeys: DomainKeys
  readonly clock: Clock
  readonly random: Random
  readonly endpoint: () => string | undefined
  readonly keys: () => number
  readonly s3: { readonly rows: { readonly size: number } }
  /** Where the objects of buckets are. */
  readonly objects: { readonly healthy: boolean }
  /** How the root log and its witnesses are; undefined while there is none. */
  readonly logStatus?: () => unknown
  /** How the delivery to trails stands; undefined without a listener. */
  readonly deliveryStatus?: () => unknown
  /** How the exports of this process stand. */
  readonly exports: { status(size: number): unknown }
  /** The folder, inside the data folder, that a backup's snapshot is written to. */
  readonly runDirectory: string
}

export function operatorCommands(deps: OperatorDeps): Readonly<Record<string, Command>> {
  return {
    status: () => status(deps),
    'checkpoint-key': () => checkpointKey(deps),
    ...refreshed(deps.mirror, {
      'account-create': (input) => createAccount(deps, input),
      'domain-key-rotate': (input, progress) => rotateDomainKeys(deps, input, progress),
      ...quotaCommands(deps),
      ...guardrailCommands(deps),
      'backup-snapshot': (input, progress) => snapshot(deps, input, progress),
    }),
  }
}

async function status(deps: OperatorDeps) {
  const { accounts, journal, store, objects, hsm } = deps
  // A store that can no longer be read is among what one asks for the status for.
  await deps.mirror.refresh().catch(() => {})
  return {
    healthy: journal.healthy && store.healthy && objects.healthy,
    objectsHealthy: objects.healthy,
    failure: journal.failure,
    endpoint: deps.endpoint(),
    account: accounts.deployment?.account,
    regions: accounts.deployment?.regions,
    accounts: accounts.size,
    keys: deps.keys(),
    buckets: deps.s3.rows.size,
    records: journal.size,
    journal: journal.status(),
    log: deps.logStatus?.(),
    trails: deps.deliveryStatus?.(),
    exports: deps.exports.status(journal.size),
    keyCore: await hsm.status(),
  }
}

/** The public key of the journal's checkpoints, from the key core itself. */
async function checkpointKey({ hsm }: OperatorDeps) {
  return { publicKey: (await hsm.checkpointPublicKey()).toString('hex') }
}

async function createAccount(deps: OperatorDeps, input: Input) {
  const account = parseAccountId(textOf(input, 'account'))
  if (account === undefined) throw new OperatorError('An account id is twelve digits.')
  if (deps.accounts.exists(account)) throw existsAlready(account)
  const key = newAccessKey(deps.random)
  const puts = await deps.accounts.create(account, key, deps.clock.now(), deps.hsm)
  const event = operatorEvent(deps, input, {
    name: 'CreateAccount',
    account,
    details: { account, accessKeyId: key.accessKeyId },
  })
  try {
    await commitGuarded(deps, puts, [event])
  } catch (error) {
    const isThere = error instanceof OperatorError && deps.accounts.exists(account)
    throw isThere ? existsAlready(account) : error
  }
  return { account, ...key }
}

function existsAlready(account: AccountId): OperatorError {
  return new OperatorError(`Account ${account} exists already.`)
}

async function rotateDomainKeys(
  deps: OperatorDeps,
  input: Input,
  progress: (text: string) => void,
) {
  const rotated: { region: Region; generation: number; rewrapped: number }[] = []
  for (const region of regionsOf(deps, input)) {
    const generation = await deps.hsm.rotateDomainKey(region)
    const event = operatorEvent(deps, input, {
      name: 'RotateDomainKey',
      region,
      details: { region, generation },
    })
    await commitRecorded(deps, [], [event])
    const rewrapped = await deps.domainKeys.rewrap(region, (done, total) =>
      progress(`${region}: ${done} of ${total} key materials re-wrapped`),
    )
    rotated.push({ region, generation, rewrapped })
  }
  return { rotated }
}

/**
 * The store as it stands now, written beside it; `records` is how much of the journal belongs to it. Both are taken in
 * one turn: what is committed and not yet in the journal is in the snapshot's outbox.
 */
async function snapshot(deps: OperatorDeps, input: Input, progress: (text: string) => void) {
  const file = `${deps.runDirectory}/backup-${deps.random.uuid()}.db`
  const event = operatorEvent(deps, input, { name: 'Backup', details: {} })
  await commitRecorded(deps, [], [event])
  const records = deps.journal.size
  await deps.store.backup(file, (done, total) => progress(`${done} of ${total} pages copied`))
  return { file, records }
}

function regionsOf(deps: OperatorDeps, input: Input): readonly Region[] {
  const served = deps.accounts.deployment?.regions ?? []
  const region = regionIn(input, served)
  return region === undefined ? served : [region]
}
