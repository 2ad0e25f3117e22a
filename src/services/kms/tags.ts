import { duplicateTags, reservedTag, tagQuota, tooManyTags } from './errors.ts'

export type Tag = { readonly TagKey: string; readonly TagValue: string }

/**
 * The tags of one request. Throws 'tag': reserved keys (`aws:` in any case), the same key twice, or more tags than
 * a key can have. https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
 */
export function checkTags(tags: readonly Tag[], max: number): void {
  if (tags.length > max) throw tooManyTags()
  checkTagKeys(tags.map((tag) => tag.TagKey))
  if (new Set(tags.map((tag) => tag.TagKey)).size < tags.length) throw duplicateTags()
}

export function checkTagKeys(keys: readonly string[]): void {
  for (const key of keys) {
    if (key.slice(0, 4).toLowerCase() === 'aws:') throw reservedTag()
  }
}

/** Tags as a key keeps them: in the order of their keys. */
export function sortTags(tags: readonly Tag[]): readonly Tag[] {
  return tags
    .map(({ TagKey, TagValue }) => ({ TagKey, TagValue }))
    .sort((a, b) => (a.TagKey < b.TagKey ? -1 : 1))
}

/** `added` replace those of the same key. Throws 'limit-exceeded' beyond `max`. */
export function mergeTags(
  present: readonly Tag[],
  added: readonly Tag[],
  max: number,
  arn: string,
): readonly Tag[] {
  const keys = new Set(added.map((tag) => tag.TagKey))
  const merged = [...present.filter((tag) => !keys.has(tag.TagKey)), ...added]
  if (merged.length > max) throw tagQuota(arn, max)
  return sortTags(merged)
}

export function withoutTags(present: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  const gone = new Set(keys)
  return present.filter((tag) => !gone.has(tag.TagKey))
}
