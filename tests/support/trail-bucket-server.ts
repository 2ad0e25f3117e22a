import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ServedFile = {
  readonly body: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
}

export type ServedTrail = {
  readonly arn: string
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly homeRegion: string
}

export type ServedKey = {
  readonly value: Buffer
  readonly fingerprint: string
  readonly validFrom: number
  readonly validTo: number
}

/**
 * As much of S3 and CloudTrail as `aws cloudtrail validate-logs` asks for: GetBucketLocation, ListObjects (version 1)
 * and GetObject of one bucket; DescribeTrails and ListPublicKeys. Signatures are not looked at.
 */
export class TrailBucketServer {
  files: Map<string, ServedFile> = new Map()
  readonly #server: Server
  readonly #trail: ServedTrail
  readonly #keys: readonly ServedKey[]

  constructor(trail: ServedTrail, keys: readonly ServedKey[]) {
    this.#trail = trail
    this.#keys = keys
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
      const target = request.headers['x-amz-target']
      if (typeof target === 'string') {
        request.resume()
        response.setHeader('content-type', 'application/x-amz-json-1.1')
        response.end(JSON.stringify(this.#cloudTrail(target.split('.').at(-1) ?? '')))
        return
      }
      const key = decodeURIComponent(pathname.slice(`/${trail.bucket}/`.length))
      if (key !== '') {
        const file = this.files.get(key)
        if (file === undefined) {
          response.statusCode = 404
          response.end('<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>')
          return
        }
        for (const [name, value] of Object.entries(file.metadata)) {
          response.setHeader(`x-amz-meta-${name}`, value)
        }
        response.end(file.body)
        return
      }
      response.setHeader('content-type', 'application/xml')
      response.end(searchParams.has('location') ? location : this.#listing(searchParams))
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #cloudTrail(operation: string): unknown {
    if (operation === 'ListPublicKeys') {
      const PublicKeyList = this.#keys.map(({ value, fingerprint, validFrom, validTo }) => ({
        Value: value.toString('base64'),
        Fingerprint: fingerprint,
        ValidityStartTime: validFrom / 1000,
        ValidityEndTime: validTo / 1000,
      }))
      return { PublicKeyList }
    }
    const { arn, bucket, prefix, homeRegion } = this.#trail
    const trail = {
      Name: arn.split('/')[1],
      TrailARN: arn,
      S3BucketName: bucket,
      S3KeyPrefix: prefix,
      HomeRegion: homeRegion,
      IsOrganizationTrail: false,
    }
    return { trailList: [trail] }
  }

  #listing(parameters: URLSearchParams): string {
    const marker = parameters.get('marker') ?? ''
    const prefix = parameters.get('prefix') ?? ''
    const keys = [...this.files.keys()].filter((key) => key > marker && key.startsWith(prefix))
    const contents = keys.sort().map((key) => `<Contents><Key>${key}</Key></Contents>`)
    return `${xml}<ListBucketResult ${namespace}><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`
  }
}

const xml = '<?xml version="1.0" encoding="UTF-8"?>'
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
const location = `${xml}<LocationConstraint ${namespace}/>`
