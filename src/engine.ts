import { join, relative } from 'node:path'
import { analyses } from './analyses.ts'
import { type Assembly, assemble } from './assembly.ts'
import { foundingBanner, readyBanner } from './banner.ts'
import type { Clock } from './base/clock.ts'
import type { Random } from './base/random.ts'
import { type Config, ConfigError, type FirstStart } from './config.ts'
import { startConfiguration } from './configuration/background.ts'
import { policyHistoryCommands } from './configuration/policy-history.ts'
import { certificateOf, listenFirst } from './entrance.ts'
import { explanations } from './explanations.ts'
import { Exports } from './export/exports.ts'
import { checkUnchanged, foundDeployment } from './founding.ts'
import type { Hsm } from './hsm/port.ts'
import type { OpenedJournal } from './journal/journal.ts'
import { type OpenedLookup, openLookup } from './journal/lookup/lookup.ts'
import { everyRecord, openOwnJournal, recordsFrom } from './journals.ts'
import { type Finding, type OpenedLog, openLog } from './log/log.ts'
import { openObjects } from './object-store.ts'
import type { ObjectStore } from './objects/port.ts'
import type { Accounts, Deployment } from './operator/accounts.ts'
import { analyseCommands } from './operator/analyse-commands.ts'
import { operatorCommands } from './operator/commands.ts'
import { operatorEvent } from './operator/event.ts'
import { explainCommands } from './operator/explain-commands.ts'
import { socketName, startOperatorSocket } from './operator/socket.ts'
import { Pipeline } from './pipeline.ts'
import { commitRecorded, type Recorder, replayOutbox } from './record/commit.ts'
import { elementBytesFor } from './record/event.ts'
import { Refusals } from './record/refusals.ts'
import { reporting } from './reporting.ts'
import { reportCommands } from './reports/report-commands.ts'
import type { DigestSigner } from './services/cloudtrail/delivery.ts'
import { DigestKeys } from './services/cloudtrail/digest-keys.ts'
import { materialRow } from './services/kms/state.ts'
import { Mirror } from './storage/mirror.ts'
import { ownOutbox } from './storage/own-outbox.ts'
import { StoreConflict } from './storage/port.ts'
import { openSqliteStore } from './storage/sqlite/store.ts'
import { declareTables, type Tables } from './tables.ts'
import { deliveryFor, openTrailParts, type TrailParts, trailDeliveryOf } from './trail-delivery.ts'
import { DomainKeys } from './upkeep/domain-keys.ts'
import { startUpkeep } from './upkeep/upkeep.ts'

/** What the composition needs from outside, so that tests can hold it. */
export type EngineDeps = {
  readonly hsm: Hsm & { readonly attached: boolean }
  readonly clock: Clock
  readonly random: Random
  readonly log: (line: string) => void
  /** Tells whoever started it. Holds a secret at the first start, and is kept nowhere. */
  readonly announce: (text: string) => void
  /** Where objects are; tests give a store of their own. */
  readonly openObjects?: typeof openObjects
  /** The entry of the journal's thread; tests give one that makes files fail. */
  readonly journalThread?: URL
}

export type Engine = {
  readonly endpoint: string | undefined
  /** Drains: answers what is in flight, writes the last checkpoint, closes. */
  stop(): Promise<void>
}

/**
 * Puts the service together, in the order in which the parts need each other: the address, records in memory, the
 * journal (which recovers), what an earlier process left to be journalled, the deployment, then the doors.
 */
export async function startEngine(
  config: Config,
  firstStart: FirstStart,
  deps: EngineDeps,
): Promise<Engine> {
  const entrance = await listenFirst(config, deps)
  const endpoint = entrance?.endpoint
  try {
    const parts = await openState(config, firstStart, deps, endpoint)
    const { regions } = parts.deployment
    const assembly: Assembly = assemble({
      ...{ ...parts, ...deps, regions, history: parts.lookup },
      delivery: deliveryFor(parts, regions, () => assembly.trailBuckets),
      s3Hosts: config.s3Hosts,
    })
    const pipeline = pipelineOf(deps, parts, assembly)
    const log = endpoint === undefined ? undefined : await openLogOf(config, deps, parts)
    const doors = await openDoors(config, deps, { ...parts, log }, assembly, endpoint)
    entrance?.open({
      onRequest: (request, reply) => pipeline.accept(request, reply),
      streams: (head) => assembly.directory.streams(head),
      health: () => healthOf(parts, deps.hsm),
    })
    if (endpoint !== undefined) deps.announce(readyBanner(endpoint, parts.deployment))
    const stop = async () => {
      await entrance?.drain()
      await pipeline.idle()
      await doors.close()
      await parts.refusals.flush().catch(() => {})
      await parts.trailJournals?.close()
      await parts.exports.close()
      await parts.lookup.close()
      await parts.objects.close()
      await parts.journal.close()
      await log?.close()
      await parts.store.close()
    }
    return { endpoint, stop }
  } catch (error) {
    await entrance?.drain()
    throw error
  }
}

