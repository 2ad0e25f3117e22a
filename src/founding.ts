import type { Clock } from './base/clock.ts'
import type { AccountId, Region } from './base/ids.ts'
import type { Random } from './base/random.ts'
import { ConfigError, defaults, type FirstStart } from './config.ts'
import type { Hsm } from './hsm/port.ts'
import { type AccessKey, type Accounts, newAccessKey } from './operator/accounts.ts'
import { internalIdentity, serviceEventRecord } from './record/event.ts'
import type { OutboxEvent, Put } from './storage/port.ts'

/** The first start of a data folder: its deployment, its first account, and that account's root user. */
export type Founding = {
  readonly puts: readonly Put[]
  readonly event: OutboxEvent
  readonly account: AccountId
  readonly accessKey: AccessKey
  /** Whether the secret was generated here, and so has to be shown, once. */
  readonly generated: boolean
}

export async function foundDeployment(
  firstStart: FirstStart,
  accounts: Accounts,
  deps: { readonly hsm: Hsm; readonly clock: Clock; readonly random: Random },
): Promise<Founding> {
  const account = firstStart.account ?? defaults.account
  const regions = firstStart.regions ?? defaults.regions
  const { rootAccessKeyId, rootSecretAccessKey } = firstStart
  const given = rootAccessKeyId !== undefined && rootSecretAccessKey !== undefined
  const accessKey = given
    ? { accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey }
    : newAccessKey(deps.random)
  const now = deps.clock.now()
  for (const region of regions) await deps.hsm.ensureRegion(region)
  const puts = [
    accounts.found({ account, regions, createdAt: now }),
    ...(await accounts.create(account, accessKey, now, deps.hsm)),
  ]
  const event = foundingEvent(account, regions, accessKey.accessKeyId, now, deps.random)
  return { puts, event, account, accessKey, generated: !given }
}

function foundingEvent(
  account: AccountId,
  regions: readonly Region[],
  accessKeyId: string,
  time: number,
  random: Random,
): OutboxEvent {
  const eventId = random.uuid()
  const [home] = regions
  if (home === undefined) throw new ConfigError('A deployment serves at least one Region.')
  const record = serviceEventRecord({
    eventId,
    userIdentity: internalIdentity(account),
    time,
    eventSource: 'operator.kagiban.internal',
    eventName: 'CreateDeployment',
    region: home,
    sourceIp: 'operator.kagiban.internal',
    serviceEventDetails: { account, regions, accessKeyId },
    recipientAccountId: account,
  })
  return { id: eventId, record }
}

/** What a data folder took at its first start cannot be changed by giving another value later. */
export function checkUnchanged(firstStart: FirstStart, accounts: Accounts): void {
  const { deployment } = accounts
  const { account, regions } = firstStart
  if (deployment === undefined) return
  if (account !== undefined && !accounts.exists(account)) {
    throw new ConfigError(
      `KAGIBAN_ACCOUNT is ${account}, but this data folder was made for ${deployment.account}. ` +
        `It counts at the first start only; "kagiban account create ${account}" adds an account.`,
    )
  }
  if (regions !== undefined && regions.join() !== deployment.regions.join()) {
    throw new ConfigError(
      `KAGIBAN_REGIONS is ${regions.join(',')}, but this data folder was made for ` +
        `${deployment.regions.join(',')}. It counts at the first start only.`,
    )
  }
}
