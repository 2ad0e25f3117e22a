import type { Authenticated } from '../authenticate/authenticator.ts'
import { isResourceSideDenial } from '../authorize/denial.ts'
import type { Evidence } from '../authorize/evidence.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { AuditPart, AuditResource, JsonObject } from '../services/operation.ts'
import type { OutboxEvent } from '../storage/port.ts'
import { wireName } from '../wire/errors.ts'
import { decisionText } from './authorization.ts'
import type { Call } from './call.ts'
import { deniedElementBytes, isDeniedWebIdentity, shortened } from './denied-web-identities.ts'
import { type ApiCallEvent, apiCallRecord, callerIdentity, cut, foreignIdentity } from './event.ts'
import { headerOf, sourceIp } from './request.ts'
import { hostMax, type ShownResource, s3Members } from './s3-members.ts'

/**
 * The records of one authenticated call, whatever became of it: one for the caller's account and, where a call
 * succeeded on resources of other accounts, one for each owner, tied by sharedEventID; behind them those of the single
 * things that it did, where it did many.
 */
export function recordsOf(
  call: Call,
  time: number,
  random: Random,
  elementBytesMax: number,
): readonly OutboxEvent[] {
  const identity = identityOf(call)
  const { caller } = identity
  const view = viewOf(call, caller.account)
  const parts = partsOf(call)
  const isOpen = parts.length === 0 || parts.some((part) => isAllowed(call, part))
  const owners =
    call.failure === undefined && isOpen ? foreignOwners(view.resources, caller.account) : nobody
  const event: ApiCallEvent = {
    ...view,
    resources: isOpen ? view.resources : ownerless(view.resources, caller.account),
    eventId: random.uuid(),
    sharedEventId: owners.length === 0 ? undefined : random.uuid(),
    userIdentity: invoked(call, callerIdentity(caller)),
    // What each part was decided on stands in its own record.
    authorization: parts.length > 0 ? undefined : authorizationOf(call, caller.account),
    time,
    eventSource: call.service?.eventSource ?? `${identity.service}.amazonaws.com`,
    eventName: eventNameOf(call),
    region: identity.region,
    sourceIp: serviceOf(call) ?? sourceIp(call.request),
    userAgent: serviceOf(call) ?? headerOf(call.request, 'user-agent'),
    requestId: call.requestId,
    readOnly: call.operation === undefined || call.operation.effects !== 'write',
    category: call.operation?.category,
    recipientAccountId: caller.account,
    tlsDetails: tlsDetails(call),
  }
  const bytesMax = isDeniedWebIdentity(call)
    ? Math.min(elementBytesMax, deniedElementBytes)
    : elementBytesMax
  const write = (made: ApiCallEvent): OutboxEvent => {
    const isRest = call.addressed?.isRest === true
    const shown = isRest ? { ...made, ...s3Members(call, made, bytesMax) } : made
    return { id: made.eventId, record: apiCallRecord(shown, bytesMax) }
  }
  const records = [write(event)]
  for (const owner of owners)
    records.push(write(copyFor(call, { ...event, resources: view.resources }, owner, random)))
  for (const part of parts) {
    for (const made of eventsOfPart(call, event, part, random)) records.push(write(made))
  }
  return records
}

/** What the owner of resources of another account sees of a call on them. */
function copyFor(
  call: Call,
  event: ApiCallEvent & View,
  owner: AccountId,
  random: Random,
): ApiCallEvent {
  const { caller } = identityOf(call)
  return {
    ...event,
    ...sideOf(call, event, owner),
    eventId: random.uuid(),
    userIdentity: invoked(call, foreignIdentity(caller)),
    authorization: event.authorization && authorizationOf(call, owner),
    recipientAccountId: owner,
  }
}

function partsOf({ operation, failure, output, input, target }: Call): readonly AuditPart[] {
  return failure === undefined ? (operation?.audit.parts?.(output, input, target) ?? []) : []
}

