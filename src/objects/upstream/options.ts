import { readFileSync } from 'node:fs'
import type { OpenRowsOptions } from '../rows/open-rows.ts'

export type UpstreamOptions = OpenRowsOptions & {
  /** `https://host` or `https://host:port`; the engine's own address, without a path. */
  readonly endpoint: string
  readonly region: string
  /** It exists already. */
  readonly bucket: string
  /** What all names there begin with: letters, digits, `_`, `.`, `-` and `/`. Empty unless it is given. */
  readonly prefix?: string | undefined
  readonly accessKeyId: string
  /** Taken over, and wiped: a copy is kept as long as the store is open. */
  readonly secretAccessKey: Buffer
  /** The bucket stands in the path (the default), which every engine knows, or before the host. */
  readonly pathStyle?: boolean | undefined
  /** Authorities, PEM; without it those that Node brings. */
  readonly caFile?: string | undefined
  /**
   * Allows `http` to other machines. Bytes are signed by their hash and encrypted before, so that nobody on the way
   * changes them or learns more than when and how much is read; but whoever is there can answer that a body was
   * written which was not.
   */
  readonly insecure?: boolean | undefined
  /** Of one request, as long as nothing moves; ms. */
  readonly deadlineMs?: number | undefined
  /** What is sent at once, and the size of an upload's parts; 5 MiB at the least. */
  readonly partBytes?: number | undefined
}

/** S3's least part that is not the last. */
const partBytesMin = 5 * 1024 * 1024

/** What the options mean. */
export type Target = {
  readonly secure: boolean
  /** Where to connect. */
  readonly host: string
  readonly port: number
  /** The header. */
  readonly hostHeader: string
  /** Before each name: `/`, or `/<bucket>/`. */
  readonly root: string
  readonly prefix: string
  readonly region: string
  readonly ca: Buffer | undefined
  readonly deadlineMs: number
  readonly partBytes: number
}

/** Throws an Error that says what is wrong with the options. */
export function targetOf(options: Omit<UpstreamOptions, keyof OpenRowsOptions>): Target {
  const { bucket, prefix = '', region, pathStyle = true, caFile } = options
  const { deadlineMs = 20_000, partBytes = 8 * 1024 * 1024 } = options
  const url = endpointOf(options.endpoint, options.insecure === true)
  if (!/^[A-Za-z0-9._-]{3,255}$/.test(bucket)) throw new Error(`'${bucket}' is no name of a bucket`)
  if (!/^[A-Za-z0-9/_.-]{0,400}$/.test(prefix) || /^\/|\/\/|(?:^|\/)\.{1,2}\//.test(prefix)) {
    throw new Error(`'${prefix}' is no prefix of names`)
  }
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw new Error(`'${region}' is no region`)
  if (!/^[\x21-\x7e]{1,128}$/.test(options.accessKeyId) || options.accessKeyId.includes('/')) {
    throw new Error('the access key id is none')
  }
  if (options.secretAccessKey.length === 0) throw new Error('the secret access key is empty')
  if (partBytes < partBytesMin) throw new Error(`parts have ${partBytesMin} bytes at the least`)
  const host = pathStyle ? url.hostname : `${bucket}.${url.hostname}`
  return {
    secure: url.protocol === 'https:',
    // An IPv6 address has brackets in a URL, and none where it is connected to.
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    hostHeader: url.port === '' ? host : `${host}:${url.port}`,
    root: pathStyle ? `/${bucket}/` : '/',
    ...{ prefix, region, deadlineMs, partBytes },
    ca: caFile === undefined ? undefined : readFileSync(caFile),
  }
}

function endpointOf(endpoint: string, insecure: boolean): URL {
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`'${endpoint}' is no URL of an S3 engine`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('the endpoint has a user or a password, which belong elsewhere')
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new Error(`the endpoint '${endpoint}' has more than a host and a port`)
  }
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname)) {
    throw new Error(`'${endpoint}' is not encrypted: https, or allow it`)
  }
  return url
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
