/** The time, as milliseconds since the Unix epoch. Passed in wherever time is needed. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