/** Of one of many things that a call did: its own event, and a copy for whom it belongs to. */
function* eventsOfPart(call: Call, event: ApiCallEvent, part: AuditPart, random: Random) {
  const { eventName, request, response, resources, failure, check } = part
  const { caller } = identityOf(call)
  const owners = failure === undefined ? foreignOwners(resources, caller.account) : nobody
  const decided = call.evidence.slice(check, check + 1)
  const allowed = isAllowed(call, part)
  const own: ApiCallEvent = {
    ...event,
    ...{ eventName, requestParameters: request, responseElements: response },
    eventId: random.uuid(),
    sharedEventId: owners.length === 0 ? undefined : random.uuid(),
    resources: allowed ? resources : ownerless(resources, caller.account),
    errorCode: failure && errorCodeOf(call, failure),
    errorMessage: failure?.publicMessage,
    authorization: authorizationOf(call, caller.account, decided, allowed),
    additionalEventData: tied(call, nothingMoved),
  }
  yield own
  for (const owner of owners) {
    yield {
      ...own,
      ...{ eventId: random.uuid(), recipientAccountId: owner },
      userIdentity: invoked(call, foreignIdentity(caller)),
      resources: resources.filter(({ accountId }) => accountId === owner),
      authorization: authorizationOf(call, owner, decided, allowed),
    }
  }
}

function isAllowed({ evidence }: Call, { check }: AuditPart): boolean {
  return evidence[check]?.decision.allowed === true
}

/** Who was not allowed may not learn whose it is; names that he brought along himself say nothing. */
function ownerless(
  resources: readonly AuditResource[] | undefined,
  account: AccountId,
): readonly ShownResource[] | undefined {
  return resources?.map((resource) => {
    const { accountId, ...named } = resource
    return accountId === account ? resource : named
  })
}

/** The bytes of a call count once. */
const nothingMoved = { bytesTransferredIn: 0, bytesTransferredOut: 0 }

function identityOf({ identity }: Call): Authenticated {
  if (identity === undefined) throw new Error('only authenticated calls have records of their own')
  return identity
}

/** The service that calls, for a caller or in its own name. */
function serviceOf({ within, identity }: Call): string | undefined {
  if (identity?.caller.type === 'service') return identity.caller.principalId
  return within?.service
}

/** A service that acts for a caller is named in the caller's identity, as CloudTrail has it. */
function invoked({ within }: Call, identity: JsonObject): JsonObject {
  if (identity['type'] === 'AWSService') return identity
  return within === undefined ? identity : { ...identity, invokedBy: within.service }
}

/** The request that a service acted for is named in the record of what it did: the two are joined by its id. */
function tied({ within }: Call, additional: JsonObject | undefined): JsonObject | undefined {
  if (within === undefined) return additional
  return { ...additional, callingService: within.service, callingRequestID: within.requestId }
}

type View = Pick<
  ApiCallEvent,
  'requestParameters' | 'responseElements' | 'additionalEventData' | 'errorCode' | 'errorMessage'
> & { readonly resources?: readonly AuditResource[] | undefined }

function viewOf(call: Call, account: AccountId): View {
  const { operation, failure } = call
  const requestParameters = requestParametersOf(call)
  const resources = resourcesOf(call, account)
  if (failure !== undefined || operation === undefined) {
    const error = failure ?? new ServiceError('internal')
    return {
      requestParameters,
      responseElements: null,
      resources,
      additionalEventData: tied(call, undefined),
      errorCode: errorCodeOf(call, error),
      errorMessage: error.publicMessage,
    }
  }
  const { audit } = operation
  return {
    requestParameters,
    responseElements: audit.response?.(call.output, call.input, call.target) ?? null,
    additionalEventData: tied(call, audit.additional?.(call.output, call.input, call.target)),
    resources,
  }
}

/**
 * A caller who was not allowed may not learn, from the own account's record, of keys that other accounts have: it looks
 * like the record of a call on a key that is not there.
 */
