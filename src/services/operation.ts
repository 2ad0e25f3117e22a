import type { Caller } from '../base/caller.ts'
import type { ErrorCode, ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Put } from '../storage/port.ts'
import type { Route } from '../wire/rest-xml/routes.ts'
import type { StructureSchema, Value } from '../wire/schema.ts'

/**
 * The anatomy of an operation: everything that is particular to one AWS action, as one declarative value. What all
 * operations share (authentication, decoding, authorization, the record, encoding) is the pipeline's, once.
 *
 * I and O are schemas, T is what `resolve` finds (a key, two keys, nothing), D what the service's handlers need.
 */
export type Operation<
  I extends StructureSchema = StructureSchema,
  O extends StructureSchema | undefined = StructureSchema | undefined,
  T = unknown,
  D = unknown,
  R = unknown,
> = {
  /** The wire name, as in `GenerateDataKey`. */
  readonly name: string
  /** CloudTrail's name of it, where that is another one. */
  readonly recordedAs?: string
  readonly input: I
  /** Undefined where AWS answers 200 with an empty body. */
  readonly output: O
  /** `write` changes state; CloudTrail's readOnly is true for the other two. */
  readonly effects: 'read' | 'use' | 'write'
  /** A data event in CloudTrail, as those of S3's objects; a management event without it. */
  readonly category?: 'data'
  /** Called by web identities, who sign nothing, and by nobody else. */
  readonly unsigned?: true
  /** What it may answer besides the errors that every operation may answer. */
  readonly errors: readonly ErrorCode[]
  /** Finds what the call is about. Throws what the caller may learn before authorization (not-found, validation). */
  resolve(call: CallContext, input: Value<I>, deps: D): T
  /**
   * The permissions that must all be allowed, asked one by one: what throws between two of them is learnt by those
   * alone who passed the ones before. None means that no permission is needed.
   */
  checks(call: CallContext, input: Value<I>, target: T, deps: D): Iterable<Check>
  /** What the record may show: an allow-list, a member not named cannot be logged. */
  readonly audit: AuditView<Value<I>, T, OutputValue<O>>
  /**
   * Of an operation with a body that streams: takes it in, once, behind authorization and before `handle`, which gets
   * what it resolves with, however often it is called. Nothing of it may be visible before `handle` says so.
   */
  receive?(call: CallContext, input: Value<I>, target: T, deps: D): Promise<R>
  /** Drops what was received, when the call failed and nothing of it is to stay. */
  discard?(received: R, deps: D): void | Promise<void>
  /**
   * Does it. May be called again from `resolve` on when somebody else changed the same rows first, so it changes
   * nothing itself: changes are returned, and are committed together with the record.
   */
  handle(
    call: CallContext,
    input: Value<I>,
    target: T,
    deps: D,
    ...received: unknown extends R ? [received?: R] : [received: R]
  ): Result<OutputValue<O>> | Promise<Result<OutputValue<O>>>
}

export type OutputValue<O> = O extends StructureSchema ? Value<O> : undefined

export type Result<Output> = {
  readonly output: Output
  readonly changes?: readonly Put[]
  /** Recorded behind the call's own record, in the commit of the changes. Without changes there are none. */
  readonly events?: readonly OwnEvent[]
  /** The answer in place of a commit of the changes, unless that would be refused. */
  readonly dryRun?: ServiceError
}

/** What a service does of itself, because of a call or of the time: the members that are particular to its record. */
export type OwnEvent = {
  readonly eventSource: string
  readonly eventName: string
  /** Whose resources it is about. */
  readonly account: AccountId
  readonly region: Region
  readonly resources: readonly AuditResource[]
  /** serviceEventDetails */
  readonly details?: JsonObject
  /** Of what CloudTrail shows as a call all the same, with an answer and a request id (`SynchronizeMultiRegionKey`). */
  readonly call?: { readonly response: JsonObject }
}

/** What every handler may know of the call it serves. */
export type CallContext = {
  readonly caller: Caller
  /** The Region of the credential scope. */
  readonly region: Region
  /** Milliseconds since the epoch, one value for the whole call. */
  readonly now: number
  readonly requestId: string
  /** Global condition keys (`aws:SourceIp` …), in the spelling of AWS. */
  readonly globalConditions: ConditionValues
  /**
   * The service of this deployment that makes the call for the caller, by whose permissions it is decided. Nothing that
   * a request brings can set it: `actingFor` does (`via.ts`).
   */
  readonly via?: CallingService | undefined
  /** What `Check.delayed` found, once it has been asked. */
  readonly delayedConditions?: ConditionValues | undefined
}

/** A call of another service of this deployment, on behalf of the caller (`via.ts`). */
export type InnerCall = {
  /** Its name in credential scopes: `kms`. */
  readonly service: string
  /** The wire name. */
  readonly operation: string
  /** As the schema of its input has it. */
  readonly input: unknown
}

export type CallingService = {
  /** As in `s3.us-east-1.amazonaws.com`. */
  readonly name: string
  readonly region: Region
}

