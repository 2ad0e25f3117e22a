import type { Authenticated } from './authenticate/authenticator.ts'
import { DutiesMixed } from './authorize/analyse/mixed.ts'
import type { Evidence } from './authorize/evidence.ts'
import type { Caller } from './base/caller.ts'
import { internalError, ServiceError } from './base/errors.ts'
import type { Directory } from './directory.ts'
import { refusalOf } from './mixed-duties.ts'
import { Outcome, type OutcomeOptions } from './outcome.ts'
import { type Addressed, type Call, decoded } from './record/call.ts'
import { globalConditions, type OrganizationOfCallers } from './record/conditions.ts'
import type { CallContext, Check, DelayedConditions } from './services/operation.ts'
import { type OutboxEvent, StoreConflict } from './storage/port.ts'
import { Turns } from './turns.ts'
import { awsJson } from './wire/aws-json.ts'
import type { HttpRequest, Reply } from './wire/protocol.ts'
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
  /** Whether the caller may, and what that was decided on. */
  readonly authorize: (
    caller: Caller,
    check: Check,
    context: CallContext,
  ) => { readonly evidence: Evidence; readonly denied: ServiceError | undefined }
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
    this.#outcome = new Outcome(options, (call) => this.#decideAnew(call))
  }

  /** Takes a complete request; `reply` is called exactly once. */
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
    const present = calls.filter((call) => this.#authenticate(call))
    this.#stage(present, (call) => this.#decode(call))
    this.#stage(present, (call) => this.#resolve(call))
    this.#stage(present, (call) => this.#authorize(call))
    const ready = present.filter((call) => this.#isDecided(call))
    // Behind authorization: which pool a call draws from tells what kind of key it is about.
    this.#stage(ready, (call) => this.#options.throttle?.(call))
    this.#turns.hold(ready.length)
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

  #decode(call: Call): void {
    const { identity } = call
    if (identity === undefined) throw internalError('decode before authenticate')
    if (call.context !== undefined) return
    call.operation = this.#options.directory.operationOf(call, identity)
    const now = this.#options.clock.now()
    call.context = {
      caller: identity.caller,
      region: identity.region,
      now,
      requestId: call.requestId,
      globalConditions: globalConditions(call.request, identity, now, this.#options.organization),
    }
    call.input = call.addressed?.protocol.decode(call.operation.input, call.request)
  }

  #resolve(call: Call): void {
    const { operation, context, input } = decoded(call)
    // Of a call that is decided anew nothing is known that an earlier decision found.
    call.resolved = false
    call.authorized = false
    call.evidence.length = 0
    call.target = undefined
    call.target = operation.resolve(context, input, call.service?.deps)
    call.resolved = true
  }

  #authorize(call: Call): void {
    const { operation, context, input } = decoded(call)
    const deps = call.service?.deps
    for (const check of operation.checks(context, input, call.target, deps)) {
      const { evidence, denied } = this.#options.authorize(context.caller, check, context)
      call.evidence.push(evidence)
      if (context.delayedConditions === undefined && asks(evidence, check.delayed)) {
        call.delayed = check.delayed
        return
      }
      if (denied !== undefined) throw denied
    }
    call.authorized = true
  }

  /** False while condition values are sought that a policy asks for: the call comes back in a later turn. */
  #isDecided(call: Call): boolean {
    const { delayed } = call
    if (delayed === undefined) return true
    delayed.find().then(
      (delayedConditions) => {
        const { context } = decoded(call)
        call.context = { ...context, delayedConditions }
        call.delayed = undefined
        this.#turns.add(call)
      },
      (error: unknown) => {
        call.failure = this.#failureOf(error)
        call.delayed = undefined
        this.#turns.add(call)
      },
    )
    return false
  }

  async #finish(call: Call): Promise<void> {
    let reply: Reply
    try {
      const committed = call.failure === undefined ? await this.#operate(call) : undefined
      this.#turns.release()
      await this.#outcome.record(call, committed)
      reply = encode(call)
    } catch (error) {
      call.failure = this.#failureOf(error)
      reply = encode(call)
    }
    call.reply(reply)
    wipe(call)
    this.#inFlight--
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve()
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

  /** For a call whose rows somebody else changed first. */
  #decideAnew(call: Call): void {
    this.#resolve(call)
    this.#authorize(call)
    if (call.delayed !== undefined) throw internalError('the policies kept changing')
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

/** Whether a policy asked for one of these. */
function asks({ context }: Evidence, delayed: DelayedConditions | undefined): boolean {
  if (delayed === undefined) return false
  const { keys } = delayed
  return (['caller', 'resource'] as const).some((side) => {
    const asked = context.asked(side)
    return asked !== undefined && keys.some((key) => asked.has(key))
  })
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
