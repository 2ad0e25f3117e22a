import { awsManagedPolicies } from './aws-managed-policies.ts'
import { absentBoundary } from './caller-policies.ts'
import type { Identities } from './identities.ts'
import { allowAll, type Organization } from './organization.ts'
import { type PolicyArchive, policyDigest } from './policy-archive.ts'

/**
 * Texts of policies by their SHA-256: those in force, as identities and guardrails have them now, and those that were
 * superseded. Of resource policies, role trust policies alone: whoever has the key knows its policy.
 */
export class PolicyTexts {
  readonly #archive: PolicyArchive
  readonly #identities: Identities
  readonly #guardrails: Organization

  constructor(archive: PolicyArchive, identities: Identities, guardrails: Organization) {
    this.#archive = archive
    this.#identities = identities
    this.#guardrails = guardrails
  }

  /** The look-up goes by what is in force at this call. Takes as long as there are identities. */
  lookup(): (digest: string) => string | undefined {
    let present: ReadonlyMap<string, string> | undefined
    return (digest) => {
      const superseded = this.#archive.text(digest)
      if (superseded !== undefined) return superseded
      present ??= new Map(this.#present().map((text) => [policyDigest(text), text]))
      return present.get(digest)
    }
  }

  #present(): readonly string[] {
    const { users, groups, roles, policies } = this.#identities
    const inline = [...users.all(), ...groups.all(), ...roles.all()].flatMap((identity) =>
      Object.values(identity.inline),
    )
    return [
      ...inline,
      ...[...roles.all()].map(({ trustPolicy }) => trustPolicy),
      ...[...policies.all(), ...awsManagedPolicies()].flatMap(({ versions }) =>
        versions.map(({ text }) => text),
      ),
      ...this.#guardrails.policies().map(({ text }) => text),
      ...Object.values(allowAll).map(({ text }) => text),
      absentBoundary,
    ]
  }
}
