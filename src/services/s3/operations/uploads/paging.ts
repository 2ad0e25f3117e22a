import { s3Error } from '../../../../base/errors.ts'

const countMax = 1000
const integerMax = 2 ** 31 - 1

/** How many a page may have: at most 1000, whatever is asked for. Throws 'InvalidArgument'. */
export function countOf(name: 'max-parts' | 'max-uploads', text = String(countMax)): number {
  return Math.min(countMax, numberOf(name, text))
}

/** Throws 'InvalidArgument'. */
export function numberOf(name: string, text: string): number {
  const number = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(number) || Math.abs(number) > integerMax) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`)
  }
  if (number >= 0) return number
  const range = `Argument ${name} must be an integer between 0 and ${integerMax}`
  throw invalidArgument(name, text, range)
}

export function invalidArgument(name: string, value: string, text: string) {
  const members = { ArgumentName: name, ArgumentValue: value.slice(0, 256) }
  return s3Error('InvalidArgument', members, { text })
}
