import { internalError, s3Error } from '../../base/errors.ts'
import { header } from '../../wire/rest-xml/bindings.ts'
import { string } from '../../wire/schema.ts'
import type { ConditionValues } from '../operation.ts'
import type { Tag } from './bucket.ts'

export const taggingInput = { Tagging: header('x-amz-tagging', string()) } as const

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const objectTagsMax = 10
const keyMax = 128
const valueMax = 256
const pattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/**
 * The tags of `x-amz-tagging`, which has the form of a query. Throws 'InvalidArgument', 'BadRequest' and 'InvalidTag'.
 * To be called in `resolve`.
 */
export function tagsOfHeader(text: string | undefined): readonly Tag[] {
  if (text === undefined || text === '') return []
  const tags = text.split('&', objectTagsMax + 2).map((pair) => {
    const equals = pair.indexOf('=')
    const [key, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return { key: decoded(key, text), value: decoded(value, text) }
  })
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw malformed(text)
  return requireObjectTags(tags)
}

/** Throws 'BadRequest' for too many, and 'InvalidTag'. */
export function requireObjectTags(tags: readonly Tag[]): readonly Tag[] {
  if (tags.length > objectTagsMax) {
    throw s3Error('BadRequest', undefined, {
      text: `Object tags cannot be greater than ${objectTagsMax}`,
    })
  }
  return requireTags(tags, 'Your TagKey cannot be prefixed with aws:')
}

/** What holds for the tags of buckets too, however many. Throws 'InvalidTag'. */
export function requireTags(tags: readonly Tag[], reservedText: string): readonly Tag[] {
  const keys = new Set<string>()
  for (const { key, value } of tags) {
    const TagKey = key.slice(0, keyMax)
    if (keys.has(key)) {
      throw invalidTag('Cannot provide multiple Tags with the same key', { TagKey })
    }
    keys.add(key)
    if (key.toLowerCase().startsWith('aws:')) throw invalidTag(reservedText, { TagKey })
    if (key === '' || key.length > keyMax || !pattern.test(key)) {
      throw invalidTag('The TagKey you have provided is invalid', { TagKey })
    }
    if (value.length > valueMax || !pattern.test(value)) {
      const TagValue = value.slice(0, valueMax)
      throw invalidTag('The TagValue you have provided is invalid', { TagKey, TagValue })
    }
  }
  return tags
}

/** `Version.tagging` of the object store: empty where there are none. */
export function encodeTags(tags: readonly Tag[]): string {
  return tags.length === 0 ? '' : JSON.stringify(tags.map(({ key, value }) => [key, value]))
}

export function decodeTags(text: string): readonly Tag[] {
  if (text === '') return []
  try {
    const pairs = JSON.parse(text) as readonly (readonly [string, string])[]
    return pairs.map(([key, value]) => ({ key, value }))
  } catch (error) {
    throw internalError('the tags of an object cannot be read', error)
  }
}

/** `s3:RequestObjectTag/…`: the tags that a request brings. */
export function requestTagConditions(tags: readonly Tag[]): ConditionValues {
  if (tags.length === 0) return {}
  return {
    ...prefixed('s3:RequestObjectTag/', tags),
    's3:RequestObjectTagKeys': tags.map(({ key }) => key),
  }
}

/** `s3:ExistingObjectTag/…`: the tags that an object has. */
export function existingTagConditions(tagging: string): ConditionValues {
  return prefixed('s3:ExistingObjectTag/', decodeTags(tagging))
}

function prefixed(prefix: string, tags: readonly Tag[]): ConditionValues {
  return Object.fromEntries(tags.map(({ key, value }) => [prefix + key, value]))
}

function decoded(text: string, whole: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed(whole)
  }
}

function malformed(text: string) {
  const members = { ArgumentName: 'x-amz-tagging', ArgumentValue: text.slice(0, 256) }
  return s3Error('InvalidArgument', members, {
    text:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name " +
      'duplicates.',
  })
}

function invalidTag(text: string, members: Readonly<Record<string, string>>) {
  return s3Error('InvalidTag', members, { text })
}
