import type { Authenticated } from './authenticate/authenticator.ts'
import { ServiceError, s3Error } from './base/errors.ts'
import type { Addressed, Call } from './record/call.ts'
import { headerOf } from './record/request.ts'
import type { AnyOperation, Service } from './services/operation.ts'
import { awsJson, targetOf } from './wire/aws-json.ts'
import { actionOf, awsQuery } from './wire/aws-query.ts'
import type { HttpRequest, Protocol } from './wire/protocol.ts'
import { GatheringRoom } from './wire/rest-xml/gathering-room.ts'
import { RestXml } from './wire/rest-xml/protocol.ts'
import { resourceOf } from './wire/rest-xml/resource.ts'
import { Routes } from './wire/rest-xml/routes.ts'

const formType = 'application/x-www-form-urlencoded'
const localHosts = ['localhost', 's3.localhost']

type RestService = {
  readonly service: Service
  readonly routes: Routes
  readonly namespace: string
}
type QueryService = { readonly service: Service; readonly protocol: Protocol }

/** Which services this deployment offers, and how a request on the wire finds its operation. */
export class Directory {
  readonly #byTarget = new Map<string, Service>()
  /** By signing name. */
  readonly #query = new Map<string, QueryService>()
  /** Two services of the Query protocol have different versions: a request names its service by that. */
  readonly #byVersion = new Map<string, QueryService>()
  /** Of what names no version that there is. */
  readonly #anyQuery: Protocol
  readonly signingNames: ReadonlySet<string>
  #rest: RestService | undefined
  readonly #room = new GatheringRoom()
  readonly #s3Hosts: readonly string[]

