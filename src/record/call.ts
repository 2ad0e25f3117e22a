import type { Authenticated } from '../authenticate/authenticator.ts'
import type { Evidence } from '../authorize/evidence.ts'
import { internalError, type ServiceError } from '../base/errors.ts'
import type {
  AnyOperation,
  CallContext,
  DelayedConditions,
  Service,
} from '../services/operation.ts'
import type { HttpRequest, Protocol, Reply } from '../wire/protocol.ts'
import type { S3Resource } from '../wire/rest-xml/resource.ts'

/** One request on its way through the pipeline. Each stage fills in what it found; nothing is taken away. */
export type Call = {
  readonly request: HttpRequest
  readonly reply: (reply: Reply) => void
  readonly requestId: string
  /** What each permission was decided on, in the order of the checks; the last one denied if any did. */
  readonly evidence: Evidence[]
  /** Of a call that a service makes for its caller: which service, and the id of the caller's request to that one. */
  readonly within?: { readonly service: string; readonly requestId: string }

  /** identify: which protocol, and which operation it names. */
  addressed?: Addressed
  /** authenticate: who signed it. */
  identity?: Authenticated
  /** decode */
  service?: Service
  operation?: AnyOperation
  context?: CallContext
  input?: unknown
  /** resolve: what the call is about; `resolved` tells a target of undefined from none. */
  target?: unknown
  resolved?: boolean
  /** authorize: whether every permission that it takes was allowed. */
  authorized?: boolean
  /** authorize: condition values that policies ask for and that are still being sought. */
  delayed?: DelayedConditions | undefined
  /** authenticate: what decoding needs of a body that streams is there. */
  gathered?: boolean
  /** operate: what a body that streams was taken in as, until the call is done. */
  received?: { readonly value: unknown } | undefined
  /** operate */
  output?: unknown
  /** encode: made before the record of a call of REST XML, which says how long the answer is. */
  encoded?: Reply
  /** The first stage that refused; what the call is answered with. */
  failure?: ServiceError
}

/** What a request says of itself before anybody has vouched for it. */
export type Addressed = {
  readonly protocol: Protocol
  /** X-Amz-Target up to its last dot; undefined in the Query protocol. */
  readonly targetPrefix: string | undefined
  /** Of the Query protocol: the API version as it was sent. */
  readonly version?: string | undefined
  readonly operationName: string | undefined
  /** Of REST XML, and what is wrong with how it is addressed: its caller hears that, once known. */
  readonly isRest?: true
  /** Of REST XML: what it names. */
  readonly resource?: Pick<S3Resource, 'bucket' | 'key'>
  /** Whether any operation has its method there. */
  readonly isServed?: boolean
  readonly refusal?: ServiceError
}

/** What every stage behind `decode` builds on. */
export function decoded(call: Call) {
  const { operation, context, input } = call
  if (operation === undefined || context === undefined) {
    throw internalError('a stage came too early')
  }
  return { operation, context, input }
}
