import type { EventLookup } from '../../journal/port.ts'

export type CloudTrailDeps = { readonly lookup: EventLookup }
