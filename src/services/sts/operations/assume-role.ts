import { list, required, string, structure, type Value } from '../../../wire/schema.ts'
import { type CallContext, type Check, type JsonObject, operation } from '../../operation.ts'
import type { StsDeps } from '../deps.ts'
import { accessDenied, refuseMfa, validation } from '../errors.ts'
import { type AskedRole, askedRole, roleConditions, trustedBy } from '../role.ts'
import { issueRoleSession, recordedRoleSession, roleSessionStructure } from '../role-session.ts'
import { requestedTagConditions, type SessionTags, sessionTags } from '../session-tags.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  RoleArn: required(shapes.arn),
  RoleSessionName: required(shapes.roleSessionName),
  PolicyArns: shapes.policyArns,
  Policy: shapes.sessionPolicy,
  DurationSeconds: shapes.roleDuration,
  Tags: shapes.tags,
  TransitiveTagKeys: shapes.tagKeys,
  ExternalId: shapes.externalId,
  SerialNumber: shapes.serialNumber,
  TokenCode: shapes.tokenCode,
  SourceIdentity: shapes.sourceIdentity,
  ProvidedContexts: list(
    structure({ ProviderArn: shapes.arn, ContextAssertion: string({ min: 4, max: 2048 }) }),
    { min: 1, max: 5 },
  ),
  MinimumSessionTokenSize: shapes.minimumTokenSize,
})

type Request = Value<typeof input>

type Target = AskedRole & SessionTags & { readonly sourceIdentity: string | undefined }

/**
 * Temporary credentials of a role, for whom its trust policy lets have them.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const assumeRole = operation({
  name: 'AssumeRole',
  input,
  output: roleSessionStructure,
  effects: 'use',
  errors: ['invalid-parameter-value', 'malformed-policy', 'packed-policy-too-large'],
  resolve(call, request, { identities }: StsDeps): Target {
    const { caller } = call
    if (caller.type === 'root') throw accessDenied('Roles may not be assumed by root accounts.')
    refuseMfa(request)
    if (request.ProvidedContexts !== undefined) {
      throw validation('ProvidedContexts are not supported: there are no context providers.')
    }
    const inherited = caller.session?.transitiveTags
    return {
      ...askedRole(identities, request.RoleArn),
      ...sessionTags(request.Tags, request.TransitiveTagKeys, inherited),
      sourceIdentity: sourceIdentityOf(call, request),
    }
  },
  *checks(_call, request, target): Iterable<Check> {
    const check = checkOf(request, target)
    yield check('sts:AssumeRole')
    if (Object.keys(target.tags).length > 0) yield check('sts:TagSession')
    if (target.sourceIdentity !== undefined) yield check('sts:SetSourceIdentity')
  },
  audit: {
    request: recordedRequest,
    response: (output) => recordedRoleSession(output),
    resources: ({ arn, account }) => [{ accountId: account, type: 'AWS::IAM::Role', ARN: arn }],
  },
  async handle(call, request, target, deps) {
    const { tags, transitive, sourceIdentity } = target
    const extras = {
      tags: Object.keys(tags).length === 0 ? undefined : tags,
      transitive: transitive.length === 0 ? undefined : transitive,
      sourceIdentity,
    }
    return { output: await issueRoleSession(call, target, request, extras, deps) }
  },
})

/** Once set it stays, however many roles are assumed one from another. */
function sourceIdentityOf({ caller }: CallContext, { SourceIdentity }: Request) {
  const inherited = caller.session?.sourceIdentity
  if (inherited !== undefined && SourceIdentity !== undefined && SourceIdentity !== inherited) {
    throw validation('The source identity of a session cannot be changed.')
  }
  return SourceIdentity ?? inherited
}

function checkOf(request: Request, target: Target): (permission: string) => Check {
  const { ExternalId, RoleSessionName, SourceIdentity, Tags, TransitiveTagKeys } = request
  const conditions = {
    ...roleConditions(target),
    ...requestedTagConditions(Tags, TransitiveTagKeys),
    'sts:RoleSessionName': RoleSessionName,
    ...(ExternalId === undefined ? {} : { 'sts:ExternalId': ExternalId }),
    ...(SourceIdentity === undefined ? {} : { 'sts:SourceIdentity': SourceIdentity }),
  }
  const resource = trustedBy(target)
  return (permission) => ({ permission, resource, conditions })
}

function recordedRequest(request: Request, target: Target | undefined): JsonObject {
  return {
    roleArn: request.RoleArn,
    roleSessionName: request.RoleSessionName,
    policy: request.Policy,
    policyArns: request.PolicyArns,
    durationSeconds: request.DurationSeconds,
    tags: request.Tags?.map(({ Key, Value }) => ({ key: Key, value: Value })),
    transitiveTagKeys: request.TransitiveTagKeys,
    incomingTransitiveTags: target === undefined ? undefined : inheritedTags(request, target),
    externalId: request.ExternalId,
    serialNumber: request.SerialNumber,
    sourceIdentity: target?.sourceIdentity ?? request.SourceIdentity,
  }
}

/** Undefined where there are none. */
function inheritedTags({ Tags = [] }: Request, { tags }: Target): JsonObject | undefined {
  const passed = new Set(Tags.map(({ Key }) => Key))
  const inherited = Object.entries(tags).filter(([name]) => !passed.has(name))
  return inherited.length === 0 ? undefined : Object.fromEntries(inherited)
}
