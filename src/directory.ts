import type { Authenticated } from './authenticate/authenticator.ts'
import { ServiceError } from './base/errors.ts'
import type { Addressed, Call } from './record/call.ts'
import { headerOf } from './record/request.ts'
import type { AnyOperation, Service } from './services/operation.ts'
import { awsJson, targetOf } from './wire/aws-json.ts'
import { actionOf, awsQuery } from './wire/aws-query.ts'
import type { HttpRequest, Protocol } from './wire/protocol.ts'

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

  constructor(services: readonly Service[]) {
    for (const service of services) {
      const { protocol } = service
      if (protocol.name === 'json') {
        for (const prefix of protocol.targetPrefixes) this.#byTarget.set(prefix, service)
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

  /** Reads the protocol off the request, without believing anything yet. */
  identify(request: HttpRequest): Addressed {
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

  /** The operation that an authenticated call asks for; fills in `call.service`. Throws 'unknown-operation'. */
  operationOf(call: Call, identity: Authenticated): AnyOperation {
    const { addressed } = call
    const service =
      addressed?.targetPrefix === undefined
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

function speaksQuery(request: HttpRequest): boolean {
  const contentType = headerOf(request, 'content-type')
  if (contentType !== undefined) return contentType.startsWith('application/x-www-form-urlencoded')
  return request.target.includes('Action=')
}

function unknownOperation(addressed: Addressed | undefined, service?: Service): ServiceError {
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
