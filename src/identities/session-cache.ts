import type { AccessKeyRecord, RoleRecord, UserRecord } from './records.ts'
import type { SessionSays } from './session-token.ts'
import type { SessionCredential } from './sessions.ts'

/** A token that was opened, and what was made of it for its holder as he was then. */
export type OpenedSession = {
  readonly accessKeyId: string
  readonly token: string
  readonly says: SessionSays
  built?: {
    readonly holder: RoleRecord | UserRecord | AccessKeyRecord
    readonly credential: SessionCredential
  }
}

const charactersMaxDefault = 16 * 1024 * 1024
/** What an entry costs besides the text of its token. */
const entryCharacters = 2048

/**
 * Opened tokens by their access keys. When the young half is full it becomes the old half, and the former old half is
 * forgotten; a session in use moves back to the young half.
 */
export class SessionCache {
  readonly #halfMax: number
  #young = new Map<string, OpenedSession>()
  #old = new Map<string, OpenedSession>()
  #youngCharacters = 0

  constructor(charactersMax = charactersMaxDefault) {
    this.#halfMax = charactersMax / 2
  }

  get(accessKeyId: string): OpenedSession | undefined {
    const young = this.#young.get(accessKeyId)
    if (young !== undefined) return young
    const old = this.#old.get(accessKeyId)
    if (old !== undefined) this.add(old)
    return old
  }

  add(session: OpenedSession): void {
    const cost = session.token.length + entryCharacters
    if (this.#youngCharacters + cost > this.#halfMax) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngCharacters = 0
    }
    this.#young.set(session.accessKeyId, session)
    this.#youngCharacters += cost
  }

  get size(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size
  }
}
