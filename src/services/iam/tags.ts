import type { Tag } from '../../identities/records.ts'
import { invalidInput, quotaExceeded } from './errors.ts'

/**
 * Tags of IAM: keys that differ by case alone are the same key, and keep the case that they were given.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
 */

/** The tags of one request. Throws 'invalid-input': the same key twice, keys of AWS's own. */
export function checkTags(tags: readonly Tag[]): void {
  const keys = new Set(tags.map(({ Key }) => folded(Key)))
  if (keys.size < tags.length) {
    throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  for (const key of keys) {
    if (key.startsWith('aws:')) {
      throw invalidInput('aws: prefixed tag key names are not allowed for external use.')
    }
  }
}

/** `added` replace those of the same key. Throws 'limit-exceeded' beyond `max`; `what` as in `TagsPerUser`. */
export function mergeTags(
  present: readonly Tag[],
  added: readonly Tag[],
  max: number,
  what: string,
): readonly Tag[] {
  const keys = new Set(added.map(({ Key }) => folded(Key)))
  const merged = [...present.filter(({ Key }) => !keys.has(folded(Key))), ...added]
  if (merged.length > max) throw quotaExceeded(what, max)
  return sortedTags(merged)
}

export function withoutTags(present: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  const gone = new Set(keys.map(folded))
  return present.filter(({ Key }) => !gone.has(folded(Key)))
}

/** Tags as they are kept: in the order of their keys. */
export function sortedTags(tags: readonly Tag[]): readonly Tag[] {
  return tags
    .map(({ Key, Value }) => ({ Key, Value }))
    .sort((a, b) => (tagPosition(a) < tagPosition(b) ? -1 : 1))
}

/** Where a tag stands in a list that is read in pages. */
export function tagPosition({ Key }: Tag): string {
  return folded(Key)
}

/** As records show tags. */
export function tagsView(tags: readonly Tag[] | undefined) {
  return tags?.map(({ Key, Value }) => ({ key: Key, value: Value }))
}

function folded(key: string): string {
  return key.toLowerCase()
}
