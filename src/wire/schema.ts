import type { BodyStream } from './protocol.ts'

/**
 * Shapes of the wire, as data: what a member is, its bounds, whether it is required. TypeScript types are derived
 * from them (`Value`), and `wire/` decodes, validates and encodes by them. Member names are AWS's own, so that code
 * reads like the API reference.
 */
export type StringSchema = {
  readonly type: 'string'
  readonly min?: number
  readonly max?: number
  /** AWS's own pattern text, matched against the whole value; it appears in the validation message. */
  readonly pattern?: string
  readonly values?: readonly string[]
  /** The value is left out of validation messages. */
  readonly sensitive?: boolean
}
export type BlobSchema = {
  readonly type: 'blob'
  readonly min?: number
  readonly max?: number
  /** Plaintext or key material: encoded without ever becoming a string, wiped after the answer. */
  readonly sensitive?: boolean
}
export type IntegerSchema = {
  readonly type: 'integer'
  readonly min?: number
  readonly max?: number
}
export type BooleanSchema = { readonly type: 'boolean' }
/** Milliseconds since the epoch inside; epoch seconds with a fraction on the wire. */
export type TimestampSchema = { readonly type: 'timestamp' }
/** A body on its way, in or out: never gathered. */
export type StreamSchema = { readonly type: 'stream' }
/** String keys, string values. */
export type MapSchema = { readonly type: 'map' }
/** Where REST XML has a member: without one, it is an element of the XML that is the body. */
export type Binding =
  | { readonly in: 'header' | 'query' | 'prefix'; readonly name: string }
  | { readonly in: 'label'; readonly name: 'Bucket' | 'Key' }
  /** The body itself; a structure is XML with that root. `ofObject`: declared checksums are not of these bytes. */
  | {
      readonly in: 'payload'
      readonly root?: string
      readonly ofObject?: true
      /** Where it is less than any body but an object's may have. */
      readonly bytesMax?: number
    }
  | { readonly in: 'status' }
export type Member = Schema & {
  readonly required?: true
  readonly http?: Binding
  /** The name of its XML element, where that is not its own. */
  readonly element?: string
}
export type Members = Readonly<Record<string, Member>>
export type StructureSchema<M extends Members = Members> = {
  readonly type: 'structure'
  readonly members: M
  /** Of an output in REST XML: the root of its XML, and its status where that is not 200. */
  readonly root?: string
  readonly status?: number
}
export type ListSchema = {
  readonly type: 'list'
  readonly member: Schema
  readonly min?: number
  readonly max?: number
  /** Of REST XML: the name of each element; without it, elements stand where the list does, by its own name. */
  readonly each?: string
}
export type Schema =
  | StringSchema
  | BlobSchema
  | IntegerSchema
  | BooleanSchema
  | TimestampSchema
  | StreamSchema
  | ListSchema
  | MapSchema
  | { readonly type: 'structure'; readonly members: Members }

/** The TypeScript type of a value of schema S. */
export type Value<S> = S extends { type: 'string'; values: readonly (infer Text)[] }
  ? Text
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'blob' }
      ? Buffer
      : S extends { type: 'integer' } | { type: 'timestamp' }
        ? number
        : S extends { type: 'stream' }
          ? BodyStream
          : S extends { type: 'boolean' }
            ? boolean
            : S extends { type: 'list'; member: infer Member }
              ? readonly Value<Member>[]
              : S extends { type: 'map' }
                ? Readonly<Record<string, string>>
                : S extends { type: 'structure'; members: infer M }
                  ? StructureValue<M>
                  : never

type RequiredNames<M> = { [K in keyof M]: M[K] extends { required: true } ? K : never }[keyof M]
type StructureValue<M> = { readonly [K in RequiredNames<M>]: Value<M[K]> } & {
  readonly [K in Exclude<keyof M, RequiredNames<M>>]?: Value<M[K]> | undefined
}

type Options<S extends Schema> = Omit<S, 'type'>

export const string = <const O extends Options<StringSchema>>(options: O = {} as O) =>
  ({ type: 'string', ...options }) as const
/** One of AWS's enumerated values. */
export const oneOf = <const V extends readonly string[]>(...values: V) =>
  ({ type: 'string', values }) as const
export const blob = <const O extends Options<BlobSchema>>(options: O = {} as O) =>
  ({ type: 'blob', ...options }) as const
export const integer = <const O extends Options<IntegerSchema>>(options: O = {} as O) =>
  ({ type: 'integer', ...options }) as const
export const boolean = () => ({ type: 'boolean' }) as const
export const timestamp = () => ({ type: 'timestamp' }) as const
export const list = <const M extends Schema>(
  member: M,
  options: { readonly min?: number; readonly max?: number; readonly each?: string } = {},
) => ({ type: 'list', member, ...options }) as const
export const map = () => ({ type: 'map' }) as const
export const structure = <const M extends Members>(
  members: M,
  options: { readonly root?: string; readonly status?: number } = {},
) => ({ type: 'structure', members, ...options }) as const
export const stream = () => ({ type: 'stream' }) as const
export const required = <const S extends Schema>(schema: S) =>
  ({ ...schema, required: true }) as S & { readonly required: true }