  /** `s3Hosts`: names of this endpoint below which buckets are names, in lower case. */
  constructor(services: readonly Service[], s3Hosts: readonly string[] = localHosts) {
    this.#s3Hosts = s3Hosts
    for (const service of services) {
      const { protocol } = service
      if (protocol.name === 'json') {
        for (const prefix of protocol.targetPrefixes) this.#byTarget.set(prefix, service)
        continue
      }
      if (protocol.name === 'rest-xml') {
        if (this.#rest !== undefined) throw new Error('two services of REST XML')
        const { namespace } = protocol
        this.#rest = { service, namespace, routes: new Routes(protocol.routes) }
        continue
      }
      const spoken = { service, protocol: awsQuery(protocol.namespace, protocol.version) }
      if (this.#byVersion.has(protocol.version)) throw new Error(`two of ${protocol.version}`)
      this.#byVersion.set(protocol.version, spoken)
      this.#query.set(service.signingName, spoken)
    }
    this.#anyQuery = [...this.#query.values()][0]?.protocol ?? awsJson
    this.signingNames = new Set(services.map((service) => service.signingName))
  }

  /**
   * Whether a request is one of REST XML, by its head alone. In AWS every service has an address of its own; here the
   * service that a request is signed for stands for it, and where that says nothing, what other protocols look like:
   * all of AWS JSON is POST to `/`, as is AWS Query but for a GET that names its action. Nothing of it is believed yet.
   */
  streams(head: Pick<HttpRequest, 'method' | 'target' | 'rawHeaders'>): boolean {
    const { method, target } = head
    if (this.#rest === undefined || (method === 'POST' && target === '/')) return false
    const signedFor = signingNameIn(headerOf(head, 'authorization'))
    if (signedFor === this.#rest.service.signingName) return true
    if (signedFor !== undefined && this.signingNames.has(signedFor)) return false
    if (headerOf(head, 'x-amz-target') !== undefined) return false
    if (method === 'POST' && target.startsWith('/?')) {
      return headerOf(head, 'content-type')?.startsWith(formType) !== true
    }
    return !(method === 'GET' && /^\/\?(?:[^#]*&)?Action=/.test(target))
  }

  /** Reads the protocol off the request, without believing anything yet. */
  identify(request: HttpRequest): Addressed {
    if (this.#rest !== undefined && this.streams(request))
      return this.#identifyRest(request, this.#rest)
    const target = targetOf(request)
    if (target === undefined && speaksQuery(request)) {
      const { action, version } = actionOf(request)
      const protocol = this.#byVersion.get(version ?? '')?.protocol ?? this.#anyQuery
      return { protocol, version, targetPrefix: undefined, operationName: action }
    }
    return {
      protocol: awsJson,
      targetPrefix: target?.prefix,
      operationName: target?.operation,
    }
  }

  #identifyRest(request: HttpRequest, { routes, namespace }: RestService): Addressed {
    const { method, target, rawHeaders } = request
    const unread = {
      bucket: undefined,
      key: undefined,
      query: new Map(),
      path: target.split('?', 1)[0] ?? '',
    }
    const addressed = { targetPrefix: undefined, operationName: undefined, isRest: true } as const
    try {
      const resource = resourceOf(target, rawHeaders, this.#s3Hosts)
      const has = (name: string) => headerOf(request, name) !== undefined
      const found = routes.find(method, resource, has)
      const protocol = new RestXml(resource, namespace, routes.names, this.#room)
      const { operation: operationName, isServed } = found
      return { ...addressed, protocol, resource, operationName, isServed }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return {
        ...addressed,
        protocol: new RestXml(unread, namespace, routes.names, this.#room),
        refusal: error,
      }
    }
  }

  /** The operation that an authenticated call asks for; fills in `call.service`. Throws 'unknown-operation'. */
  operationOf(call: Call, identity: Authenticated): AnyOperation {
    const { addressed } = call
    const refusal = addressed?.refusal ?? identity.refusal
    if (refusal !== undefined) throw refusal
    const service = addressed?.isRest
      ? this.#rest?.service
      : addressed?.targetPrefix === undefined
        ? this.#queryServiceOf(call, identity)
        : this.#byTarget.get(addressed.targetPrefix)
    if (service === undefined || addressed?.protocol.name !== service.protocol.name) {
      throw unknownOperation(addressed)
    }
    if (service.signingName !== identity.service) {
      throw new ServiceError(
        'invalid-signature',
        `Credential should be scoped to correct service: '${service.signingName}'. `,
      )
    }
    call.service = service
    const operation = service.operations.get(addressed.operationName ?? '')
    if (operation === undefined) throw unknownOperation(addressed, service)
    // Whoever has signed has said who he is; a token would say that he is somebody else.
    if ((operation.unsigned === true) !== (identity.caller.type === 'web-identity')) {
      throw new ServiceError(
        'access-denied',
        `Not authorized to perform ${identity.service}:${operation.name}`,
      )
    }
    return operation
  }

  /** Who names no version that there is hears so from the service that he signed for. */
  #queryServiceOf(call: Call, identity: Authenticated): Service | undefined {
    const { addressed } = call
    const named = this.#byVersion.get(addressed?.version ?? '')
    if (named !== undefined) return named.service
    const signed = this.#query.get(identity.service)
    if (signed !== undefined && addressed?.protocol.name === 'query') {
      call.addressed = { ...addressed, protocol: signed.protocol }
    }
    return signed?.service
  }
}

/** The service of the credential scope that an Authorization header claims. */
function signingNameIn(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  return /Credential=(?:[^/,\s]*\/){3}([^/,\s]*)\//.exec(authorization)?.[1]
}

function speaksQuery(request: HttpRequest): boolean {
  const contentType = headerOf(request, 'content-type')
  if (contentType !== undefined) return contentType.startsWith(formType)
  return request.target.includes('Action=')
}

function unknownOperation(addressed: Addressed | undefined, service?: Service): ServiceError {
  if (addressed?.isRest === true)
    return s3Error(addressed.isServed === true ? 'NotImplemented' : 'MethodNotAllowed')
  if (addressed?.protocol.name !== 'query') return new ServiceError('unknown-operation')
  const version = service?.protocol.name === 'query' ? service.protocol.version : undefined
  const name = (addressed.operationName ?? '').slice(0, 64)
  return new ServiceError(
    'unknown-operation',
    version === undefined
      ? `Could not find operation ${name}`
      : `Could not find operation ${name} for version ${version}`,
  )
}
