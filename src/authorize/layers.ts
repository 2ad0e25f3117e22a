import type { CompiledPolicy } from './policy/compile.ts'

/** A policy, and what it is called when a decision has to be explained. */
export type SourcedPolicy = {
  /** The ARN of a managed policy or of a guardrail; the ARN of its identity and its name for an inline policy. */
  readonly name: string
  /** Of a managed policy: `v3`. */
  readonly version: string | undefined
  readonly policy: CompiledPolicy
}

/** The policies that belong to a caller. Those of a resource stand with the resource. */
export type CallerLayers = {
  /** Inline and managed, those of groups included. One of them has to allow. */
  readonly identity: readonly SourcedPolicy[]
  /** Undefined: no permissions boundary limits the caller. */
  readonly boundary: SourcedPolicy | undefined
  /** Undefined: the session, if it is one, was given without session policies. Empty: they allow nothing any more. */
  readonly session: readonly SourcedPolicy[] | undefined
  /** Service control policies of the caller's account, from the organisation's root down. At each level one allows. */
  readonly serviceControl: readonly (readonly SourcedPolicy[])[]
}

export const noLayers: CallerLayers = {
  identity: [],
  boundary: undefined,
  session: undefined,
  serviceControl: [],
}
