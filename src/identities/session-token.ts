import type { AccountId } from '../base/ids.ts'

/** Whom a session acts for. The access key of a user or a root user is the one that asked for it. */
export type SessionHolder =
  | { readonly type: 'role'; readonly roleId: string; readonly sessionName: string }
  | { readonly type: 'user'; readonly userId: string; readonly accessKeyId: string }
  | { readonly type: 'root'; readonly account: AccountId; readonly accessKeyId: string }

/** What is given to a session when it begins, and stays. */
export type SessionGrant = {
  readonly holder: SessionHolder
  /** ms since the epoch */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Session tags, those included that came down a chain of roles. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Which of them go on to the next role. */
  readonly transitive?: readonly string[] | undefined
  readonly sourceIdentity?: string | undefined
  /** Texts of inline session policies. */
  readonly policies?: readonly string[] | undefined
  readonly policyArns?: readonly string[] | undefined
  readonly providerConditions?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly webIdentity?:
    | { readonly provider: string; readonly subject: string; readonly audience: string }
    | undefined
}

/** What a session token says, once it is open (`docs/formats/sealed.md`). */
export type SessionSays = SessionGrant & { readonly sealedSecret: string }

const version = 1

const paddingMember = ',"padding":""'.length

/** `padding`: how many bytes more it is to be at the least. */
export function encodeSession(says: SessionSays, padding = 0): Buffer {
  const filling = padding === 0 ? undefined : 'x'.repeat(Math.max(0, padding - paddingMember))
  return Buffer.from(JSON.stringify({ version, ...says, padding: filling }))
}

/** Undefined for another version: what opens was made here, and its shape is not looked at. */
export function decodeSession(plaintext: Buffer): SessionSays | undefined {
  const says = JSON.parse(plaintext.toString('utf8')) as SessionSays & { readonly version: number }
  return says.version === version ? says : undefined
}
