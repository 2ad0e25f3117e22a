import type { Authenticated } from './authenticate/authenticator.ts'
import { DutiesMixed } from './authorize/analyse/mixed.ts'
import { internalError, ServiceError } from './base/errors.ts'
import { type Authorize, authorizeCall, decideAnew, findDelayed, resolveCall } from './deciding.ts'
import type { Directory } from './directory.ts'
import { refusalOf } from './mixed-duties.ts'
import { Outcome, type OutcomeOptions } from './outcome.ts'
import { type Addressed, type Call, decoded } from './record/call.ts'
import { globalConditions, type OrganizationOfCallers } from './record/conditions.ts'
import type { AnyOperation } from './services/operation.ts'
import { type OutboxEvent, StoreConflict } from './storage/port.ts'
import { Turns } from './turns.ts'
import { awsJson } from './wire/aws-json.ts'
import type { BodyStream, HttpRequest, Reply } from './wire/protocol.ts'
import type { Members } from './wire/schema.ts'
import { wipeSensitive } from './wire/wipe.ts'

/**
 * The straight line of a request:
 *
 *   identify → authenticate → decode → resolve → authorize → operate → record → encode
 *
 * The beat is the turn of the event loop: all requests that are complete in one turn go through each stage together,
 * which keeps caches warm and lets the key core, the journal and the store take one message a turn. A stage takes a
 * call and moves it on, or throws the failure that the call will be answered with; a failed call skips to `record`.
 */
export type PipelineOptions = OutcomeOptions & {
  readonly directory: Directory
  /** Who sent it. What it says of itself has not been believed yet. */
  readonly authenticate: (
    request: HttpRequest,
    addressed: Addressed | undefined,
  ) => Authenticated | Promise<Authenticated>
  readonly authorize: Authorize
  /** Of the callers' accounts. */
  readonly organization: OrganizationOfCallers
  /** Throws 'throttled' when the caller's account has asked too much of late. */
  readonly throttle?: (call: Call) => void
  /** Tells the operator what a caller is not told. */
  readonly log: (line: string) => void
}

