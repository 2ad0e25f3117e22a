import type { WebIdentity } from '../../../base/caller.ts'
import { internalError, ServiceError } from '../../../base/errors.ts'
import { required, string, structure, type Value } from '../../../wire/schema.ts'
import { type CallContext, type Check, type JsonObject, operation } from '../../operation.ts'
import type { StsDeps } from '../deps.ts'
import { validation } from '../errors.ts'
import { type AskedRole, askedRole, roleConditions, trustedBy } from '../role.ts'
import { issueRoleSession, recordedRoleSession } from '../role-session.ts'
import { requestedTagConditions, type SessionTags, sessionTags } from '../session-tags.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  RoleArn: required(shapes.arn),
  RoleSessionName: required(shapes.roleSessionName),
  WebIdentityToken: required(shapes.webIdentityToken),
  ProviderId: shapes.providerId,
  PolicyArns: shapes.policyArns,
  Policy: shapes.sessionPolicy,
  DurationSeconds: shapes.roleDuration,
  MinimumSessionTokenSize: shapes.minimumTokenSize,
})

const output = structure({
  ...shapes.roleSessionOutput,
  SubjectFromWebIdentityToken: string({ min: 1, max: 255 }),
  Provider: string(),
  Audience: string(),
})

type Request = Value<typeof input>

type Target = AskedRole & SessionTags & { readonly webIdentity: WebIdentity }

/**
 * Temporary credentials of a role, for whom an OpenID provider vouches for that the role's trust policy lets in. The
 * token was verified when the caller was made of it.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export const assumeRoleWithWebIdentity = operation({
  name: 'AssumeRoleWithWebIdentity',
  input,
  output,
  effects: 'use',
  unsigned: true,
  errors: [
    'expired-identity-token',
    'idp-communication',
    'invalid-identity-token',
    'invalid-parameter-value',
    'malformed-policy',
    'packed-policy-too-large',
  ],
  resolve(call, request, { identities }: StsDeps): Target {
    const webIdentity = webIdentityOf(call)
    if (request.ProviderId !== undefined) {
      throw validation('ProviderId is for OAuth 2.0 access tokens, which are not supported.')
    }
    const provider = identities.oidcProviders.byId(webIdentity.provider)
    if (provider?.clientIds.includes(webIdentity.audience) !== true) throw noLongerTrusted()
    return {
      ...askedRole(identities, request.RoleArn),
      ...sessionTags(webIdentity.tags, webIdentity.transitiveTagKeys),
      webIdentity,
    }
  },
  *checks(call, request, target): Iterable<Check> {
    const { sourceIdentity } = target.webIdentity
    const check = checkOf(call, request, target)
    yield check('sts:AssumeRoleWithWebIdentity')
    if (Object.keys(target.tags).length > 0) yield check('sts:TagSession')
    if (sourceIdentity !== undefined) yield check('sts:SetSourceIdentity')
  },
  audit: {
    request: recordedRequest,
    response: (answer) => ({
      ...recordedRoleSession(answer),
      provider: answer.Provider,
      audience: answer.Audience,
      subjectFromWebIdentityToken: answer.SubjectFromWebIdentityToken,
    }),
    resources: ({ arn, account }) => [{ accountId: account, type: 'AWS::IAM::Role', ARN: arn }],
  },
  async handle(call, request, target, deps) {
    const { tags, transitive, webIdentity } = target
    const { provider, subject, audience, sourceIdentity } = webIdentity
    const extras = {
      tags: Object.keys(tags).length === 0 ? undefined : tags,
      transitive: transitive.length === 0 ? undefined : transitive,
      sourceIdentity,
      providerConditions: call.caller.providerConditions,
      webIdentity: { provider, subject, audience },
    }
    const session = await issueRoleSession(call, target, request, extras, deps)
    return {
      output: {
        ...session,
        SubjectFromWebIdentityToken: subject,
        Provider: provider,
        Audience: audience,
      },
    }
  },
})

function webIdentityOf({ caller }: CallContext): WebIdentity {
  if (caller.webIdentity === undefined) throw internalError('a caller without a web identity')
  return caller.webIdentity
}

/** The provider or the client was removed since the token was verified. */
function noLongerTrusted(): ServiceError {
  return new ServiceError(
    'invalid-identity-token',
    'No OpenIDConnect provider found in your account',
  )
}

function checkOf(
  { caller }: CallContext,
  { RoleSessionName }: Request,
  target: Target,
): (permission: string) => Check {
  const { tags, transitiveTagKeys, sourceIdentity } = target.webIdentity
  const conditions = {
    ...roleConditions(target),
    ...requestedTagConditions(tags, transitiveTagKeys),
    ...caller.providerConditions,
    'sts:RoleSessionName': RoleSessionName,
    ...(sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity }),
  }
  const resource = trustedBy(target)
  return (permission) => ({ permission, resource, conditions })
}

/** All but the token, which is as good as a password while it counts. */
function recordedRequest(request: Request): JsonObject {
  return {
    roleArn: request.RoleArn,
    roleSessionName: request.RoleSessionName,
    providerId: request.ProviderId,
    policy: request.Policy,
    policyArns: request.PolicyArns,
    durationSeconds: request.DurationSeconds,
  }
}
