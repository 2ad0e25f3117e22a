import type { Value } from '../../wire/schema.ts'
import { invalidTag, tooManyTags } from './errors.ts'
import type { tagsList } from './shapes.ts'
import type { TrailTag } from './trails.ts'

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html */
const tagsMax = 50

/** As a request has them: a tag without a value is one with an empty one. */
export type TagsList = Value<typeof tagsList>

/** The tags of one request. Throws 'invalid-tag-parameter': the same key twice, keys of AWS's own. */
export function tagsOf(list: TagsList): readonly TrailTag[] {
  const tags = list.map(({ Key, Value = '' }) => ({ key: Key, value: Value }))
  if (new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw invalidTag('Duplicate tag keys are not allowed.')
  }
  if (tags.some(({ key }) => key.slice(0, 4).toLowerCase() === 'aws:')) {
    throw invalidTag('Tag keys that begin with aws: are reserved.')
  }
  return tags
}

/** `added` replace those of the same key. Throws 'tags-limit-exceeded'. */
export function mergeTags(
  present: readonly TrailTag[],
  added: readonly TrailTag[],
): readonly TrailTag[] {
  const keys = new Set(added.map(({ key }) => key))
  const merged = [...present.filter(({ key }) => !keys.has(key)), ...added]
  if (merged.length > tagsMax) throw tooManyTags(tagsMax)
  return merged.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** A tag that is to go with a value goes when it has that value. */
export function withoutTags(present: readonly TrailTag[], gone: TagsList): readonly TrailTag[] {
  const isGone = ({ key, value }: TrailTag) =>
    gone.some(({ Key, Value = value }) => Key === key && Value === value)
  return present.filter((tag) => !isGone(tag))
}

/** As condition keys are made of them. */
export function namedTags(tags: TagsList = []) {
  return tags.map(({ Key, Value = '' }) => ({ Key, Value }))
}

export function tagsOutput(tags: readonly TrailTag[]): TagsList {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}
