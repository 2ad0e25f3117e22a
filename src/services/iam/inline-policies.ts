import { admitIdentityPolicy } from '../../authorize/admit-identity.ts'
import type { Put } from '../../storage/port.ts'
import { boolean, list, required, string } from '../../wire/schema.ts'
import { type AnyOperation, type CallContext, operation } from '../operation.ts'
import type { IamDeps } from './deps.ts'
import { documentInAnswer, policySize, requirePolicySize } from './documents.ts'
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
import { noSuchEntity } from './errors.ts'
import { readPage } from './paging.ts'
import * as shapes from './shapes.ts'

/** Put, Get, List and Delete of the policies that are part of a user, a group or a role. */
export function inlinePolicyOperations<T extends Entity>(
  kind: EntityKind<T>,
): readonly AnyOperation[] {
  return [putPolicy(kind), getPolicy(kind), listPolicies(kind), deletePolicy(kind)]
}

function putPolicy<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const { name, ...parts } = operationParts(kind, `Put${kind.what}Policy`)
  return operation({
    name,
    ...parts,
    input: namedStructure(kind, {
      PolicyName: required(shapes.policyName),
      PolicyDocument: required(shapes.policyDocument),
    }),
    output: undefined,
    effects: 'write',
    errors: ['limit-exceeded', 'malformed-policy', 'no-such-entity'],
    checks: (call, _request, target) => [changeCheck(kind, call, name, target)],
    audit: {
      request: (request) => ({
        ...nameView(kind, request),
        policyName: request.PolicyName,
        policyDocument: request.PolicyDocument,
      }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target, { identities, limits }) {
      const record = presentEntity(kind, target)
      admitIdentityPolicy(request.PolicyDocument)
      const inline = { ...record.inline, [request.PolicyName]: request.PolicyDocument }
      const size = Object.values(inline).reduce((sum, text) => sum + policySize(text), 0)
      const what = kind.what.toLowerCase() as 'user' | 'group' | 'role'
      requirePolicySize(size, kind.inlineSizeMax(limits), what, kind.nameOf(record))
      return { output: undefined, changes: [replaceInline(kind, record, inline, identities)] }
    },
  })
}

function getPolicy<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const { name, ...parts } = operationParts(kind, `Get${kind.what}Policy`)
  return operation({
    name,
    ...parts,
    input: namedStructure(kind, { PolicyName: required(shapes.policyName) }),
    output: namedStructure(kind, { PolicyName: string(), PolicyDocument: string() }, string()),
    effects: 'read',
    errors: ['no-such-entity'],
    checks: (call, _request, target) => [entityCheck(kind, call, `iam:${name}`, target)],
    audit: {
      request: (request) => ({ ...nameView(kind, request), policyName: request.PolicyName }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target) {
      const record = presentEntity(kind, target)
      return {
        output: {
          [kind.nameMember]: kind.nameOf(record),
          PolicyName: request.PolicyName,
          PolicyDocument: documentInAnswer(inlineText(kind, record, request.PolicyName)),
        },
      }
    },
  })
}

function listPolicies<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const { name, ...parts } = operationParts(kind, `List${kind.what}Policies`)
  return operation({
    name,
    ...parts,
    input: namedStructure(kind, shapes.pageInput),
    output: {
      type: 'structure',
      members: { PolicyNames: list(string()), IsTruncated: boolean(), Marker: string() },
    },
    effects: 'read',
    errors: ['no-such-entity'],
    checks: (call, _request, target) => [entityCheck(kind, call, `iam:${name}`, target)],
    audit: {
      request: (request) => ({
        ...nameView(kind, request),
        marker: request.Marker,
        maxItems: request.MaxItems,
      }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target) {
      const record = presentEntity(kind, target)
      const names = Object.keys(record.inline).sort()
      const { items, page } = readPage(request, [name, target.arn], names, (each) => each)
      return { output: { PolicyNames: items, ...page } }
    },
  })
}

function deletePolicy<T extends Entity>(kind: EntityKind<T>): AnyOperation {
  const { name, ...parts } = operationParts(kind, `Delete${kind.what}Policy`)
  return operation({
    name,
    ...parts,
    input: namedStructure(kind, { PolicyName: required(shapes.policyName) }),
    output: undefined,
    effects: 'write',
    errors: ['no-such-entity'],
    checks: (call, _request, target) => [changeCheck(kind, call, name, target)],
    audit: {
      request: (request) => ({ ...nameView(kind, request), policyName: request.PolicyName }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target, { identities }) {
      const record = presentEntity(kind, target)
      inlineText(kind, record, request.PolicyName)
      const { [request.PolicyName]: _gone, ...inline } = record.inline
      return { output: undefined, changes: [replaceInline(kind, record, inline, identities)] }
    },
  })
}

function operationParts<T extends Entity>(kind: EntityKind<T>, name: string) {
  return {
    name,
    resolve: (call: CallContext, request: object, deps: IamDeps): Named<T> =>
      findEntity(kind, call, nameIn(kind, request), deps),
  }
}

/** Changes of what an entity may do can be made to depend on its permissions boundary. */
function changeCheck<T extends Entity>(
  kind: EntityKind<T>,
  call: CallContext,
  name: string,
  target: Named<T>,
) {
  return entityCheck(kind, call, `iam:${name}`, target, boundaryCondition(kind, target))
}

/** Throws 'no-such-entity'. Names such as `constructor` are names like others. */
function inlineText<T extends Entity>(kind: EntityKind<T>, record: T, policyName: string): string {
  const text = Object.hasOwn(record.inline, policyName) ? record.inline[policyName] : undefined
  if (text !== undefined) return text
  throw noSuchEntity(
    `The ${kind.what.toLowerCase()} policy with name ${policyName} cannot be found.`,
  )
}

function replaceInline<T extends Entity>(
  kind: EntityKind<T>,
  record: T,
  inline: Entity['inline'],
  identities: IamDeps['identities'],
): Put {
  return kind.records(identities).replace(record, { ...record, inline })
}
