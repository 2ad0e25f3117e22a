import { invalidToken } from './refusals.ts'

/** What a token asks the session to begin with. */
export type SessionClaims = {
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity: string | undefined
}

type Claims = Readonly<Record<string, unknown>>

const tagsClaim = 'https://aws.amazon.com/tags'
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity'

const tagsMax = 50
const tagKey = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
const sourceIdentityText = /^[\w+=,.@-]{2,64}$/

/**
 * Session tags and source identity of a verified token: `…/tags` with `principal_tags` and `transitive_tag_keys` in it,
 * or the same flattened into claims of their own, as in `…/tags/principal_tags/team`. Throws 'invalid-identity-token'
 * for what has another form: tags that were meant and not taken could open what a policy keeps shut.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
export function sessionClaims(claims: Claims): SessionClaims {
  const tags = [...nestedTags(claims), ...flatTags(claims)]
  if (tags.length > tagsMax) throw wrongTags('more than 50 tags')
  const source = claims[sourceIdentityClaim]
  if (source !== undefined && (typeof source !== 'string' || !sourceIdentityText.test(source))) {
    throw invalidToken('The source identity passed in the claim is not in the correct format.')
  }
  return { tags, transitiveTagKeys: transitiveTagKeys(claims), sourceIdentity: source }
}

/** The values stand in lists of one. */
function nestedTags(claims: Claims) {
  const { principal_tags: tags } = nestedClaim(claims)
  if (tags === undefined) return []
  return Object.entries(objectOf(tags)).map(([key, value]) => {
    if (!Array.isArray(value) || value.length !== 1) throw wrongTags(`the value of ${key}`)
    return tagOf(key, value[0])
  })
}

function flatTags(claims: Claims) {
  const prefix = `${tagsClaim}/principal_tags/`
  return Object.entries(claims)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => tagOf(name.slice(prefix.length), value))
}

function tagOf(key: string, value: unknown) {
  if (typeof value !== 'string' || !tagKey.test(key) || !tagValue.test(value)) {
    throw wrongTags('a tag out of bounds')
  }
  return { Key: key, Value: value }
}

function transitiveTagKeys(claims: Claims): readonly string[] {
  const nested = nestedClaim(claims)['transitive_tag_keys']
  const flat = claims[`${tagsClaim}/transitive_tag_keys`]
  if (nested !== undefined && flat !== undefined) throw wrongTags('transitive keys in two places')
  const keys = nested ?? flat ?? []
  if (!Array.isArray(keys) || keys.length > tagsMax) throw wrongTags('the transitive keys')
  if (!keys.every((key) => typeof key === 'string' && tagKey.test(key))) {
    throw wrongTags('a transitive key')
  }
  return keys
}

function nestedClaim(claims: Claims): Claims {
  const nested = claims[tagsClaim]
  return nested === undefined ? {} : objectOf(nested)
}

function objectOf(value: unknown): Claims {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongTags('no object')
  }
  return value as Claims
}

function wrongTags(detail: string) {
  return invalidToken('Session tags passed in claim are not in correct format.', detail)
}
