import type { Authenticated } from './authenticate/authenticator.ts'
import { ServiceError } from './base/errors.ts'
import type { Addressed, Call } from './record/call.ts'
import { headerOf } from './record/request.ts'
import type { AnyOperation, Service } from './services/operation.ts'
import { awsJson, targetOf } from './wire/aws-json.ts'
import { actionOf, awsQuery } from './wire/aws-query.ts'
import type { HttpRequest, Protocol } from './wire/protocol.ts'

/** Which services this deployment offers, and how a request on the wire finds its operation. */
export class Directory {
  readonly #byTarget = new Map<string, Service>()
  readonly #byQuery = new Map<string, { service: Service; protocol: Protocol }>()
  readonly #query: Protocol
  readonly signingNames: ReadonlySet<string>

  constructor(services: readonly Service[]) {
    for (const service of services) {
      const { protocol } = service
      if (protocol.name === 'json') {
        for (const prefix of protocol.targetPrefixes) this.#byTarget.set(prefix, service)
      } else {
        const spoken = awsQuery(protocol.namespace, protocol.version)
        this.#byQuery.set(service.signingName, { service, protocol: spoken })
      }
    }
    this.#query = [...this.#byQuery.values()][0]?.protocol ?? awsJson
    this.signingNames = new Set(services.map((service) => service.signingName))
  }

  /** Reads the protocol off the request, without believing anything yet. */
  identify(request: HttpRequest): Addressed {
    const target = targetOf(request)
    if (target === undefined && speaksQuery(request)) {
      return { protocol: this.#query, targetPrefix: undefined, operationName: actionOf(request) }
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
        ? this.#byQuery.get(identity.service)?.service
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
    return operation
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
