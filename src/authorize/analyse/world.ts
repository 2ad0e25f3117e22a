import type { AccountId, Region } from '../../base/ids.ts'
import type { ConditionValues } from '../conditions/context.ts'
import type { CallerLayers, SourcedPolicy } from '../layers.ts'

/** Everything that an analysis depends on, as it stood at one moment. */
export type AnalysisWorld = {
  readonly accounts: readonly AnalysedAccount[]
  readonly users: readonly AnalysedUser[]
  readonly roles: readonly AnalysedRole[]
  readonly groups: readonly AnalysedGroup[]
  readonly key: AnalysedKey
  readonly grants: readonly AnalysedGrant[]
  /** What every request says of the organisation of its caller. */
  readonly organization: ConditionValues
  /** Services that act for callers: without one, no request says that it comes through a service. */
  readonly viaServices: readonly string[]
}

export type AnalysedAccount = {
  readonly account: AccountId
  /** Of the root user, and of whoever has no policies of its own: guardrails alone. */
  readonly layers: CallerLayers
  /** Resource control policies on the account's resources. */
  readonly resourceControl: readonly (readonly SourcedPolicy[])[]
}

export type AnalysedUser = {
  readonly account: AccountId
  readonly arn: string
  readonly userId: string
  readonly userName: string
  readonly tags: Readonly<Record<string, string>>
  readonly groupIds: readonly string[]
  readonly layers: CallerLayers
}

export type AnalysedRole = {
  readonly account: AccountId
  readonly arn: string
  readonly roleId: string
  readonly roleName: string
  readonly tags: Readonly<Record<string, string>>
  readonly layers: CallerLayers
  /** Its principals by their unique ids. */
  readonly trustPolicy: string
}

export type AnalysedGroup = {
  readonly account: AccountId
  readonly arn: string
  readonly groupId: string
  readonly policies: readonly SourcedPolicy[]
}

export type AnalysedKey = {
  readonly arn: string
  readonly account: AccountId
  readonly region: Region
  /** Its principals by their unique ids. */
  readonly policy: string
  readonly keySpec: string
  readonly keyUsage: string
  readonly origin: string
  readonly multiRegion: 'PRIMARY' | 'REPLICA' | undefined
  readonly tags: Readonly<Record<string, string>>
  /** As in `alias/payments`. */
  readonly aliases: readonly string[]
  /** Its policy, grants, tags and aliases change only into what is proven to keep duties separate. */
  readonly guarded: boolean
}

export type AnalysedGrant = {
  readonly grantId: string
  /** A unique id, an account id, or the name of a service. */
  readonly grantee: string
  /** As in `Decrypt`. */
  readonly operations: readonly string[]
  readonly contextEquals?: Readonly<Record<string, string>> | undefined
  readonly contextSubset?: Readonly<Record<string, string>> | undefined
  readonly sourceArn?: string | undefined
}
