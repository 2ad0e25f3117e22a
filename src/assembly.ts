import { type Authenticated, Authenticator } from './authenticate/authenticator.ts'
import type { mixedSteps } from './authorize/analyse/mixed.ts'
import { type Authorize, authorizer } from './authorize/authorizer.ts'
import { PolicyCache } from './authorize/policy/cache.ts'
import type { Clock } from './base/clock.ts'
import type { Region } from './base/ids.ts'
import type { Random } from './base/random.ts'
import { ComplianceBook } from './configuration/compliance.ts'
import { Discovery } from './configuration/discovery.ts'
import { ConfigurationRecorder } from './configuration/recorder.ts'
import { Resources } from './configuration/resources.ts'
import { Subjects } from './configuration/subjects.ts'
import type { TrailBuckets } from './delivery/bucket.ts'
import { type SpanGuardDeps, spanGuard } from './delivery/spans.ts'
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
import { InnerCalls } from './inner-calls.ts'
import type { ConfigurationHistory, EventLookup, Journal } from './journal/port.ts'
import { keyPolicyRules } from './key-policy-rules.ts'
import type { ObjectStore } from './objects/port.ts'
import type { Addressed, Call } from './record/call.ts'
import { elementBytesFor } from './record/event.ts'
import type { Refusals } from './record/refusals.ts'
import { requestThrottle } from './request-throttle.ts'
import { separationGuard } from './separation-guard.ts'
import type { Delivery, DigestSigner } from './services/cloudtrail/delivery.ts'
import { limitsFrom as trailLimitsFrom } from './services/cloudtrail/quotas.ts'
import { cloudTrailService } from './services/cloudtrail/service.ts'
import { configService } from './services/config/service.ts'
import { defaultIamLimits } from './services/iam/deps.ts'
import { iamService } from './services/iam/service.ts'
import { type LastUsage, lastUsageFrom } from './services/kms/last-usage.ts'
import { limitsFrom } from './services/kms/quotas.ts'
import { kmsService } from './services/kms/service.ts'
import type { Service } from './services/operation.ts'
import { BucketKeys } from './services/s3/encryption/bucket-keys.ts'
import { limitsFrom as s3LimitsFrom } from './services/s3/quotas.ts'
import { s3Service } from './services/s3/service.ts'
import { stsService } from './services/sts/service.ts'
import type { Mirror } from './storage/mirror.ts'
import type { Store } from './storage/port.ts'
import type { Tables } from './tables.ts'
import { trailBuckets } from './trail-buckets.ts'
import { trailKeys } from './trail-keys.ts'
import { unsignedCalls } from './web-identity.ts'
import type { HttpRequest } from './wire/protocol.ts'

export type AssemblyDeps = Tables & {
  readonly mirror: Mirror
  readonly store: Store
  readonly journal: Journal
  readonly refusals: Refusals
  readonly hsm: Hsm
  readonly objects: ObjectStore
  readonly lookup: EventLookup
  readonly history: ConfigurationHistory
  readonly log: (line: string) => void
  readonly delivery: Delivery
  readonly digests: DigestSigner
  /** Where each journal ends: asked before a trail is changed. */
  readonly journalPositions: SpanGuardDeps['positions']
  readonly clock: Clock
  readonly random: Random
  readonly regions: readonly Region[]
  /** Names of this endpoint below which buckets are names. */
  readonly s3Hosts?: readonly string[] | undefined
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
  /** Of services among each other, for their callers. */
  readonly inner: InnerCalls
  readonly organization: Tables['guardrails']
  readonly callerPolicies: CallerPolicies
  readonly policies: PolicyCache
  readonly principals: Principals
  readonly configuration: Configuration
  /** As CloudTrail writes to them. */
  readonly trailBuckets: TrailBuckets
}

/** What records the configuration of resources. */
export type Configuration = {
  readonly resources: Resources
  readonly items: ConfigurationRecorder
  readonly discovery: Discovery
  readonly compliance: ComplianceBook
}

export function assemble(deps: AssemblyDeps): Assembly {
  const { accounts, identities, guardrails, quotas, hsm, clock, regions } = deps
  const [homeRegion] = regions
  if (homeRegion === undefined) throw new Error('a deployment has a home Region')
  const policies = new PolicyCache()
  const callerPolicies = new CallerPolicies(identities, guardrails, policies)
  const principals = new Principals(identities, (account) => accounts.exists(account))
  const configuration = configurationOf(deps, principals, callerPolicies)
  deps.mirror.derive(configuration.items.derive)
  const separation = separationGuard({ ...deps, callerPolicies }, deps.mixedDuties)
  const spans = { ...deps, spans: deps.trailSpans, positions: deps.journalPositions }
  deps.mirror.guard(spanGuard(spans, separation))
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
  const cloudTrail = cloudTrailService({
    ...deps,
    keys: trailKeys(deps.state),
    limits: trailLimitsFrom(quotas),
  })
  const { compliance } = configuration
  const config = configService({ ...deps, archive: deps.store, compliance })
  const inside = [kms, sts, iam, cloudTrail, config]
  const authorize = authorizer(policies, callerPolicies)
  const throttle = requestThrottle(quotas, clock)
  const elementBytesMax = elementBytesFor(deps.journal.maxRecordBytes)
  const calling = { ...deps, authorize, throttle, elementBytesMax }
  const inner = new InnerCalls({ ...calling, services: inside })
  const known = [...inside, s3Of({ ...deps, principals }, inner, authorize)]
  const calls = new InnerCalls({ ...calling, services: known })
  const directory = new Directory(deps.services?.(known) ?? known, deps.s3Hosts)
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
  return {
    directory,
    authenticate: (request, addressed) =>
      addressed?.isRest === true
        ? authenticator.verifyS3(request)
        : (unsigned(request, addressed) ?? authenticator.verify(request)),
    authorize,
    throttle,
    inner,
    organization: guardrails,
    callerPolicies,
    policies,
    principals,
    configuration,
    trailBuckets: trailBuckets({ ...deps, buckets: deps.s3, calls, authorize }),
  }
}

function s3Of(
  deps: AssemblyDeps & { readonly principals: Principals },
  inner: InnerCalls,
  authorize: Authorize,
): Service {
  return s3Service({
    ...deps,
    buckets: deps.s3,
    kms: (call, operation, input) =>
      inner.make(call, { name: 's3', region: call.region }, { service: 'kms', operation, input }),
    kmsWould: async (call, operation, input) => {
      const via = { name: 's3', region: call.region }
      return (await inner.would(call, via, { service: 'kms', operation, input }))?.[0]?.ARN
    },
    authorize,
    bucketKeys: new BucketKeys({ clock: deps.clock, random: deps.random }),
    limits: s3LimitsFrom(deps.quotas),
  })
}

function configurationOf(
  deps: AssemblyDeps,
  principals: Principals,
  callerPolicies: CallerPolicies,
): Configuration {
  const { clock, random, journal } = deps
  const resources = new Resources({ ...deps, principals })
  const discovery = new Discovery(deps.discovery)
  const { isFirst } = discovery
  const items = new ConfigurationRecorder({ resources, clock, random, journal, isFirst })
  const management = () => deps.accounts.deployment?.account
  const subjects = new Subjects({ ...deps, principals, callerPolicies, management })
  const compliance = new ComplianceBook({ ...deps, subjects })
  return { resources, items, discovery, compliance }
}
