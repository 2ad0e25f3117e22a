import { string, structure } from '../../../../wire/schema.ts'
import type { Initiator } from './upload.ts'

/** Who began an upload. */
export const initiatorMembers = structure({ ID: string(), DisplayName: string() })

/** Whose the object will be. */
export const ownerMembers = structure({ ID: string() })

export function shownInitiator({ id, displayName }: Initiator) {
  return { ID: id, DisplayName: displayName }
}
