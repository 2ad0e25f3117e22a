/**
 * Events in the index are numbered by time: those of one second from `second * idsPerSecond` on, in the order in which
 * they were read.
 */
export const idsPerSecond = 2 ** 20
/** Later ones would not be exact numbers any more. */
const maxSecond = 2 ** 32
const idsPerDay = 86_400 * idsPerSecond

/** The least id of a second. */
export function firstId(second: number): number {
  return Math.min(Math.max(second, 0), maxSecond) * idsPerSecond
}

/** Since the epoch. */
export function dayOf(id: number): number {
  return Math.floor(id / idsPerDay)
}

export function firstIdOfDay(day: number): number {
  return day * idsPerDay
}
