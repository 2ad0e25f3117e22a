import type { KeyRecord } from './key.ts'

/** A key with this tag keeps its duties separate, whatever anybody changes (`src/separation-guard.ts`). */
export const separationTag = { TagKey: 'kagiban:separation-of-duties', TagValue: 'enforced' }

export function isEnforced({ tags }: Pick<KeyRecord, 'tags'>): boolean {
  return tags.some(
    ({ TagKey, TagValue }) =>
      TagKey === separationTag.TagKey && TagValue === separationTag.TagValue,
  )
}