type Parts = Recorder &
  Tables &
  TrailParts & {
    readonly journal: OpenedJournal
    readonly objects: ObjectStore
    readonly deployment: Deployment
    readonly lookup: OpenedLookup
    readonly digests: DigestSigner
    readonly refusals: Refusals
    readonly exports: Exports
  }

async function openState(
  config: Config,
  firstStart: FirstStart,
  deps: EngineDeps,
  endpoint: string | undefined,
): Promise<Parts> {
  const { hsm, clock, random } = deps
  // Of a start that comes to nothing, nothing stays open.
  await using opened = new AsyncDisposableStack()
  const file = join(config.dataDir, 'store', 'store.db')
  const store = ownOutbox(await openSqliteStore({ file }), config.node)
  opened.defer(() => store.close())
  const mirror = new Mirror(store)
  const tables = declareTables(mirror)
  const { accounts } = tables
  const [, journal] = await Promise.all([mirror.load(), openOwnJournal(config, deps)])
  opened.defer(() => journal.close())
  const recorder = { store, mirror, journal }
  await replayOutbox(store, journal, (from) => recordsFrom(config, from), deps.log)
  await checkUnchanged(firstStart, tables, hsm)
  // Before anything is founded: whoever named an engine that lets nobody in has not seen a secret yet.
  const objects = await (deps.openObjects ?? openObjects)(config, deps)
  opened.defer(() => objects.close())
  if (accounts.deployment === undefined) {
    await found(firstStart, accounts, deps, recorder, endpoint)
  }
  const { deployment } = accounts
  if (deployment === undefined) throw new Error('the deployment was not founded')
  for (const region of deployment.regions) await hsm.ensureRegion(region)
  const [home] = deployment.regions
  if (home === undefined) throw new Error('a deployment has a home Region')
  const lookup = await openLookup({
    journals: join(config.dataDir, 'journal'),
    file: join(config.dataDir, 'index', `${config.node}.db`),
    clock,
  })
  opened.defer(() => lookup.close())
  const refusals = new Refusals({
    journal,
    account: deployment.account,
    region: home,
    clock,
    random,
  })
  const exports = new Exports({ ...config, exports: config.exports ?? [], clock, log: deps.log })
  const { materials } = tables.state
  const digests = new DigestKeys({ ...recorder, ...tables, ...deps, materials, materialRow })
  const listens = endpoint !== undefined
  const trailParts = openTrailParts(config, listens)
  const own = { deployment, lookup, objects, ...trailParts, digests, refusals, exports }
  opened.move()
  return { ...recorder, ...tables, ...own }
}

