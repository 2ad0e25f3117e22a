import type { EventLookup } from '../../journal/port.ts'

export type CloudTrailDeps = { readonly lookup: Pick<EventLookup, 'find'> }
