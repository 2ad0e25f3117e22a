import { internalError, ServiceError } from './base/errors.ts'
import type { Random } from './base/random.ts'
import { type Authorize, authorizeCall, decideAnew, findDelayed, resolveCall } from './deciding.ts'
import { Outcome, type OutcomeOptions } from './outcome.ts'
import { type Call, decoded } from './record/call.ts'
import type {
  AuditResource,
  CallContext,
  CallingService,
  InnerCall,
  Service,
} from './services/operation.ts'
import { actingFor } from './services/via.ts'
import type { HttpRequest } from './wire/protocol.ts'

export type InnerCallsOptions = OutcomeOptions & {
  readonly services: readonly Service[]
  readonly authorize: Authorize
  readonly throttle?: (call: Call) => void
  readonly random: Random
}

/**
 * Calls that a service makes of another one for its caller: the straight line from `resolve` to `record`, so that each
 * is authorized, throttled and recorded like a call that the caller makes. Nothing was sent, so nothing is decoded.
 */
export class InnerCalls {
  readonly #options: InnerCallsOptions
  readonly #outcome: Outcome

  constructor(options: InnerCallsOptions) {
    this.#options = options
    this.#outcome = new Outcome(options, (call) => decideAnew(call, options.authorize))
  }

  /**
   * Resolves with the operation's output once its record is on disk; rejects with the ServiceError that the caller
   * would be answered with. Secrets in the output are the asking service's to wipe.
   */
  async make(outer: CallContext, via: CallingService, asked: InnerCall): Promise<unknown> {
    return this.#make(this.#callOf(outer, via, asked))
  }

  /** The same of a call that a service makes in its own name: `context` is one of `inOwnName`. */
  makeAs(context: CallContext, asked: InnerCall): Promise<unknown> {
    return this.#make(this.#called(context, asked, undefined))
  }

  async #make(call: Call): Promise<unknown> {
    let committed: Awaited<ReturnType<Outcome['operate']>>
    try {
      await this.#decide(call)
      this.#options.throttle?.(call)
      committed = await this.#outcome.operate(call)
    } catch (error) {
      call.failure =
        error instanceof ServiceError ? error : internalError('unexpected failure', error)
    }
    await this.#outcome.record(call, committed)
    if (call.failure !== undefined) throw call.failure
    return call.output
  }

  /**
   * What the operation would be done to, if `make` were called now and the caller may: decided on the policies, grants
   * and states of this moment. Undefined where `make` would be refused, or cannot be decided without it. For operations
   * that know DryRun; nothing is done, and nothing recorded.
   */
  async would(
    outer: CallContext,
    via: CallingService,
    asked: InnerCall & { readonly input: object },
  ): Promise<readonly AuditResource[] | undefined> {
    const call = this.#callOf(outer, via, { ...asked, input: { ...asked.input, DryRun: true } })
    const { operation, context, input } = decoded(call)
    if (!Object.hasOwn(operation.input.members, 'DryRun')) {
      throw internalError(`${asked.operation} has no dry run`)
    }
    try {
      resolveCall(call)
      authorizeCall(call, this.#options.authorize)
      if (call.delayed !== undefined) return undefined
      await operation.handle(context, input, call.target, call.service?.deps)
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'dry-run') return undefined
      return operation.audit.resources?.(call.target, input, undefined) ?? []
    }
    throw internalError(`a dry run of ${asked.operation} did something`)
  }

  async #decide(call: Call): Promise<void> {
    resolveCall(call)
    authorizeCall(call, this.#options.authorize)
    if (call.delayed === undefined) return
    await findDelayed(call, call.delayed)
    resolveCall(call)
    authorizeCall(call, this.#options.authorize)
  }

  #callOf(outer: CallContext, via: CallingService, asked: InnerCall): Call {
    const within = { service: `${via.name}.amazonaws.com`, requestId: outer.requestId }
    const requestId = this.#options.random.uuid()
    return this.#called({ ...actingFor(outer, via), requestId }, asked, within)
  }

  #called(context: CallContext, asked: InnerCall, within: Call['within']): Call {
    const service = this.#options.services.find((each) => each.signingName === asked.service)
    const operation = service?.operations.get(asked.operation)
    if (service === undefined || operation === undefined) {
      throw internalError(`there is no ${asked.service}:${asked.operation}`)
    }
    const { caller, region, requestId } = context
    return {
      request: nothingSent,
      reply: () => {},
      requestId,
      evidence: [],
      ...(within && { within }),
      identity: { caller, region, service: asked.service, accessKeyId: caller.accessKeyId ?? '' },
      service,
      operation,
      context,
      input: asked.input,
    }
  }
}

const nothingSent: HttpRequest = {
  method: '',
  target: '',
  rawHeaders: [],
  body: Buffer.alloc(0),
  remoteAddress: '',
}
