import { text } from './database.ts'
import type { Statements } from './statements.ts'

/** Where the bodies are that the rows name. */
export type Place = {
  readonly kind: 'files' | 's3'
  /** Of this store; a place elsewhere knows by it whose it is. */
  readonly id: string
}

/** `used`: a body may be there already. */
export type KnownPlace = Place & { readonly used: boolean }

/** The place that the rows have, for good: the proposed one if they have none yet. */
export function settlePlace(sql: Statements, proposed: Place): KnownPlace {
  sql.insertPlace.run(proposed.kind, proposed.id)
  const row = sql.place.get()
  const kind = row?.['kind'] === 's3' ? 's3' : 'files'
  return { kind, id: text(row?.['id']), used: sql.anyBody.get() !== undefined }
}