/** The log for others: it lags behind the journal, or dies, without touching a caller. */
async function openLogOf(config: Config, deps: EngineDeps, parts: Parts): Promise<OpenedLog> {
  const { dataDir, node, logListen, witnesses, insecurePlaintext, segmentBytes } = config
  const { hsm, clock, random, log } = deps
  const { accounts } = parts
  const found = ({ kind, ...details }: Finding) => {
    const name = kind === 'went-back' ? 'LogWentBack' : 'NewLogEpoch'
    const event = operatorEvent({ clock, random, accounts }, { operator: 'log' }, { name, details })
    return commitRecorded(parts, [], [event]).then(() => {})
  }
  try {
    return await openLog({
      journals: join(dataDir, 'journal'),
      rootLog: join(dataDir, 'root-log'),
      tiles: join(dataDir, 'index', `${node}.log.db`),
      listen: logListen,
      tls: logListen && certificateOf(config.tls),
      ...{ witnesses, insecurePlaintext, segmentBytes, hsm, random, log, found },
    })
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * Makes the deployment of a new folder. Its access key is told before it counts: a secret that was told and came to
 * nothing harms nobody, one that counts and was not told is lost.
 */
async function found(
  firstStart: FirstStart,
  accounts: Accounts,
  deps: EngineDeps,
  recorder: Recorder,
  endpoint: string | undefined,
): Promise<void> {
  if (endpoint === undefined) {
    throw new ConfigError(
      'This data folder was never started: "kagiban start" makes what it holds.',
    )
  }
  const founding = await foundDeployment(firstStart, accounts, deps)
  deps.announce(foundingBanner(endpoint, founding))
  try {
    await commitRecorded(recorder, founding.puts, [founding.event])
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
    throw new ConfigError(
      'Another process made this data folder meanwhile; use what that one showed.',
    )
  }
}

function pipelineOf(deps: EngineDeps, parts: Parts, assembly: Assembly): Pipeline {
  const { clock, random, log } = deps
  return new Pipeline({
    ...parts,
    ...assembly,
    clock,
    random,
    elementBytesMax: elementBytesFor(parts.journal.maxRecordBytes),
    log,
  })
}

function healthOf(
  { journal, store, objects }: Parts,
  { attached }: EngineDeps['hsm'],
): { status: 200 | 503; body: string } {
  const well = {
    journal: journal.healthy,
    store: store.healthy,
    objects: objects.healthy,
    'key core': attached,
  }
  const failed = Object.entries(well).flatMap(([name, isWell]) => (isWell ? [] : [name]))
  return failed.length === 0
    ? { status: 200, body: '{"status":"ok"}' }
    : { status: 503, body: JSON.stringify({ status: 'failed', failed }) }
}

/** The operator's socket and, while there is a listener, what the service does of itself. */
async function openDoors(
  config: Config,
  deps: EngineDeps,
  parts: Parts & { readonly log: OpenedLog | undefined },
  assembly: Assembly,
  endpoint: string | undefined,
): Promise<{ close(): Promise<void> }> {
  const { hsm, clock, random, log } = deps
  const { accounts, state } = parts
  const domainKeys = new DomainKeys({
    hsm,
    mirror: parts.mirror,
    materials: state.materials,
    materialRow,
    clock,
    rotateAfterMs: config.domainKeyHours * 3_600_000,
    recordRotation: (region, generation) => {
      const details = { region, generation }
      const event = operatorEvent(
        { clock, random, accounts },
        { operator: 'schedule' },
        {
          name: 'RotateDomainKey',
          region,
          details,
        },
      )
      return commitRecorded(parts, [], [event])
    },
  })
  const { regions } = parts.deployment
  const { trailBuckets } = assembly
  const trailDelivery = trailDeliveryOf(config, { ...parts, ...deps, trailBuckets })
  const runDirectory = join(config.dataDir, 'run')
  const commands = {
    ...operatorCommands({
      ...parts,
      hsm,
      domainKeys,
      clock,
      random,
      endpoint: () => endpoint,
      logStatus: () => parts.log?.status(),
      deliveryStatus: () => trailDelivery?.report(),
      keys: () => state.keys.size,
      runDirectory,
    }),
    ...analyseCommands({ ...parts, ...analyses(parts, assembly), clock, random }),
    ...reportCommands({
      ...{ ...parts, ...analyses(parts, assembly), ...reporting(parts, assembly, clock) },
      ...{ history: parts.lookup, clock, random },
    }),
    ...policyHistoryCommands({
      ...{ ...parts, ...analyses(parts, assembly), clock, random },
      ...{ history: parts.lookup, records: () => everyRecord(config) },
    }),
    ...explainCommands({
      ...parts,
      ...explanations(parts, assembly, parts.store),
      ...{ hsm, clock, random },
      records: () => everyRecord(config),
    }),
  }
  // Relative where it can be: the service runs in that folder, and a socket's whole path is limited to 100 bytes.
  const path = relative(process.cwd(), join(runDirectory, socketName(config.node)))
  const socket = await startOperatorSocket(path, commands, log)
  if (endpoint === undefined) return socket
  trailDelivery?.start()
  const upkeep = startUpkeep({ ...parts, regions, hsm, clock, random, domainKeys, log })
  const configuration = startConfiguration(parts, assembly, log)
  return {
    close: async () => {
      await socket.close()
      await upkeep.stop()
      await configuration.stop()
      await trailDelivery?.stop()
    },
  }
}