export class Pipeline {
  readonly #options: PipelineOptions
  readonly #turns = new Turns<Call>((calls) => void this.#turn(calls))
  readonly #outcome: Outcome
  #inFlight = 0
  #idle: (() => void)[] = []

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#outcome = new Outcome(options, (call) => decideAnew(call, options.authorize))
  }

  /** Takes a request that is complete, or whose body streams; `reply` is called exactly once. */
  accept(request: HttpRequest, reply: (reply: Reply) => void): void {
    this.#inFlight++
    this.#turns.add({ request, reply, requestId: this.#options.random.uuid(), evidence: [] })
  }

  /** Resolves when every accepted request was answered. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  async #turn(calls: readonly Call[]): Promise<void> {
    this.#stage(calls, (call) => this.#identify(call))
    try {
      await this.#options.mirror.refresh()
    } catch (error) {
      const failure = this.#failureOf(error)
      for (const call of calls) call.failure ??= failure
    }
    const present = calls.filter((call) => this.#authenticate(call) && this.#gather(call))
    this.#stage(present, (call) => this.#decode(call))
    this.#stage(present, resolveCall)
    this.#stage(present, (call) => authorizeCall(call, this.#options.authorize))
    const ready = present.filter((call) => this.#isDecided(call))
    // Behind authorization: which pool a call draws from tells what kind of key it is about.
    this.#stage(ready, (call) => this.#options.throttle?.(call))
    this.#turns.hold(ready.reduce((held, call) => (isLong(call) ? held : held + 1), 0))
    for (const call of ready) void this.#finish(call)
  }

  #stage(calls: readonly Call[], stage: (call: Call) => void): void {
    for (const call of calls) {
      if (call.failure !== undefined) continue
      try {
        stage(call)
      } catch (error) {
        call.failure = this.#failureOf(error)
      }
    }
  }

  #identify(call: Call): void {
    call.addressed ??= this.#options.directory.identify(call.request)
  }

  /** False when the signing key of the call's scope has to be derived first: it comes back in a later turn. */
  #authenticate(call: Call): boolean {
    if (call.failure !== undefined || call.identity !== undefined) return true
    try {
      const identity = this.#options.authenticate(call.request, call.addressed)
      if (!(identity instanceof Promise)) {
        call.identity = identity
        return true
      }
      identity.then(
        (found) => {
          call.identity = found
          this.#turns.add(call)
        },
        (error: unknown) => {
          call.failure = this.#failureOf(error)
          this.#turns.add(call)
        },
      )
      return false
    } catch (error) {
      call.failure = this.#failureOf(error)
      return true
    }
  }

  /** False while what decoding needs of a body that streams is still coming. */
  #gather(call: Call): boolean {
    const { body, caller } = call.identity ?? {}
    if (
      body === undefined ||
      caller === undefined ||
      call.failure !== undefined ||
      call.gathered === true
    )
      return true
    call.gathered = true
    try {
      const { input } = this.#operationOf(call)
      const gathering = call.addressed?.protocol.gather?.(input, body, caller.account)
      if (gathering === undefined) return true
      gathering.then(
        () => this.#turns.add(call),
        (error: unknown) => {
          call.failure = this.#failureOf(error)
          this.#turns.add(call)
        },
      )
      return false
    } catch (error) {
      call.failure = this.#failureOf(error)
      return true
    }
  }

  #operationOf(call: Call): AnyOperation {
    const { identity } = call
    if (identity === undefined) throw internalError('decode before authenticate')
    call.operation ??= this.#options.directory.operationOf(call, identity)
    return call.operation
  }

  #decode(call: Call): void {
    const { identity } = call
    if (identity === undefined) throw internalError('decode before authenticate')
    if (call.context !== undefined) return
    const { input } = this.#operationOf(call)
    const now = this.#options.clock.now()
    call.context = {
      caller: identity.caller,
      region: identity.region,
      now,
      requestId: call.requestId,
      globalConditions: globalConditions(call.request, identity, now, this.#options.organization),
    }
    call.input = call.addressed?.protocol.decode(input, call.request)
  }

  /** False while condition values are sought that a policy asks for: the call comes back in a later turn. */
  #isDecided(call: Call): boolean {
    const { delayed } = call
    if (delayed === undefined) return true
    findDelayed(call, delayed).then(
      () => this.#turns.add(call),
      (error: unknown) => {
        call.failure = this.#failureOf(error)
        this.#turns.add(call)
      },
    )
    return false
  }

  async #finish(call: Call): Promise<void> {
    let reply: Reply
    try {
      const committed = call.failure === undefined ? await this.#operate(call) : undefined
      if (!isLong(call)) this.#turns.release()
      if (call.addressed?.isRest === true) this.#encodeAhead(call)
      await this.#outcome.record(call, committed)
      reply = call.encoded ?? encode(call)
    } catch (error) {
      call.failure = this.#failureOf(error)
      reply = encode(call)
    }
    if (call.identity?.body !== undefined) this.#settleBodies(call, reply)
    call.reply(reply)
    wipe(call)
    this.#inFlight--
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The record of such a call says how long its answer is. */
  #encodeAhead(call: Call): void {
    try {
      call.encoded = encode(call)
    } catch (error) {
      call.failure = this.#failureOf(error)
      call.encoded = encode(call)
    }
  }

  /** What streams is over when the call is, and what was taken in for a call that failed is not kept. */
  #settleBodies(call: Call, reply: Reply): void {
    const { identity, operation, received, failure, output, service } = call
    identity?.body?.cancel()
    call.addressed?.protocol.release?.()
    if (failure === undefined) return
    if (received !== undefined && operation?.discard !== undefined) {
      Promise.try(() => operation.discard?.(received.value, service?.deps)).catch(
        (error: unknown) => this.#options.log(`what was received stays behind: ${String(error)}`),
      )
    }
    cancelStreams(operation, output, reply)
  }

  /** Never rejects: what goes wrong is the call's failure. */
  async #operate(call: Call): Promise<readonly OutboxEvent[] | undefined> {
    try {
      return await this.#outcome.operate(call)
    } catch (error) {
      call.failure =
        error instanceof DutiesMixed ? this.#refuse(call, error) : this.#failureOf(error)
      return undefined
    }
  }

  /** The operator learns whom it is about, and of which key. */
  #refuse(call: Call, error: DutiesMixed): ServiceError {
    const { operation, context } = decoded(call)
    this.#options.log(`refused ${operation.name} of ${context.caller.arn}: ${error.message}`)
    return refusalOf(error, call)
  }

  #failureOf(error: unknown): ServiceError {
    const failure =
      error instanceof ServiceError
        ? error
        : error instanceof StoreConflict
          ? internalError('the same rows kept changing')
          : internalError('unexpected failure', error)
    if (failure.code === 'internal') {
      const cause = failure.cause instanceof Error ? `: ${failure.cause.stack}` : ''
      this.#options.log(`internal failure: ${failure.detail ?? failure.message}${cause}`)
    }
    return failure
  }
}

/** Calls that stream take as long as their clients do, so no turn waits for them. */
function isLong({ identity }: Call): boolean {
  return identity?.body !== undefined
}

/** Of an output that was withheld. */
function cancelStreams(operation: AnyOperation | undefined, output: unknown, reply: Reply): void {
  if (output === undefined || operation?.output === undefined) return
  const values = output as Readonly<Record<string, unknown>>
  for (const [name, { type }] of Object.entries(operation.output.members as Members)) {
    const stream = type === 'stream' ? (values[name] as BodyStream | undefined) : undefined
    if (stream !== reply.body) stream?.cancel?.()
  }
}

function encode(call: Call): Reply {
  const { addressed, operation, failure, service } = call
  const protocol = addressed?.protocol ?? awsJson
  if (failure !== undefined) {
    return protocol.encodeError(failure, call.requestId, service?.signingName)
  }
  if (operation === undefined) throw internalError('encode before decode')
  return protocol.encode(operation.name, operation.output, call.output, call.requestId)
}

/** Plaintext and data keys leave with the answer and are not kept. */
function wipe(call: Call): void {
  const { operation } = call
  if (operation === undefined) return
  wipeSensitive(operation.input, call.input)
  if (operation.output !== undefined) wipeSensitive(operation.output, call.output)
}