/** Condition keys and their values, as in `kms:EncryptionContext:department`. An absent key is an absent member. */
export type ConditionValues = Readonly<Record<string, string | readonly string[]>>

/** A grant that permits a call, and how it names the caller: one to an account is used by leave of its policies. */
export type PermittingGrant = {
  readonly grantId: string
  readonly grantee: 'user' | 'role' | 'role-session' | 'account'
}

/** One permission on one resource. */
export type Check = {
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly resource: Resource
  readonly conditions: ConditionValues
  /** Finds a grant that permits it. Asked only when nothing denies and no policy allows. */
  readonly grant?: (() => PermittingGrant | undefined) | undefined
  /** Condition values that take long to find: sought when a policy has asked for one, and then all is decided anew. */
  readonly delayed?: DelayedConditions | undefined
  /** Of a part of the call alone: its denial is told here, and the call goes on without that part. */
  readonly refused?: ((denied: ServiceError) => void) | undefined
}

export type DelayedConditions = {
  /** In lower case; a family ends in `*`. */
  readonly keys: readonly string[]
  find(): Promise<ConditionValues>
}

export type Resource =
  /**
   * A key: its key policy is the root of all authority over it. `crossAccount`: whether AWS lets other accounts call.
   */
  | {
      readonly type: 'key'
      readonly arn: string
      readonly account: AccountId
      readonly policy: string
      readonly crossAccount: boolean
      /** A key that a service made for itself: resource control policies do not reach it. */
      readonly awsManaged?: boolean
    }
  /** A role that the caller would assume: its trust policy decides as a key policy does. */
  | {
      readonly type: 'role'
      readonly arn: string
      readonly account: AccountId
      readonly policy: string
    }
  /**
   * A bucket or an object in it, with the bucket's policy. `crossAccount`: whether other accounts may be let in at all.
   */
  | {
      readonly type: 'bucket'
      readonly arn: string
      readonly account: AccountId
      readonly policy: string | undefined
      readonly crossAccount: boolean
    }
  /** No resource policy: identity policies of the caller's account alone decide (`*`, an alias). */
  | { readonly type: 'identity'; readonly arn: string; readonly account: AccountId }

export type JsonObject = { readonly [name: string]: unknown }

/**
 * `owner` is the other account that a copy of the record is for, when the call succeeded on a key of that account: it
 * sees what concerns its own side. Undefined for the record of the caller's own account.
 */
export type AuditView<Input, Target, Output> = {
  /** requestParameters; `target` is undefined when `resolve` failed. */
  request(input: Input, target: Target | undefined, owner?: AccountId): JsonObject | null
  /** responseElements of a success; null for reads and cryptographic calls. */
  response?(output: Output, input: Input, target: Target): JsonObject | null
  /** `output` is undefined when the call failed. */
  resources?(target: Target, input: Input, output: Output | undefined): readonly AuditResource[]
  additional?(
    output: Output,
    input: Input,
    target: Target,
    owner?: AccountId,
  ): JsonObject | undefined
  /** Of a call that does one thing to many: what became of each, which then has a record of its own. */
  parts?(output: Output, input: Input, target: Target): readonly AuditPart[]
}

/** A record beside the call's own, of the same request id. */
export type AuditPart = {
  readonly eventName: string
  readonly request: JsonObject
  readonly response: JsonObject | null
  readonly resources: readonly AuditResource[]
  /** What it failed of. */
  readonly failure?: ServiceError | undefined
  /** Which of the call's checks decided on it: its place among them. */
  readonly check: number
}

export type AuditResource = {
  readonly accountId: AccountId
  readonly type: string
} & ResourceName

/** One resource, or all with one beginning, as a listing of objects is about. */
export type ResourceName =
  | { readonly ARN: string; readonly ARNPrefix?: never }
  | { readonly ARN?: never; readonly ARNPrefix: string }

/** Checks an operation's parts against each other and forgets their particular types. */
export function operation<
  I extends StructureSchema,
  O extends StructureSchema | undefined,
  T,
  D,
  R = unknown,
>(definition: Operation<I, O, T, D, R>): Operation<I, O, T, D, R> {
  return definition
}

/** An operation as the pipeline holds it: the pipeline passes values through and looks into none. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where the particular types are forgotten.
export type AnyOperation = Operation<any, any, any, any, any>

/** A service: how it is called on the wire, and what it can do. */
export type Service = {
  /** The name in credential scopes: `kms`. */
  readonly signingName: string
  /** CloudTrail's eventSource: `kms.amazonaws.com`. */
  readonly eventSource: string
  readonly protocol:
    | { readonly name: 'json'; readonly targetPrefixes: readonly string[] }
    | { readonly name: 'query'; readonly version: string; readonly namespace: string }
    | { readonly name: 'rest-xml'; readonly namespace: string; readonly routes: readonly Route[] }
  readonly operations: ReadonlyMap<string, AnyOperation>
  readonly deps: unknown
  /** The pool of request quotas that a call draws from; without it, none. */
  readonly requestPool?: (operation: string, target: unknown) => string
  /** The answer to a change to which others were faster too often; without it, an internal failure. */
  readonly contended?: () => ServiceError
}
