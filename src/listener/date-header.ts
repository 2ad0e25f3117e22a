import type { Clock } from '../base/clock.ts'

/** The value of the Date header (RFC 9110 §6.6.1), made once a second. SDKs set their clock by it. */
export class DateHeader {
  readonly #clock: Clock
  #second = Number.NaN
  #value = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  value(): string {
    const second = Math.floor(this.#clock.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#value = new Date(second * 1000).toUTCString()
    }
    return this.#value
  }
}
