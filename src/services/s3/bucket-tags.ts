import { s3Error } from '../../base/errors.ts'
import { list, string, structure, type Value } from '../../wire/schema.ts'
import type { ConditionValues } from '../operation.ts'
import type { Tag } from './bucket.ts'
import { requireTags } from './tagging.ts'

/** `each` of the list that it is in is `Tag`. */
export const tagList = list(structure({ Key: string(), Value: string() }), { each: 'Tag' })

const tagsMax = 50

/**
 * Throws 'MalformedXML', 'BadRequest' for too many, and 'InvalidTag'.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
 */
export function bucketTags(given: Value<typeof tagList>): readonly Tag[] {
  if (given.length > tagsMax) {
    const text = `Bucket tag count cannot be greater than ${tagsMax}`
    throw s3Error('BadRequest', undefined, { text })
  }
  const tags = given.map(({ Key, Value }) => {
    if (Key === undefined || Value === undefined) throw s3Error('MalformedXML')
    return { key: Key, value: Value }
  })
  return requireTags(tags, 'System tags cannot be added/updated by requester')
}

/** What a request says of the tags that it brings for a bucket. */
export function bucketTagConditions(tags: readonly Tag[]): ConditionValues {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': tags.map(({ key }) => key),
  }
}
