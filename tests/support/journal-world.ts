import { sign } from 'node:crypto'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryKind } from '../../src/base/entry-kind.ts'
import { JournalEngine } from '../../src/journal/engine.ts'
import { nodeFiles } from '../../src/journal/node-files.ts'
import {
  layOut,
  privateKey,
  publicKey,
  writeCheckpoint,
} from '../../src/journal/testing/fixtures.ts'

/** What the key core does with its key, for one who has come to hold that key. */
export const keyHolder = Object.assign((text: Buffer) => sign(null, text, privateKey), {
  publicKey,
})

/** An id that follows from its number. */
export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** An event of a usual size. */
export function eventText(number: number, eventName = 'Encrypt'): string {
  const key = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAQWERTYUIOPASDFGHJ',
      arn: 'arn:aws:iam::111122223333:user/alice',
      accountId: '111122223333',
      accessKeyId: 'AKIAQWERTYUIOPASDFGH',
      userName: 'alice',
    },
    eventTime: new Date(1_790_000_000_000 + number * 1000).toISOString().replace(/\.\d+Z/, 'Z'),
    eventSource: 'kms.amazonaws.com',
    eventName,
    awsRegion: 'us-east-1',
    sourceIPAddress: '192.0.2.10',
    userAgent: 'aws-cli/2.15.30 Python/3.11.8 Linux/6.8 exe/x86_64 prompt/off command/kms.encrypt',
    requestParameters: {
      keyId: key,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: { n: String(number) },
    },
    responseElements: null,
    requestID: idOf(1_000_000 + number),
    eventID: idOf(number),
    readOnly: true,
    resources: [{ accountId: '111122223333', type: 'AWS::KMS::Key', ARN: key }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '111122223333',
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      clientProvidedHostHeader: 'kms.example.org',
    },
  })
}

/** A journal that is being written. */
export class WrittenJournal {
  readonly directory: string
  readonly engine: JournalEngine
  records = 0

  constructor(data: string, node = 'main', segmentBytes = 16 * 1024, epoch = 0) {
    this.directory = node === 'root-log' ? join(data, node) : join(data, 'journal', node)
    mkdirSync(this.directory, { recursive: true })
    const newOrigin = `kagiban/${node}/${idOf(epoch)}`
    const { directory } = this
    this.engine = new JournalEngine(nodeFiles, { directory, newOrigin, publicKey, segmentBytes })
    this.records = this.engine.size
  }

  batch(count: number, eventName?: string): void {
    const numbers = Array.from({ length: count }, (_, at) => this.records + at)
    this.append(numbers.map((number) => eventText(number, eventName)))
  }

  append(texts: readonly string[], kind: EntryKind = 'event'): void {
    const buffer = layOut(texts, kind)
    this.engine.append(buffer, buffer.length)
    this.records += texts.length
  }

  checkpoint(): void {
    const fault = writeCheckpoint(this.engine)
    if (fault !== undefined) throw new Error(fault)
  }

  close(): void {
    this.engine.close()
  }
}

export function copyOf(data: string, to: string): string {
  cpSync(data, to, { recursive: true })
  return to
}
