/** The objects that an operator names: one, or all whose keys begin alike. */
export type ObjectName = {
  /** ARN, or its beginning. */
  readonly object: string
  readonly isPrefix: boolean
  /** ARN */
  readonly bucket: string
}

const objectArn = /^arn:aws:s3:::([^/]+)\/(.*)$/s

/**
 * `s3://bucket/key`, `s3://bucket/prefix*`, or the ARN of an object, in which a star is a star. Undefined for what
 * names no object.
 */
export function objectNamed(text: string): ObjectName | undefined {
  const isAddress = text.startsWith('s3://')
  const isPrefix = isAddress && text.endsWith('*')
  const named = isPrefix ? text.slice(0, -1) : text
  const object = isAddress ? `arn:aws:s3:::${named.slice(5)}` : named
  const [, bucket, key] = objectArn.exec(object) ?? []
  if (bucket === undefined || (key === '' && !isPrefix)) return undefined
  return { object, isPrefix, bucket: `arn:aws:s3:::${bucket}` }
}

export function isNamed({ object, isPrefix }: ObjectName, arn: string | undefined): boolean {
  return isPrefix ? arn?.startsWith(object) === true : arn === object
}
