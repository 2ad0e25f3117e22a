import { ServiceError } from '../base/errors.ts'
import type { Hsm } from '../hsm/port.ts'
import { type Credential, rootCaller, userCaller } from './callers.ts'
import type { Identities } from './identities.ts'
import { tokenCharactersMax } from './issue-session.ts'
import type { AccessKeyRecord, RoleRecord, UserRecord } from './records.ts'
import { type OpenedSession, SessionCache } from './session-cache.ts'
import { sessionCaller, sessionOf } from './session-caller.ts'
import { decodeSession, type SessionSays } from './session-token.ts'

/** The credential of a session, which ends by itself. */
export type SessionCredential = Omit<Credential, 'account'> & {
  /** ms since the epoch */
  readonly expiresAt: number
}

/** As `unique-id.ts` makes them: no other text is worth the key core's time. */
const accessKeyPattern = /^ASIA[A-Z2-7]{16}$/

/**
 * Temporary credentials as the authenticator looks them up, on every request. What a token says is kept; whom it says
 * it of is looked up anew each time, so that the session of a role, a user or an access key that is gone is worth
 * nothing from then on, and one of a namesake that was made later never was.
 */
export class Sessions {
  readonly #hsm: Pick<Hsm, 'open'>
  readonly #identities: Identities
  readonly #cache: SessionCache
  readonly #opening = new Map<string, Promise<SessionCredential | undefined>>()

  constructor(hsm: Pick<Hsm, 'open'>, identities: Identities, cacheCharacters?: number) {
    this.#hsm = hsm
    this.#identities = identities
    this.#cache = new SessionCache(cacheCharacters)
  }

  /**
   * Undefined for a token that is not that key's, and for a session whose holder is gone. At once when the token is
   * known. The same object for as long as its holder does not change, so that what is derived from a caller can be
   * kept with it. Rejects as the key core does when it cannot be asked.
   */
  find(
    accessKeyId: string,
    token: string,
  ): SessionCredential | undefined | Promise<SessionCredential | undefined> {
    const known = this.#cache.get(accessKeyId)
    // One key has one token: beside the known one there is no other that could be right.
    if (known !== undefined) return known.token === token ? this.#present(known) : undefined
    if (token.length > tokenCharactersMax || !accessKeyPattern.test(accessKeyId)) return undefined
    const name = `${accessKeyId} ${token}`
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      opening = this.#open(accessKeyId, token).finally(() => this.#opening.delete(name))
      this.#opening.set(name, opening)
    }
    return opening
  }

  async #open(accessKeyId: string, token: string): Promise<SessionCredential | undefined> {
    const says = await this.#read(accessKeyId, Buffer.from(token, 'base64'), token)
    if (says === undefined) return undefined
    const opened = { accessKeyId: ownText(accessKeyId), token: ownText(token), says }
    this.#cache.add(opened)
    return this.#present(opened)
  }

  async #read(owner: string, sealed: Buffer, token: string): Promise<SessionSays | undefined> {
    // A text that another decoder would read otherwise is no token.
    if (sealed.toString('base64') !== token) return undefined
    try {
      const plaintext = await this.#hsm.open('session', owner, sealed)
      const says = decodeSession(plaintext)
      plaintext.fill(0)
      return says
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'invalid-ciphertext') return undefined
      throw error
    }
  }

  #present(opened: OpenedSession): SessionCredential | undefined {
    const holder = this.#holderOf(opened.says)
    if (holder === undefined) return undefined
    if (opened.built?.holder !== holder) {
      opened.built = { holder, credential: credentialOf(opened, holder) }
    }
    return opened.built.credential
  }

  #holderOf({ holder }: SessionSays): RoleRecord | UserRecord | AccessKeyRecord | undefined {
    const { users, roles } = this.#identities
    if (holder.type === 'role') return roles.byId(holder.roleId)
    const key = this.#identities.accessKey(holder.accessKeyId)
    if (key?.status !== 'Active') return undefined
    if (holder.type === 'user') {
      return key.userId === holder.userId ? users.byId(holder.userId) : undefined
    }
    return key.userId === undefined && key.account === holder.account ? key : undefined
  }
}

function credentialOf(
  { accessKeyId, says }: OpenedSession,
  holder: RoleRecord | UserRecord | AccessKeyRecord,
): SessionCredential {
  const { sealedSecret, issuedAt, expiresAt } = says
  const caller =
    'roleId' in holder
      ? sessionCaller(holder, accessKeyId, says)
      : { ...longTermCaller(holder, accessKeyId), session: sessionOf(says) }
  return { accessKeyId, status: 'Active', sealedSecret, caller, createdAt: issuedAt, expiresAt }
}

function longTermCaller(holder: UserRecord | AccessKeyRecord, accessKeyId: string) {
  return 'userName' in holder
    ? userCaller(holder, accessKeyId)
    : rootCaller({ account: holder.account, accessKeyId })
}

/** The same text in memory of its own: a part of a head would keep the whole of it. */
function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
