import { BlockList, isIPv6 } from 'node:net'

/** Links, the metadata services of clouds among them, and what is nobody's. */
const subnets = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const

/** Services that clouds have for their machines at addresses that look like others: of Alibaba, and of Azure. */
const cloudServices = ['100.100.100.200', '168.63.129.16'] as const

/**
 * Where no provider is: the addresses of links, which metadata services of clouds have, those that are nobody's, and
 * those through which translators lead there. Private and loopback addresses are a deployment's own, and providers
 * live there.
 */
export const nowhere = new BlockList()
for (const [address, prefix] of subnets) nowhere.addSubnet(address, prefix, 'ipv4')
for (const address of cloudServices) nowhere.addAddress(address)
for (const [address, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  // The metadata service of EC2.
  ['fd00:ec2::', 32],
  // The prefix of networks' own translators, who alone know what lies behind it (RFC 8215).
  ['64:ff9b:1::', 48],
] as const) {
  nowhere.addSubnet(address, prefix, 'ipv6')
}
// The same again, through the translators that everybody knows (RFC 6052, RFC 3056).
for (const [address, prefix] of [...subnets, ...cloudServices.map((each) => [each, 32] as const)]) {
  const groups = groupsOf(address)
  nowhere.addSubnet(`64:ff9b::${groups}`, 96 + prefix, 'ipv6')
  nowhere.addSubnet(`2002:${groups}::`, 16 + prefix, 'ipv6')
}

/** Whether a provider cannot have this address. */
export function isNowhere(address: string): boolean {
  return nowhere.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** An IPv4 address as two groups of an IPv6 address. */
function groupsOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}
