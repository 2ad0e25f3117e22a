import { integer, string } from '../../wire/schema.ts'

/** Bounds as in the service model. */
export const roleDescription = string({
  max: 1000,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*',
})
/** Seconds. */
export const maxSessionDuration = integer({ min: 3600, max: 43_200 })
