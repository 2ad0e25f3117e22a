import { type Authenticated, Authenticator } from './authenticate/authenticator.ts'
import type { mixedSteps } from './authorize/analyse/mixed.ts'
import { type Authorize, authorizer } from './authorize/authorizer.ts'
import { PolicyCache } from './authorize/policy/cache.ts'
import type { Clock } from './base/clock.ts'
import type { Region } from './base/ids.ts'
import type { Random } from './base/random.ts'
import { Directory } from './directory.ts'
import { providerFetch } from './federation/provider-fetch.ts'
import { ProviderKeys } from './federation/provider-keys.ts'
import { WebIdentities } from './federation/web-identities.ts'
import { parseBlob } from './hsm/blob.ts'
import type { Hsm } from './hsm/port.ts'
import { CallerPolicies } from './identities/caller-policies.ts'
import { Callers } from './identities/callers.ts'
import { Principals } from './identities/principals.ts'
import { Sessions } from './identities/sessions.ts'
import type { EventLookup } from './journal/port.ts'
import { keyPolicyRules } from './key-policy-rules.ts'
import type { Addressed, Call } from './record/call.ts'
import { requestThrottle } from './request-throttle.ts'
import { separationGuard } from './separation-guard.ts'
import { cloudTrailService } from './services/cloudtrail/service.ts'
import { defaultIamLimits } from './services/iam/deps.ts'
import { iamService } from './services/iam/service.ts'
import { type LastUsage, lastUsageFrom } from './services/kms/last-usage.ts'
import { limitsFrom } from './services/kms/quotas.ts'
import { kmsService } from './services/kms/service.ts'
import type { Service } from './services/operation.ts'
import { stsService } from './services/sts/service.ts'
import type { Mirror } from './storage/mirror.ts'
import type { Tables } from './tables.ts'
import { unsignedCalls } from './web-identity.ts'
import type { HttpRequest } from './wire/protocol.ts'

export type AssemblyDeps = Tables & {
  readonly mirror: Mirror
  readonly hsm: Hsm
  readonly lookup: EventLookup
  readonly clock: Clock
  readonly random: Random
  readonly regions: readonly Region[]
  /** Tests put services of their own beside these. */
  readonly services?: ((known: readonly Service[]) => readonly Service[]) | undefined
  readonly lastUsage?: LastUsage
  /** Tests count how often it is asked. */
  readonly mixedDuties?: typeof mixedSteps | undefined
}

/** What the stages of the pipeline do, put together from tables and ports. */
export type Assembly = {
  readonly directory: Directory
  readonly authenticate: (
    request: HttpRequest,
    addressed: Addressed | undefined,
  ) => Authenticated | Promise<Authenticated>
  readonly authorize: Authorize
  readonly throttle: (call: Call) => void
  readonly organization: Tables['guardrails']
  readonly callerPolicies: CallerPolicies
  readonly policies: PolicyCache
  readonly principals: Principals
}

export function assemble(deps: AssemblyDeps): Assembly {
  const { accounts, identities, guardrails, quotas, hsm, clock, regions } = deps
  const [homeRegion] = regions
  if (homeRegion === undefined) throw new Error('a deployment has a home Region')
  const policies = new PolicyCache()
  const callerPolicies = new CallerPolicies(identities, guardrails, policies)
  const principals = new Principals(identities, (account) => accounts.exists(account))
  deps.mirror.guard(separationGuard({ ...deps, callerPolicies }, deps.mixedDuties))
  const kms = kmsService({
    ...deps,
    lastUsage: deps.lastUsage ?? lastUsageFrom(deps.lookup),
    parseBlob,
    limits: limitsFrom(quotas),
    policies: keyPolicyRules({ accounts, principals, callerPolicies }),
  })
  const iam = iamService({
    ...deps,
    principals,
    callerPolicies,
    accountExists: (account) => accounts.exists(account),
    accountCreatedAt: (account) => accounts.createdAt(account),
    limits: defaultIamLimits,
  })
  const sts = stsService(deps)
  const known = [kms, sts, iam, cloudTrailService(deps)]
  const directory = new Directory(deps.services?.(known) ?? known)
  const callers = new Callers(identities)
  const sessions = new Sessions(hsm, identities)
  const authenticator = new Authenticator({
    credential: (accessKeyId) => callers.credential(accessKeyId),
    session: (accessKeyId, token) => sessions.find(accessKeyId, token),
    signingKey: (scope) => hsm.signingKey(scope),
    clock,
    regions: new Set(regions),
    services: directory.signingNames,
  })
  const keys = new ProviderKeys({ fetch: providerFetch(), clock })
  const unsigned = unsignedCalls({
    sts,
    identities,
    webIdentities: new WebIdentities({ identities, keys, clock }),
    homeRegion,
  })
  const authorize = authorizer(policies, callerPolicies)
  const throttle = requestThrottle(quotas, clock)
  return {
    directory,
    authenticate: (request, addressed) =>
      unsigned(request, addressed) ?? authenticator.verify(request),
    authorize,
    throttle,
    organization: guardrails,
    callerPolicies,
    policies,
    principals,
  }
}
