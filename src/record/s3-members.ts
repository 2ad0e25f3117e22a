import type { AuditResource, JsonObject, ResourceName } from '../services/operation.ts'
import { hostIdOf } from '../wire/rest-xml/protocol.ts'
import type { Call } from './call.ts'
import { cut } from './event.ts'
import { headerOf } from './request.ts'

/**
 * What CloudTrail has in every event of S3, whatever the operation and whatever became of it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
 */

/** A resource as a record shows it: S3 does not say whose an object is, but whose its bucket. */
export type ShownResource = ResourceName & {
  readonly accountId?: AuditResource['accountId']
  readonly type: string
}

/** The longest name that DNS allows, and a port, in bytes. */
export const hostMax = 261
/** JSON text of a key of which every byte is escaped, and more. */
const arnBytesMax = 8192

type Members = {
  readonly requestParameters: JsonObject | null
  readonly additionalEventData?: JsonObject | undefined
  readonly resources?: readonly ShownResource[] | undefined
}

/** These members of the record of a call, with what all calls of S3 have. */
export function s3Members(call: Call, members: Members, elementBytesMax: number) {
  const { requestParameters, additionalEventData, resources } = members
  return {
    requestParameters: s3Parameters(call, requestParameters),
    additionalEventData: s3Additional(call, additionalEventData),
    resources: withObjects(
      call,
      resources === undefined
        ? namedResources(call, elementBytesMax)
        : s3Resources(resources, elementBytesMax),
    ),
  }
}

/** A data event is about objects, by which trails select: where none is named, about all of the bucket's. */
function withObjects(
  { operation }: Call,
  resources: readonly ShownResource[] | undefined,
): readonly ShownResource[] | undefined {
  const isOf = (wanted: string) => resources?.find(({ type }) => type === wanted)
  const bucket = isOf(bucketType)?.ARN
  if (operation?.category !== 'data' || bucket === undefined) return resources
  if (isOf(objectType) !== undefined) return resources
  return [{ type: objectType, ARNPrefix: `${bucket}/` }, ...(resources ?? [])]
}

/** requestParameters: of what could not be read at least what it was addressed to. */
function s3Parameters(call: Call, shown: JsonObject | null): JsonObject {
  const Host = cut(headerOf(call.request, 'host'), hostMax)
  if (shown !== null) return { ...shown, Host }
  const { bucket, key } = call.addressed?.resource ?? {}
  return { bucketName: cut(bucket), key, Host }
}

/** additionalEventData. Bytes are those of the bodies, as far as they are known when the record is made. */
function s3Additional(call: Call, shown: JsonObject | undefined): JsonObject {
  const { identity, request, requestId } = call
  const isHeader = identity?.conditions?.['s3:authType'] !== 'REST-QUERY-STRING'
  return {
    SignatureVersion: 'SigV4',
    CipherSuite: request.tls?.cipher,
    AuthenticationMethod: isHeader ? 'AuthHeader' : 'QueryString',
    'x-amz-id-2': hostIdOf(requestId),
    bytesTransferredIn: bytesIn(call),
    bytesTransferredOut: bytesOut(call),
    ...shown,
  }
}

/** A body that was refused before it was taken in was never asked for. */
function bytesIn({ identity, failure, received }: Call): number {
  const isTaken = failure === undefined || received !== undefined
  return isTaken ? (identity?.body?.length ?? 0) : 0
}

/** An answer that streams says how long it is; that it got there, nobody knows yet. */
function bytesOut({ encoded, request }: Call): number {
  return encoded === undefined || request.method === 'HEAD' ? 0 : encoded.body.length
}

/** `elementBytesMax`: records have to fit into small segments, too. */
function s3Resources(
  resources: readonly ShownResource[],
  elementBytesMax: number,
): readonly ShownResource[] {
  return resources.map(({ accountId, type, ...named }) => {
    const shown = { type, ...shortName(named, elementBytesMax) }
    return type === objectType || accountId === undefined ? shown : { accountId, ...shown }
  })
}

function shortName({ ARN, ARNPrefix }: ResourceName, elementBytesMax: number): ResourceName {
  const most = Math.min(arnBytesMax, Math.floor(elementBytesMax / 4))
  return ARN === undefined
    ? { ARNPrefix: cut(ARNPrefix, most) ?? '' }
    : { ARN: cut(ARN, most) ?? '' }
}

const objectType = 'AWS::S3::Object'
const bucketType = 'AWS::S3::Bucket'

/**
 * What a request names, where it did not get as far as finding it, or its caller may not know whose it is. These names
 * say nothing: whoever asked has brought them along.
 */
function namedResources(
  { addressed }: Call,
  elementBytesMax: number,
): readonly ShownResource[] | undefined {
  const { bucket, key } = addressed?.resource ?? {}
  if (bucket === undefined) return undefined
  const arn = `arn:aws:s3:::${cut(bucket, 255)}`
  const named: ShownResource = { type: bucketType, ARN: arn }
  if (key === undefined) return [named]
  const object: ResourceName = { ARN: `${arn}/${key}` }
  return [{ type: objectType, ...shortName(object, elementBytesMax) }, named]
}
