import { timingSafeEqual } from 'node:crypto'
import type { Clock } from './base/clock.ts'
import type { AccountId, Region } from './base/ids.ts'
import type { Random } from './base/random.ts'
import { ConfigError, defaults, type FirstStart } from './config.ts'
import type { Hsm } from './hsm/port.ts'
import type { Identities } from './identities/identities.ts'
import {
  type AccessKey,
  type Accounts,
  type Deployment,
  newAccessKey,
} from './operator/accounts.ts'
import { operatorEventSource } from './operator/event.ts'
import { internalIdentity, serviceEventRecord } from './record/event.ts'
import type { OutboxEvent, Put } from './storage/port.ts'

/** The first start of a data folder: its deployment, its first account, and that account's root user. */
export type Founding = {
  readonly puts: readonly Put[]
  readonly event: OutboxEvent
  readonly deployment: Deployment
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
  const deployment = { account, regions, createdAt: now }
  const puts = [
    accounts.found(deployment),
    ...(await accounts.create(account, accessKey, now, deps.hsm)),
  ]
  const event = foundingEvent(account, regions, accessKey.accessKeyId, now, deps.random)
  return { puts, event, deployment, accessKey, generated: !given }
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
    eventSource: operatorEventSource,
    eventName: 'CreateDeployment',
    region: home,
    sourceIp: operatorEventSource,
    serviceEventDetails: { account, regions, accessKeyId },
    recipientAccountId: account,
  })
  return { id: eventId, record }
}

/** What a data folder took at its first start cannot be changed by giving another value later. */
export async function checkUnchanged(
  firstStart: FirstStart,
  { accounts, identities }: { readonly accounts: Accounts; readonly identities: Identities },
  hsm: Hsm,
): Promise<void> {
  const { deployment } = accounts
  const { account, regions, rootAccessKeyId, rootSecretAccessKey } = firstStart
  if (deployment === undefined) return
  if (account !== undefined && account !== deployment.account) {
    const added = accounts.exists(account)
      ? 'that account was added to it.'
      : `"kagiban account create ${account}" adds an account.`
    throw new ConfigError(
      `KAGIBAN_ACCOUNT is ${account}, but this data folder was made for ${deployment.account}. ` +
        `It counts at the first start only; ${added}`,
    )
  }
  if (regions !== undefined && regions.join() !== deployment.regions.join()) {
    throw new ConfigError(
      `KAGIBAN_REGIONS is ${regions.join(',')}, but this data folder was made for ` +
        `${deployment.regions.join(',')}. It counts at the first start only.`,
    )
  }
  if (rootAccessKeyId === undefined || rootSecretAccessKey === undefined) return
  const known = identities.accessKey(rootAccessKeyId)
  if (known === undefined || !(await isSealed(known, rootSecretAccessKey, hsm))) {
    throw new ConfigError(
      'KAGIBAN_ROOT_ACCESS_KEY_ID and KAGIBAN_ROOT_SECRET_ACCESS_KEY are no access key of this data folder. ' +
        'They count at the first start only.',
    )
  }
}

/** Whether it is the sealed secret: then both give the same signing key. The sealed one opens in the core alone. */
async function isSealed(
  { accessKeyId, sealedSecret }: { readonly accessKeyId: string; readonly sealedSecret: string },
  secret: string,
  hsm: Hsm,
): Promise<boolean> {
  const bytes = Buffer.from(secret, 'utf8')
  const sealed = await hsm.sealSecret(accessKeyId, bytes)
  bytes.fill(0)
  const scope = { accessKeyId, date: '20000101', region: 'us-east-1', service: 'kms' }
  const [given, known] = await Promise.all([
    hsm.signingKey({ ...scope, sealedSecret: sealed }),
    hsm.signingKey({ ...scope, sealedSecret }),
  ])
  const alike = timingSafeEqual(given, known)
  given.fill(0)
  known.fill(0)
  return alike
}