function resourcesOf(call: Call, account: AccountId): readonly AuditResource[] | undefined {
  const { operation, failure, target, input, output } = call
  if (call.resolved !== true) return undefined
  if (failure === undefined) return operation?.audit.resources?.(target, input, output)
  const resources = operation?.audit.resources?.(target, input, undefined)
  if (call.authorized === true) return resources
  const own = resources?.filter((resource) => resource.accountId === account)
  return own?.length === 0 ? undefined : own
}

/** What the owner of a key sees of a call that others were part of, too: its own keys, and what was asked of them. */
function sideOf(call: Call, view: View, owner: AccountId): Partial<View> {
  const { operation, target, input, output } = call
  return {
    requestParameters: operation?.audit.request(input, target, owner) ?? null,
    additionalEventData: tied(call, operation?.audit.additional?.(output, input, target, owner)),
    resources: view.resources?.filter((resource) => resource.accountId === owner),
  }
}

/**
 * What the call was decided on, as an account may see it: the caller's own its policies, the owner of a resource those
 * of the resource, both where they are one. When the call failed without a decision that its caller is told openly,
 * nothing at all: a stranger's record looks the same whether or not there is such a key.
 */
function authorizationOf(
  call: Call,
  account: AccountId,
  evidence: readonly Evidence[] = call.evidence,
  authorized = call.authorized === true,
): string | undefined {
  const { identity } = call
  const last = evidence.at(-1)
  if (last === undefined || identity === undefined) return undefined
  if (!authorized && !isTold(last)) return undefined
  const own = identity.caller.account
  let text = ''
  for (const decided of evidence) {
    const owner = decided.request.resource.account
    if (account !== own && account !== owner) continue
    const side = own === owner ? undefined : account === own ? 'caller' : 'resource'
    text += `${text === '' ? '' : ','}${decisionText(decided, side)}`
  }
  return text === '' ? undefined : `[${text}]`
}

function isTold({ request, decision }: Evidence): boolean {
  if (decision.allowed) return false
  return request.caller.account === request.resource.account || !isResourceSideDenial(decision)
}

function requestParametersOf(call: Call): JsonObject | null {
  if (call.operation === undefined || call.input === undefined) return null
  const parameters = call.operation.audit.request(call.input, call.target)
  return parameters !== null && isDeniedWebIdentity(call) ? shortened(parameters) : parameters
}

/** A denial is `AccessDenied` in CloudTrail, whatever the protocol calls it. */
function errorCodeOf(call: Call, error: ServiceError): string {
  if (error.code === 'access-denied') return 'AccessDenied'
  return wireName(
    error.code,
    call.addressed?.protocol.name ?? call.service?.protocol.name ?? 'json',
    call.service?.signingName,
  )
}

const nobody: readonly AccountId[] = []

function foreignOwners(
  resources: readonly AuditResource[] | undefined,
  account: AccountId,
): readonly AccountId[] {
  if (resources === undefined) return nobody
  const foreign = resources.filter((resource) => resource.accountId !== account)
  return foreign.length === 0 ? nobody : [...new Set(foreign.map(({ accountId }) => accountId))]
}

function eventNameOf({ operation, addressed }: Call): string {
  return operation?.recordedAs ?? operation?.name ?? unknownName(addressed?.operationName)
}

/** An unknown operation's name is the caller's text: shown if it could be a name. */
function unknownName(name: string | undefined): string {
  return name !== undefined && /^[A-Za-z0-9]{1,64}$/.test(name) ? name : 'Unknown'
}

function tlsDetails(call: Call): JsonObject | undefined {
  const { tls } = call.request
  if (tls === undefined) return undefined
  return {
    tlsVersion: tls.version,
    cipherSuite: tls.cipher,
    clientProvidedHostHeader: cut(headerOf(call.request, 'host'), hostMax),
  }
}
