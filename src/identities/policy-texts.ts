import { type Store, textDigest } from '../storage/port.ts'
import { awsManagedPolicies } from './aws-managed-policies.ts'
import { absentBoundary } from './caller-policies.ts'
import type { Identities } from './identities.ts'
import { allowAll, type Organization } from './organization.ts'

/** Where texts are that are no longer in force. */
export type PolicyArchive = Pick<Store, 'archived'>

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

  /**
   * Those of `digests` that can be found. Takes as long as there are identities. What is in force at this call comes
   * first: whatever is not among it was archived before, even if more changes while the archive is read.
   */
  async find(digests: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    if (digests.size === 0) return found
    for (const text of this.#present()) {
      const digest = textDigest(text)
      if (digests.has(digest)) found.set(digest, text)
    }
    for (const digest of digests) {
      const text = found.get(digest) ?? (await this.#archive.archived(digest))
      if (text !== undefined) found.set(digest, text)
    }
    return found
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
