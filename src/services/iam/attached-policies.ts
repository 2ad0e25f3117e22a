import { parseArn } from '../../base/ids.ts'
import { isAwsManaged } from '../../identities/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../identities/records.ts'
import type { Put } from '../../storage/port.ts'
import { list, required, string, structure } from '../../wire/schema.ts'
import { type AnyOperation, type CallContext, operation } from '../operation.ts'
import type { IamDeps } from './deps.ts'
import {
  boundaryCondition,
  type Entity,
  type EntityKind,
  entityCheck,
  entityResource,
  findEntity,
  type Named,
  namedStructure,
  nameIn,
  nameView,
  presentEntity,
} from './entities.ts'
import { invalidInput, noSuchEntity, noSuchPolicy, quotaExceeded } from './errors.ts'
import { readPage } from './paging.ts'
import * as shapes from './shapes.ts'

/** Attach, Detach and ListAttached of the managed policies of a user, a group or a role. */
export function attachedPolicyOperations<T extends Entity>(
  kind: EntityKind<T>,
): readonly AnyOperation[] {
  return [attachPolicy(kind), detachPolicy(kind), listAttachedPolicies(kind)]
}

function attachPolicy<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const name = `Attach${kind.what}Policy`
  return operation({
    ...changeParts(kind, name),
    errors: ['invalid-input', 'limit-exceeded', 'no-such-entity'],
    handle(call, request, target, { identities, limits }) {
      const record = presentEntity(kind, target)
      const policy = attachablePolicy(call, request.PolicyArn, identities)
      if (record.attached.includes(request.PolicyArn)) return { output: undefined }
      if (record.attached.length >= limits.attachedPolicies) {
        throw quotaExceeded(`PoliciesPer${kind.what}`, limits.attachedPolicies)
      }
      const attached = [...record.attached, request.PolicyArn]
      const change = kind.records(identities).replace(record, { ...record, attached })
      return { output: undefined, changes: [change, ...touchPolicy(policy, identities)] }
    },
  })
}

function detachPolicy<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const name = `Detach${kind.what}Policy`
  return operation({
    ...changeParts(kind, name),
    errors: ['invalid-input', 'no-such-entity'],
    handle(_call, request, target, { identities }) {
      const record = presentEntity(kind, target)
      requirePolicyArn(request.PolicyArn)
      const attached = record.attached.filter((arn) => arn !== request.PolicyArn)
      if (attached.length === record.attached.length) {
        throw noSuchEntity(`Policy ${request.PolicyArn} was not found.`)
      }
      const change = kind.records(identities).replace(record, { ...record, attached })
      return { output: undefined, changes: [change] }
    },
  })
}

function changeParts<T extends Entity>(kind: EntityKind<T>, name: string) {
  return {
    name,
    input: namedStructure(kind, { PolicyArn: required(shapes.arn) }, kind.shortName),
    output: undefined,
    effects: 'write' as const,
    resolve: (call: CallContext, request: { readonly PolicyArn: string }, deps: IamDeps) =>
      findEntity(kind, call, nameIn(kind, request), deps),
    checks: (call: CallContext, request: { readonly PolicyArn: string }, target: Named<T>) => [
      entityCheck(kind, call, `iam:${name}`, target, {
        ...boundaryCondition(kind, target),
        'iam:PolicyARN': request.PolicyArn,
      }),
    ],
    audit: {
      request: (request: { readonly PolicyArn: string }) => ({
        ...nameView(kind, request),
        policyArn: request.PolicyArn,
      }),
      resources: (target: Named<T>) => entityResource(kind, target),
    },
  }
}

function listAttachedPolicies<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const name = `ListAttached${kind.what}Policies`
  return operation({
    name,
    input: namedStructure(
      kind,
      { PathPrefix: shapes.policyPath, ...shapes.pageInput },
      kind.shortName,
    ),
    output: structure({
      AttachedPolicies: list(structure({ PolicyName: string(), PolicyArn: string() })),
      ...shapes.pageOutput,
    }),
    effects: 'read',
    errors: ['no-such-entity'],
    resolve: (call, request, deps: IamDeps) => findEntity(kind, call, nameIn(kind, request), deps),
    checks: (call, _request, target) => [entityCheck(kind, call, `iam:${name}`, target)],
    audit: {
      request: (request) => ({
        ...nameView(kind, request),
        pathPrefix: request.PathPrefix,
        marker: request.Marker,
        maxItems: request.MaxItems,
      }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target, { identities }) {
      const record = presentEntity(kind, target)
      const prefix = request.PathPrefix ?? '/'
      const policies = record.attached
        .map((arn) => ({ arn, policy: identities.managedPolicy(arn) }))
        .filter(({ policy }) => policy?.path.startsWith(prefix) === true)
        .sort((a, b) => (a.arn < b.arn ? -1 : 1))
      const scope = [name, target.arn, prefix]
      const { items, page } = readPage(request, scope, policies, ({ arn }) => arn)
      const AttachedPolicies = items.map(({ arn, policy }) => ({
        PolicyName: policy?.policyName,
        PolicyArn: arn,
      }))
      return { output: { AttachedPolicies, ...page } }
    },
  })
}

/** Throws 'invalid-input' for what is no ARN of a policy. */
export function requirePolicyArn(arn: string): void {
  const parsed = parseArn(arn)
  if (parsed?.service === 'iam' && parsed.resource.startsWith('policy/')) return
  throw invalidInput(`ARN ${arn} is not valid.`)
}

/** A policy of the caller's account, or one of AWS's own. Throws 'invalid-input' and 'no-such-entity'. */
export function attachablePolicy(
  { caller: { account } }: CallContext,
  arn: string,
  identities: IamDeps['identities'],
  missing: (arn: string) => Error = noSuchPolicy,
): ManagedPolicyRecord {
  requirePolicyArn(arn)
  const policy = identities.managedPolicy(arn)
  if (policy === undefined || !(policy.account === account || isAwsManaged(policy))) {
    throw missing(arn)
  }
  return policy
}

/** What goes along so that the policy cannot be deleted at the same time. */
export function touchPolicy(
  policy: ManagedPolicyRecord,
  identities: IamDeps['identities'],
): readonly Put[] {
  return isAwsManaged(policy) ? [] : [identities.policies.touch(policy)]
}
