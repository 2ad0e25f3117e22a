/** At most 15 digits on either side, which a double holds exactly enough to compare. */
const decimal = /^[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?$/

/** An integer or a decimal, without exponent. */
export function parseNumber(text: string): number | undefined {
  return decimal.test(text) ? Number(text) : undefined
}
