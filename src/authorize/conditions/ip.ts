/** 4 bytes of an IPv4 address or 16 of an IPv6 address; they never match each other. */
export type IpAddress = Uint8Array
export type IpRange = { readonly address: IpAddress; readonly prefixLength: number }

const octet = /^(?:0|[1-9][0-9]{0,2})$/
const hextet = /^[0-9a-fA-F]{1,4}$/

/** Undefined for anything but an address in the usual notation; zone identifiers are refused. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** An address, or an address and a prefix length. Bits behind the prefix do not count. */
export function parseIpRange(text: string): IpRange | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/')
  const address = parseIp(addressText)
  if (address === undefined || rest.length > 0) return undefined
  const bits = address.length * 8
  if (lengthText === undefined) return { address, prefixLength: bits }
  if (!octet.test(lengthText) || Number(lengthText) > bits) return undefined
  return { address, prefixLength: Number(lengthText) }
}

export function inRange(address: IpAddress, range: IpRange): boolean {
  if (address.length !== range.address.length) return false
  let bits = range.prefixLength
  for (let i = 0; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff
    if ((((address[i] ?? 0) ^ (range.address[i] ?? 0)) & mask) !== 0) return false
  }
  return true
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  if (!parts.every((part) => octet.test(part) && Number(part) <= 255)) return undefined
  return Uint8Array.from(parts, Number)
}

/** RFC 4291 §2.2: eight groups, one run of zero groups may be `::`, the last two may be an IPv4 address. */
function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '', halves.length === 1)
  const tail = groupsOf(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  const zeros = 16 - head.length - tail.length
  if (halves.length === 1 ? zeros !== 0 : zeros < 2) return undefined
  return Uint8Array.from([...head, ...new Array<number>(zeros).fill(0), ...tail])
}

/** The bytes of groups between colons; only the end of an address may hold dotted decimals. */
function groupsOf(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const dotted = atEnd && index === groups.length - 1 ? parseIpv4(group) : undefined
    if (dotted !== undefined) bytes.push(...dotted)
    else if (hextet.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff)
    else return undefined
  }
  return bytes
}
