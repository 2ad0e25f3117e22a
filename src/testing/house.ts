import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Assembly, type AssemblyDeps, assemble } from '../assembly.ts'
import { sign } from '../authenticate/testing/signer.ts'
import type { Caller } from '../base/caller.ts'
import { type AccountId, parseAccountId, parseRegion, type Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { newCore } from '../hsm/testing/fixtures.ts'
import { Callers } from '../identities/callers.ts'
import { MemoryObjectStore } from '../objects/memory/store.ts'
import type { ObjectStore } from '../objects/port.ts'
import { type AccessKey, type Accounts, newAccessKey } from '../operator/accounts.ts'
import type { Quotas } from '../operator/quotas.ts'
import { Pipeline } from '../pipeline.ts'
import { elementBytesLimit } from '../record/event.ts'
import { Refusals } from '../record/refusals.ts'
import type { DeliveryStatus } from '../services/cloudtrail/delivery.ts'
import { DigestKeys } from '../services/cloudtrail/digest-keys.ts'
import type { Grants } from '../services/kms/grants.ts'
import type { LastUsage } from '../services/kms/last-usage.ts'
import { type KmsState, materialRow } from '../services/kms/state.ts'
import type { Service } from '../services/operation.ts'
import { SharedRows } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import type { Put } from '../storage/port.ts'
import { declareTables, type Tables } from '../tables.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { type Faults, faultyStore } from './faulty-store.ts'
import { HeldJournal } from './held-journal.ts'
import { memoryHistory } from './memory-history.ts'
import {
  addGroup,
  addPolicy,
  addRole,
  addUser,
  type Named,
  type NewIdentity,
  type NewRole,
  type NewUser,
  type Person,
  type PolicyText,
  removeIdentity,
} from './people.ts'

export const region = parseRegion('us-east-1') as Region
export const account = parseAccountId('111122223333') as AccountId
export const otherAccount = parseAccountId('444455556666') as AccountId

export type Answer = {
  readonly status: number
  readonly requestId: string | undefined
  /** The `__type` of a failure. */
  readonly error: string | undefined
  readonly message: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly reply: Reply
  readonly request: HttpRequest
}

export type Sending = {
  /** Of temporary credentials with their token. */
  readonly key?: AccessKey & { readonly sessionToken?: string }
  readonly service?: string
  readonly region?: Region
  /** X-Amz-Target as a whole. */
  readonly target?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: Buffer
  readonly change?: (request: HttpRequest) => HttpRequest
}

export type HouseOptions = {
  readonly hsm?: (real: Hsm) => Hsm
  readonly services?: (known: readonly Service[]) => readonly Service[]
  readonly shared?: SharedRows
  /** `region` first; that one alone unless they are given. */
  readonly regions?: readonly Region[]
  readonly lastUsage?: LastUsage
  readonly mixedDuties?: AssemblyDeps['mixedDuties']
  readonly objects?: ObjectStore
  /** Of the key core; a temporary one unless it is given. */
  readonly directory?: string
}

/** Everything from a request to its answer, with a real key core, and a store and a journal that tests can hold. */
export class House {
  readonly shared: SharedRows
  readonly faults: Faults
  readonly mirror: Mirror
  readonly tables: Tables
  readonly accounts: Accounts
  readonly state: KmsState
  readonly grants: Grants
  readonly quotas: Quotas
  readonly regions: readonly Region[]
  readonly hsm: Hsm
  readonly journal = new HeldJournal()
  readonly refusals: Refusals
  readonly objects: ObjectStore
  /** Buckets that trails can name, and what is wrong with them. */
  readonly buckets = new Map<string, 'no-permission' | undefined>()
  /** What the delivery of a trail says of itself, by the trail's ARN. */
  readonly deliveries = new Map<string, DeliveryStatus>()
  readonly digests: DigestKeys
  readonly assembly: Assembly
  readonly pipeline: Pipeline
  readonly store
  readonly logged: string[] = []
  readonly key = newAccessKey(systemRandom)
  readonly otherKey = newAccessKey(systemRandom)
  readonly clock = { time: Date.UTC(2026, 4, 6, 7, 8, 9, 123), now: () => this.clock.time }

  private constructor(context: TestContext, options: HouseOptions) {
    this.regions = options.regions ?? [region]
    const { directory } = options
    const core = newCore(context, {
      clock: this.clock,
      ...(directory === undefined ? {} : { directory }),
    })
    this.hsm = options.hsm?.(core) ?? core
    this.shared = options.shared ?? new SharedRows()
    const { store, faults } = faultyStore(this.shared)
    this.faults = faults
    this.store = store
    this.mirror = new Mirror(store)
    this.tables = declareTables(this.mirror)
    this.accounts = this.tables.accounts
    this.state = this.tables.state
    this.quotas = this.tables.quotas
    this.grants = this.tables.grants
    const { clock, journal } = this
    this.objects = options.objects ?? new MemoryObjectStore(clock, systemRandom)
    this.refusals = new Refusals({ journal, account, region, clock, random: systemRandom })
    this.digests = new DigestKeys({
      ...{ ...this.tables, hsm: this.hsm, mirror: this.mirror, clock, random: systemRandom },
      ...{ materials: this.state.materials, materialRow },
    })
    this.assembly = this.#assembly(options)
    this.pipeline = this.#pipeline()
  }

  /** A deployment with two accounts, whose root users have `key` and `otherKey`. */
  static async open(context: TestContext, options: HouseOptions = {}): Promise<House> {
    const house = new House(context, options)
    const { mirror, accounts, hsm, clock, regions } = house
    await mirror.load()
    for (const each of regions) await hsm.ensureRegion(each)
    const now = clock.now()
    await mirror.commit(
      [
        accounts.found({ account, regions, createdAt: now }),
        ...(await accounts.create(account, house.key, now, hsm)),
        ...(await accounts.create(otherAccount, house.otherKey, now, hsm)),
      ],
      [],
    )
    // What was counted and not flushed would keep the process for a second.
    context.after(() => house.refusals.flush().catch(() => {}))
    return house
  }

  #assembly(options: HouseOptions): Assembly {
    const { mirror, hsm, objects, clock, store, journal, refusals } = this
    const lookup = {
      find: async () => ({ records: [], next: undefined }),
      last: async () => undefined,
      close: async () => {},
    }
    const { buckets, deliveries, digests } = this
    const delivery = {
      status: (trailArn: string) => deliveries.get(trailArn) ?? {},
      check: async ({ bucket }: { readonly bucket: string }) =>
        buckets.has(bucket) ? buckets.get(bucket) : 'no-bucket',
    }
    return assemble({
      ...this.tables,
      ...{ delivery, digests },
      journalPositions: async () => ({ own: 'test', positions: {} }),
      ...{ mirror, store, journal, refusals, hsm, objects, lookup, clock, random: systemRandom },
      history: memoryHistory(journal),
      log: (line) => this.logged.push(line),
      regions: this.regions,
      services: options.services,
      ...(options.lastUsage && { lastUsage: options.lastUsage }),
      mixedDuties: options.mixedDuties,
    })
  }

  #pipeline(): Pipeline {
    const { assembly, clock, mirror, store, journal, refusals } = this
    return new Pipeline({
      ...assembly,
      mirror,
      store,
      journal,
      refusals,
      clock,
      random: systemRandom,
      elementBytesMax: elementBytesLimit,
      log: (line) => this.logged.push(line),
    })
  }

  /** Who has that access key. */
  caller(accessKeyId: string): Caller {
    const caller = new Callers(this.tables.identities).credential(accessKeyId)?.caller
    assert.ok(caller, `nobody has ${accessKeyId}`)
    return caller
  }

  /** A signed call of KMS, or of what `sending` says. */
  request(operation: string, input: object, sending: Sending = {}): HttpRequest {
    const { accessKeyId, secretAccessKey, sessionToken } = {
      sessionToken: undefined,
      ...(sending.key ?? this.key),
    }
    const timestamp = new Date(this.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const request = sign(
      {
        headers: [
          ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
          ...(sending.headers ?? [
            ['Content-Type', 'application/x-amz-json-1.1'],
            ['X-Amz-Target', sending.target ?? `TrentService.${operation}`],
          ]),
        ],
        body: sending.body ?? Buffer.from(JSON.stringify(input)),
      },
      {
        accessKeyId,
        secret: secretAccessKey,
        region: sending.region ?? region,
        service: sending.service ?? 'kms',
        timestamp,
      },
    )
    return sending.change?.(request) ?? request
  }

  send(request: HttpRequest): Promise<Answer> {
    return new Promise((resolve) => {
      this.pipeline.accept(request, (reply) => resolve(answerOf(request, reply)))
    })
  }

  call(operation: string, input: object, sending?: Sending): Promise<Answer> {
    return this.send(this.request(operation, input, sending))
  }

  /** The body of a call that has to succeed. */
  async ok(operation: string, input: object, sending?: Sending): Promise<Answer['body']> {
    const { status, body, reply } = await this.call(operation, input, sending)
    assert.equal(status, 200, `${operation}: ${reply.body}`)
    return body
  }

  /** The id of a new key. */
  async newKey(input: object = {}, sending?: Sending): Promise<string> {
    const { KeyMetadata } = await this.ok('CreateKey', input, sending)
    return (KeyMetadata as { KeyId: string }).KeyId
  }

  /** A user of the first account, unless another is named, and its access key, which `sending` can have as `key`. */
  addUser(user: NewUser): Promise<Person> {
    return addUser(this.#settlement(), user)
  }

  addRole(role: NewRole): Promise<Named> {
    return addRole(this.#settlement(), role)
  }

  addGroup(group: NewIdentity): Promise<Named> {
    return addGroup(this.#settlement(), group)
  }

  /** A customer managed policy of the first account. */
  addPolicy(name: string, document: PolicyText): Promise<Named> {
    return addPolicy(this.#settlement(), name, document)
  }

  /** Removes a user or a role by its unique id. */
  removeIdentity(id: string): Promise<void> {
    return removeIdentity(this.#settlement(), id)
  }

  #settlement() {
    const { tables, assembly, hsm, clock, mirror } = this
    return {
      ...{ account, hsm, identities: tables.identities, principals: assembly.principals },
      now: clock.now(),
      commit: (puts: readonly Put[]) => mirror.commit(puts, []),
    }
  }

  /** The records of one answer. */
  recordsOf({ requestId }: Answer) {
    return this.journal.events.filter((event) => event.requestID === requestId)
  }
}

/** Takes a copy of the body, whose bytes the listener wipes once it has sent them. */
function answerOf(request: HttpRequest, reply: Reply): Answer {
  const { status, headers } = reply
  const text = reply.body.toString('latin1')
  const isJson = text.startsWith('{')
  const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {}
  const at = headers.indexOf('x-amzn-RequestId')
  const { __type: type, message, Message } = body as Record<string, string | undefined>
  const requestId = at < 0 ? undefined : headers[at + 1]
  return { status, requestId, error: type, message: message ?? Message, body, reply, request }
}

/** Lets every turn of the event loop pass that what was begun may need. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
