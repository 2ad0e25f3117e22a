import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Authenticator } from '../authenticate/authenticator.ts'
import { sign } from '../authenticate/testing/signer.ts'
import { admitKeyPolicy } from '../authorize/admit.ts'
import { authorizer } from '../authorize/authorizer.ts'
import { defaultKeyPolicy } from '../authorize/defaults.ts'
import { PolicyCache } from '../authorize/policy/cache.ts'
import { type AccountId, parseAccountId, parseRegion, type Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { Directory } from '../directory.ts'
import { parseBlob } from '../hsm/blob.ts'
import type { Hsm } from '../hsm/port.ts'
import { newCore } from '../hsm/testing/fixtures.ts'
import { type AccessKey, Accounts, newAccessKey } from '../operator/accounts.ts'
import { Quotas } from '../operator/quotas.ts'
import { Pipeline } from '../pipeline.ts'
import { elementBytesLimit } from '../record/event.ts'
import { Refusals } from '../record/refusals.ts'
import { requestThrottle } from '../request-throttle.ts'
import { cloudTrailService } from '../services/cloudtrail/service.ts'
import { Grants } from '../services/kms/grants.ts'
import { kmsQuotas, limitsFrom } from '../services/kms/quotas.ts'
import { kmsService } from '../services/kms/service.ts'
import { KmsState } from '../services/kms/state.ts'
import type { Service } from '../services/operation.ts'
import { stsService } from '../services/sts/service.ts'
import { SharedRows } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { type Faults, faultyStore } from './faulty-store.ts'
import { HeldJournal } from './held-journal.ts'

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
  readonly key?: AccessKey
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
  /** Of the key core; a temporary one unless it is given. */
  readonly directory?: string
}

/** Everything from a request to its answer, with a real key core, and a store and a journal that tests can hold. */
export class House {
  readonly shared: SharedRows
  readonly faults: Faults
  readonly mirror: Mirror
  readonly accounts: Accounts
  readonly state: KmsState
  readonly grants: Grants
  readonly quotas: Quotas
  readonly regions: readonly Region[]
  readonly hsm: Hsm
  readonly journal = new HeldJournal()
  readonly refusals: Refusals
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
    this.accounts = new Accounts(this.mirror)
    this.state = new KmsState(this.mirror)
    this.quotas = new Quotas(this.mirror, kmsQuotas)
    this.grants = new Grants(this.mirror, this.state)
    const { clock, journal } = this
    this.refusals = new Refusals({ journal, account, region, clock, random: systemRandom })
    this.pipeline = this.#pipeline(options)
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

  #pipeline(options: HouseOptions): Pipeline {
    const { state, grants, hsm, accounts, clock, mirror, store, journal, refusals } = this
    const kms = kmsService({
      state,
      grants,
      hsm,
      regions: this.regions,
      lastUsage: async () => undefined,
      random: systemRandom,
      parseBlob,
      limits: limitsFrom(this.quotas),
      policies: {
        defaultKeyPolicy,
        admitKeyPolicy: (text, change) => {
          admitKeyPolicy(text, { ...change, principalExists: () => true })
        },
        accountExists: (id) => accounts.exists(id),
      },
    })
    const lookup = { find: async () => ({ records: [], next: undefined }) }
    const known = [kms, stsService(), cloudTrailService({ lookup })]
    const directory = new Directory(options.services?.(known) ?? known)
    const authenticator = new Authenticator({
      credential: (accessKeyId) => accounts.credential(accessKeyId),
      signingKey: (scope) => hsm.signingKey(scope),
      clock,
      regions: new Set(this.regions),
      services: directory.signingNames,
    })
    return new Pipeline({
      directory,
      authenticate: (request) => authenticator.verify(request),
      authorize: authorizer(new PolicyCache()),
      throttle: requestThrottle(this.quotas, clock),
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

  /** A signed call of KMS, or of what `sending` says. */
  request(operation: string, input: object, sending: Sending = {}): HttpRequest {
    const { accessKeyId, secretAccessKey } = sending.key ?? this.key
    const timestamp = new Date(this.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const request = sign(
      {
        headers: sending.headers ?? [
          ['Content-Type', 'application/x-amz-json-1.1'],
          ['X-Amz-Target', sending.target ?? `TrentService.${operation}`],
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
