import type { ConditionValues } from './operation.ts'

/** As IAM and STS write a tag. */
type Tag = { readonly Key: string; readonly Value: string }

const none: ConditionValues = Object.freeze({})

/** `aws:ResourceTag/…` and `iam:ResourceTag/…` of what a call on IAM or STS is about. */
export function entityTagConditions(tags: readonly Tag[]): ConditionValues {
  if (tags.length === 0) return none
  const conditions: Record<string, string> = {}
  for (const { Key, Value } of tags) {
    conditions[`aws:ResourceTag/${Key}`] = Value
    conditions[`iam:ResourceTag/${Key}`] = Value
  }
  return conditions
}

/** `aws:RequestTag/…` and `aws:TagKeys` of the tags that a call brings. */
export function requestTagConditions(tags: readonly Tag[] = []): ConditionValues {
  const conditions = { ...tagKeyConditions(tags.map(({ Key }) => Key)) }
  for (const { Key, Value } of tags) conditions[`aws:RequestTag/${Key}`] = Value
  return conditions
}

/** `aws:TagKeys`; a request without tags has no such key. */
export function tagKeyConditions(
  tagKeys: readonly string[],
): Record<string, string | readonly string[]> {
  return tagKeys.length === 0 ? {} : { 'aws:TagKeys': tagKeys }
}
