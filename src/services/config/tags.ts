import { ServiceError } from '../../base/errors.ts'
import { validation } from './errors.ts'
import type { Tag } from './state.ts'

const tagsMax = 50

/** Throws 'validation' for reserved keys and for one that stands there twice. */
export function requireTags(tags: readonly Tag[]): void {
  const keys = tags.map(({ Key }) => Key)
  if (keys.some((key) => key.slice(0, 4).toLowerCase() === 'aws:')) {
    throw validation('Tag keys must not begin with aws:.')
  }
  if (new Set(keys).size < keys.length) throw validation('Tag keys must be different.')
}

/** Tags of the same key are replaced. Throws 'too-many-tags'. */
export function mergedTags(before: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const keys = new Set(added.map(({ Key }) => Key))
  const merged = [...before.filter(({ Key }) => !keys.has(Key)), ...added]
  if (merged.length > tagsMax) {
    throw new ServiceError('too-many-tags', `A resource can have ${tagsMax} tags.`)
  }
  return merged
}
