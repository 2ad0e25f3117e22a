import { isResourceSideDenial } from '../authorize/denial.ts'
import type { Evidence } from '../authorize/evidence.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { AuditResource, JsonObject } from '../services/operation.ts'
import type { OutboxEvent } from '../storage/port.ts'
import { wireName } from '../wire/errors.ts'
import { decisionText } from './authorization.ts'
import type { Call } from './call.ts'
import { deniedElementBytes, isDeniedWebIdentity, shortened } from './denied-web-identities.ts'
import { type ApiCallEvent, apiCallRecord, callerIdentity, cut, foreignIdentity } from './event.ts'
import { headerOf, sourceIp } from './request.ts'

/**
 * The records of one authenticated call, whatever became of it: one for the caller's account and, where a call
 * succeeded on keys of other accounts, one for each owner, tied by sharedEventID.
 */
export function recordsOf(
  call: Call,
  time: number,
  random: Random,
  elementBytesMax: number,
): readonly OutboxEvent[] {
  const { identity } = call
  if (identity === undefined) throw new Error('only authenticated calls have records of their own')
  const { caller } = identity
  const view = viewOf(call, caller.account)
  const owners = call.failure === undefined ? foreignOwners(view.resources, caller.account) : nobody
  const event: ApiCallEvent = {
    ...view,
    eventId: random.uuid(),
    sharedEventId: owners.length === 0 ? undefined : random.uuid(),
    userIdentity: invoked(call, callerIdentity(caller)),
    authorization: authorizationOf(call, caller.account),
    time,
    eventSource: call.service?.eventSource ?? `${identity.service}.amazonaws.com`,
    eventName: call.operation?.name ?? unknownName(call.addressed?.operationName),
    region: identity.region,
    sourceIp: call.within?.service ?? sourceIp(call.request),
    userAgent: call.within?.service ?? headerOf(call.request, 'user-agent'),
    requestId: call.requestId,
    readOnly: call.operation === undefined || call.operation.effects !== 'write',
    category: call.operation?.category,
    recipientAccountId: caller.account,
    tlsDetails: tlsDetails(call),
  }
  const bytesMax = isDeniedWebIdentity(call)
    ? Math.min(elementBytesMax, deniedElementBytes)
    : elementBytesMax
  const own = { id: event.eventId, record: apiCallRecord(event, bytesMax) }
  if (owners.length === 0) return [own]
  const copies = owners.map((owner) => {
    const eventId = random.uuid()
    const userIdentity = invoked(call, foreignIdentity(caller))
    const side = sideOf(call, view, owner)
    const authorization = authorizationOf(call, owner)
    const own = { eventId, userIdentity, authorization, recipientAccountId: owner }
    const copy = { ...event, ...side, ...own }
    return { id: eventId, record: apiCallRecord(copy, elementBytesMax) }
  })
  return [own, ...copies]
}

/** A service that acts for a caller is named in the caller's identity, as CloudTrail has it. */
function invoked({ within }: Call, identity: JsonObject): JsonObject {
  return within === undefined ? identity : { ...identity, invokedBy: within.service }
}

/** The request that a service acted for is named in the record of what it did: the two are joined by its id. */
function tied({ within }: Call, additional: JsonObject | undefined): JsonObject | undefined {
  if (within === undefined) return additional
  return { ...additional, callingService: within.service, callingRequestID: within.requestId }
}

type View = Pick<
  ApiCallEvent,
  | 'requestParameters'
  | 'responseElements'
  | 'additionalEventData'
  | 'resources'
  | 'errorCode'
  | 'errorMessage'
>

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
function authorizationOf(call: Call, account: AccountId): string | undefined {
  const { evidence, authorized, identity } = call
  const last = evidence.at(-1)
  if (last === undefined || identity === undefined) return undefined
  if (authorized !== true && !isTold(last)) return undefined
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
  return wireName(error.code, call.addressed?.protocol.name ?? 'json', call.service?.signingName)
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

/** An unknown operation's name is the caller's text: shown if it could be a name. */
function unknownName(name: string | undefined): string {
  return name !== undefined && /^[A-Za-z0-9]{1,64}$/.test(name) ? name : 'Unknown'
}

/** The longest name that DNS allows, and a port, in bytes. */
const hostMax = 261

function tlsDetails(call: Call): JsonObject | undefined {
  const { tls } = call.request
  if (tls === undefined) return undefined
  return {
    tlsVersion: tls.version,
    cipherSuite: tls.cipher,
    clientProvidedHostHeader: cut(headerOf(call.request, 'host'), hostMax),
  }
}
