import { readFileSync, writeFileSync } from 'node:fs'
import { parseXml } from '../../src/wire/rest-xml/xml.ts'
import type { AwsCommand } from './aws-options.ts'
import { type Answer, type Asked, errorIn, type Received } from './aws-protocols.ts'

type Shape = {
  readonly method: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: (input: AwsCommand['input']) => Buffer
}

/** The operations of S3 that the tour shows. */
const shapes: Readonly<Record<string, Shape>> = {
  'create-bucket': { method: 'PUT' },
  'put-bucket-encryption': {
    method: 'PUT',
    query: { encryption: '' },
    body: (input) => encryptionXml(String(input['ServerSideEncryptionConfiguration'])),
  },
  'put-object': { method: 'PUT', body: (input) => readFileSync(String(input['Body'])) },
  'get-object': { method: 'GET' },
}

export function objectCall({ operation, input, positional }: AwsCommand) {
  const shape = shapes[operation]
  if (shape === undefined) throw new Error(`the tour has no s3api ${operation}`)
  const key = input['Key'] === undefined ? '' : `/${String(input['Key'])}`
  const asked: Asked = {
    ...{ service: 's3', method: shape.method, path: `/${String(input['Bucket'])}${key}` },
    ...(shape.query === undefined ? {} : { query: shape.query }),
    ...{ headers: {}, body: shape.body?.(input) ?? Buffer.alloc(0) },
  }
  const read = ({ status, body }: Received): Answer => {
    if (status >= 300) return errorIn(parseXml(body))
    if (operation !== 'get-object') return {}
    writeFileSync(positional ?? '', body)
    return { output: { ContentLength: body.length } }
  }
  return { asked, read }
}

type Configuration = {
  readonly Rules: readonly [
    {
      readonly ApplyServerSideEncryptionByDefault: {
        readonly SSEAlgorithm: string
        readonly KMSMasterKeyID: string
      }
    },
  ]
}

function encryptionXml(text: string): Buffer {
  const { Rules } = JSON.parse(text) as Configuration
  const { SSEAlgorithm, KMSMasterKeyID } = Rules[0].ApplyServerSideEncryptionByDefault
  return Buffer.from(
    `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${SSEAlgorithm}</SSEAlgorithm><KMSMasterKeyID>${KMSMasterKeyID}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
  )
}
