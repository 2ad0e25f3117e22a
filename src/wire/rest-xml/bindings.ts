import { integer, type Schema, string } from '../schema.ts'

/** Members of REST XML that are not elements of the body. */
export const header = <const S extends Schema>(name: string, schema: S) =>
  ({ ...schema, http: { in: 'header', name } }) as const
export const query = <const S extends Schema>(name: string, schema: S) =>
  ({ ...schema, http: { in: 'query', name } }) as const
/** All headers whose names begin so, without that beginning: `x-amz-meta-`. */
export const prefixed = (name: string) => ({ type: 'map', http: { in: 'prefix', name } }) as const
export const bucketLabel = () =>
  ({ ...string(), required: true, http: { in: 'label', name: 'Bucket' } }) as const
export const keyLabel = () =>
  ({ ...string(), required: true, http: { in: 'label', name: 'Key' } }) as const
/** The body: a stream, bytes, a text, or XML with that root; `bytesMax`: where S3's longest is too much. */
export const payload = <const S extends Schema>(
  schema: S,
  options: {
    readonly root?: string
    readonly ofObject?: true
    readonly bytesMax?: number
  } = {},
) => ({ ...schema, http: { in: 'payload', ...options } }) as const
/** The status of the answer, where it depends. */
export const status = () => ({ ...integer(), http: { in: 'status' } }) as const
