export const tileWidth = 256

/** One tile of a log, as C2SP tlog-tiles names it: hashes of a level, or the entries that level 0 are the hashes of. */
export type TileName = {
  readonly level: number | 'entries'
  readonly number: number
  /** 1 to 256; below 256 it is a partial tile. */
  readonly width: number
}

const form = /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** `tile/0/x001/234.p/17` */
export function tilePath({ level, number, width }: TileName): string {
  const suffix = width === tileWidth ? '' : `.p/${width}`
  return `tile/${level}/${numberPath(number)}${suffix}`
}

/** Undefined for anything that is not the path of a tile, letter for letter. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level = '', number = '', width] = form.exec(path) ?? []
  if (level === '') return undefined
  const name = {
    level: level === 'entries' ? ('entries' as const) : Number(level),
    number: Number(number.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  const isKnown = width === undefined || name.width < tileWidth
  return isKnown && tilePath(name) === path ? name : undefined
}

/** In groups of three digits, all but the last behind an x: 1234067 is `x001/x234/067`. */
function numberPath(number: number): string {
  const digits = String(number)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}
