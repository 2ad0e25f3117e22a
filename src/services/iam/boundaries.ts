import type { ManagedPolicyRecord } from '../../identities/records.ts'
import { required } from '../../wire/schema.ts'
import { type AnyOperation, type CallContext, operation } from '../operation.ts'
import { attachablePolicy, touchPolicy } from './attached-policies.ts'
import type { IamDeps } from './deps.ts'
import {
  boundaryCondition,
  type Entity,
  type EntityKind,
  entityCheck,
  entityResource,
  findEntity,
  namedStructure,
  nameIn,
  nameView,
  presentEntity,
} from './entities.ts'
import { noSuchBoundary } from './errors.ts'
import * as shapes from './shapes.ts'

type Bounded = Entity & { readonly boundary?: string | undefined }

/** Put and Delete of the permissions boundary of a user or a role. */
export function boundaryOperations<T extends Bounded>(
  kind: EntityKind<T>,
): readonly AnyOperation[] {
  return [putBoundary(kind), deleteBoundary(kind)]
}

function putBoundary<T extends Bounded>(kind: EntityKind<T>): AnyOperation {
  const name = `Put${kind.what}PermissionsBoundary`
  return operation({
    name,
    input: namedStructure(kind, { PermissionsBoundary: required(shapes.arn) }, kind.shortName),
    output: undefined,
    effects: 'write',
    errors: ['invalid-input', 'no-such-entity'],
    resolve: (call, request, deps: IamDeps) => findEntity(kind, call, nameIn(kind, request), deps),
    checks: (call, request, target) => [
      entityCheck(kind, call, `iam:${name}`, target, {
        'iam:PermissionsBoundary': request.PermissionsBoundary,
      }),
    ],
    audit: {
      request: (request) => ({
        ...nameView(kind, request),
        permissionsBoundary: request.PermissionsBoundary,
      }),
      resources: (target) => entityResource(kind, target),
    },
    handle(call, request, target, { identities }) {
      const record = presentEntity(kind, target)
      const boundary = request.PermissionsBoundary
      const policy = boundaryPolicy(call, boundary, identities)
      const change = kind.records(identities).replace(record, { ...record, boundary })
      return { output: undefined, changes: [change, ...touchPolicy(policy, identities)] }
    },
  })
}

function deleteBoundary<T extends Bounded>(kind: EntityKind<T>): AnyOperation {
  const name = `Delete${kind.what}PermissionsBoundary`
  return operation({
    name,
    input: namedStructure(kind, {}, kind.shortName),
    output: undefined,
    effects: 'write',
    errors: ['no-such-entity'],
    resolve: (call, request, deps: IamDeps) => findEntity(kind, call, nameIn(kind, request), deps),
    checks: (call, _request, target) => [
      entityCheck(kind, call, `iam:${name}`, target, boundaryCondition(kind, target)),
    ],
    audit: {
      request: (request) => nameView(kind, request),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, _request, target, { identities }) {
      const record = presentEntity(kind, target)
      if (record.boundary === undefined) return { output: undefined }
      const change = kind.records(identities).replace(record, { ...record, boundary: undefined })
      return { output: undefined, changes: [change] }
    },
  })
}

/** The managed policy that shall be a boundary. Throws 'invalid-input' and 'no-such-entity'. */
export function boundaryPolicy(
  call: CallContext,
  arn: string,
  identities: IamDeps['identities'],
): ManagedPolicyRecord {
  return attachablePolicy(call, arn, identities, noSuchBoundary)
}

/** As answers show it. */
export function boundaryOutput(boundary: string | undefined) {
  if (boundary === undefined) return undefined
  // The API reference says `PermissionsBoundaryPolicy`; what IAM answers is `Policy`.
  return { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: boundary }
}
