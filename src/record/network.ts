const groupsOfNetwork = 4

/**
 * Whom an address belongs to, as far as one can tell: an IPv4 address itself, an IPv6 address's /64 as in
 * `2001:db8:0:1::/64`. Whoever has one address of such a network has 2^64 of them. (RFC 6177)
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? [] : tail.split(':')
  while (tail !== undefined && groups.length + behind.length < 8) groups.push('0')
  const network = [...groups, ...behind].slice(0, groupsOfNetwork)
  while (network.at(-1) === '0') network.pop()
  return `${network.join(':')}::/64`
}
