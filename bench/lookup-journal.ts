import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { JournalEngine } from '../src/journal/engine.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import { layOut, publicKey } from '../src/journal/testing/fixtures.ts'

export const account = '111122223333'
export const region = 'us-east-1'
const batchBytes = 768 * 1024
const keys = 2000
const users = 400
const roles = 100
const sessionsOfRole = 40
const operations = ['Decrypt', 'Decrypt', 'Decrypt', 'GenerateDataKey', 'Encrypt', 'DescribeKey']

/** What a deployment records of its callers, made up: a number in, a record out, the same one every time. */
export type Stream = {
  /** ms since the epoch, of the first event. */
  readonly start: number
  /** Between two events. */
  readonly everyMs: number
}

export function keyArn(number: number): string {
  return `arn:aws:kms:${region}:${account}:key/${uuid(`key ${number}`)}`
}

export const userName = (number: number) => `service-${number}`
/** One event in fifty thousand is of this name. */
export const rareName = 'ScheduleKeyDeletion'

export function eventId(at: number): string {
  return uuid(`event ${at}`)
}

/** Writes records to the journal in `directory`. Some keys and callers are far busier than others. */
export class Writer {
  readonly #engine: JournalEngine
  readonly #stream: Stream
  #written = 0
  bytes = 0

  constructor(directory: string, stream: Stream) {
    const newOrigin = 'kagiban/main/00000000-0000-4000-8000-000000000000'
    const segmentBytes = 64 * 1024 * 1024
    this.#engine = new JournalEngine(nodeFiles, { directory, newOrigin, publicKey, segmentBytes })
    this.#stream = stream
  }

  /** Until there are so many. */
  writeUpTo(count: number): void {
    let batch: string[] = []
    let bytes = 0
    for (; this.#written < count; this.#written += 1) {
      const record = recordOf(this.#written, this.#stream)
      batch.push(record)
      bytes += record.length + 41
      if (bytes < batchBytes && this.#written + 1 < count) continue
      const laidOut = layOut(batch)
      this.#engine.append(laidOut, laidOut.length)
      this.bytes += bytes
      batch = []
      bytes = 0
    }
  }

  close(): void {
    this.#engine.close()
  }
}

export function journalOf(data: string): string {
  return join(data, 'journal', 'main')
}

export function recordOf(at: number, { start, everyMs }: Stream): string {
  const random = mixed(at)
  const caller = callerOf(mixed(at + 1e9))
  const time = start + at * everyMs
  const key = keyArn(keyOf(caller, random))
  const name = at % 50_000 === 0 ? rareName : (operations[(random >>> 16) % 6] ?? 'Decrypt')
  const failed = (random >>> 20) % 50 === 0
  const digest = createHash('sha256').update(key).digest('hex')
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: identityOf(caller, time),
    eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName: name,
    awsRegion: region,
    sourceIPAddress: `10.0.${random & 0xff}.${(random >>> 8) & 0xff}`,
    userAgent:
      'aws-sdk-java/2.29.20 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1 lang/java#21.0.5',
    ...(failed && { errorCode: 'AccessDenied', errorMessage: 'The caller is not authorized.' }),
    requestParameters: {
      keyId: key,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: at % 4 === 0 ? objectContext(at) : { department: 'finance' },
    },
    responseElements: null,
    additionalEventData: {
      keyMaterialId: digest,
      authorization: [
        {
          permission: `kms:${name}`,
          resource: key,
          allowed: !failed,
          reason: 'identity-policy',
          path: 'F',
          policies: [
            { layer: 'key-policy', digest },
            { layer: 'identity-policy', name: 'use', digest },
          ],
        },
      ],
    },
    requestID: uuid(`request ${at}`),
    eventID: eventId(at),
    readOnly: name !== rareName,
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: key }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      clientProvidedHostHeader: 'kms.example.com',
    },
  })
}

/** One event in four is of an S3 object's of its own. */
function objectContext(at: number): object {
  return { 'aws:s3:arn': `arn:aws:s3:::bucket-${at % 16}/object/${at}` }
}

type Caller = { readonly kind: 'user' | 'role'; readonly number: number; readonly session: number }

/** Two in three are sessions of roles; some callers are far busier than others. */
function callerOf(random: number): Caller {
  const busy = (((random >>> 8) & 0xffff) / 0x10000) ** 2
  if (random % 3 === 0) return { kind: 'user', number: Math.floor(busy * users), session: 0 }
  const number = Math.floor(busy * roles)
  return { kind: 'role', number, session: (random >>> 4) % sessionsOfRole }
}

/** A caller uses eight of all keys, some of which many use. */
function keyOf({ kind, number }: Caller, random: number): number {
  const which = Math.floor(((random & 0xffff) / 0x10000) ** 3 * 8)
  const own = mixed((kind === 'user' ? 0 : 8 * users) + number * 8 + which)
  return Math.floor((own / 0x100000000) ** 3 * keys)
}

function identityOf({ kind, number, session }: Caller, time: number): object {
  if (kind === 'user') {
    const id = idOf('AIDA', number)
    return {
      type: 'IAMUser',
      principalId: id,
      arn: `arn:aws:iam::${account}:user/${userName(number)}`,
      accountId: account,
      accessKeyId: idOf('AKIA', number),
      userName: userName(number),
    }
  }
  const name = `i-${session.toString(16).padStart(17, '0')}`
  const id = idOf('AROA', number)
  return {
    type: 'AssumedRole',
    principalId: `${id}:${name}`,
    arn: `arn:aws:sts::${account}:assumed-role/application-${number}/${name}`,
    accountId: account,
    // Sessions have new credentials every six hours.
    accessKeyId: idOf(
      'ASIA',
      (number * sessionsOfRole + session) * 10_000 + Math.floor(time / 21_600_000),
    ),
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: id,
        arn: `arn:aws:iam::${account}:role/application-${number}`,
        accountId: account,
        userName: `application-${number}`,
      },
      attributes: { creationDate: '2026-01-01T00:00:00Z', mfaAuthenticated: 'false' },
    },
  }
}

function idOf(prefix: string, number: number): string {
  return prefix + createHash('sha256').update(`${number}`).digest('hex').slice(0, 17).toUpperCase()
}

function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The finalizer of MurmurHash3: numbers that look random and are the same in every run. */
function mixed(value: number): number {
  let hash = Math.imul((value % 0x100000000) ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
