import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether only this machine can reach the address. False for names: what they stand for is known once bound. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return loopback.check(address, 'ipv4')
  return isIPv6(address) && loopback.check(address, 'ipv6')
}

/**
 * The address of the client, without the zone that IPv6 addresses of one link carry (`fe80::1%eth0`, RFC 4007 §11).
 * Undefined when the client has reset the connection, though what it sent can still be read.
 */
export function peerOf({ remoteAddress }: Pick<Socket, 'remoteAddress'>): string | undefined {
  if (remoteAddress === undefined) return undefined
  const zone = remoteAddress.indexOf('%')
  return zone === -1 ? remoteAddress : remoteAddress.slice(0, zone)
}

/** Throws unless the address is loopback: requests and answers hold plaintexts and data keys. */
export function requireTlsBeyondLoopback(address: string): void {
  if (isLoopback(address)) return
  throw new Error(
    `Refusing to listen at ${address} without TLS: what is asked and answered, such as plaintexts and data keys, would cross the network in clear. ` +
      'Give a certificate and its key, listen at 127.0.0.1, or, when something in front of this listener ends TLS, ' +
      'ask for insecure plaintext explicitly.',
  )
}

/** `https://[::1]:7781` */
export function endpointOf(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
}
