/**
 * - `format`: these bytes are no header, or of a version that is not known.
 * - `header`: other keys, another object's, or altered.
 * - `segment`: not this segment of this object: moved, left out, repeated, cut, of another object, or altered.
 * - `chunk`: a chunk or its tag was altered, moved, left out or repeated.
 */
export type DamageKind = 'format' | 'header' | 'segment' | 'chunk'

/** Bytes that are not those that were put. No plaintext of the chunk in question has been given to anybody. */
export class ObjectDamage extends Error {
  override readonly name = 'ObjectDamage'
  readonly kind: DamageKind

  constructor(kind: DamageKind, message: string) {
    super(message)
    this.kind = kind
  }
}
