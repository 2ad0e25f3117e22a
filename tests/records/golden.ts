import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cloudTrailRecords } from './cloudtrail.ts'
import { configRecords } from './config.ts'
import { iamRecords } from './iam.ts'
import { kmsRecords } from './kms.ts'
import { ownRecords } from './own.ts'
import { s3BucketsRecords } from './s3-buckets.ts'
import { s3ListingsRecords } from './s3-listings.ts'
import { s3ObjectsRecords } from './s3-objects.ts'
import { s3UploadsRecords } from './s3-uploads.ts'
import type { Records, Stage } from './stage.ts'
import { stsRecords } from './sts.ts'

/** By the name of the service and of its file; those of S3 are in groups. */
export const makers: Readonly<Record<string, (t: TestContext) => Promise<Stage>>> = {
  kms: kmsRecords,
  sts: stsRecords,
  iam: iamRecords,
  cloudtrail: cloudTrailRecords,
  config: configRecords,
  's3-buckets': s3BucketsRecords,
  's3-listings': s3ListingsRecords,
  's3-objects': s3ObjectsRecords,
  's3-uploads': s3UploadsRecords,
  own: ownRecords,
}

export function goldenRecords(service: string): Records {
  const path = pathOf(service)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}

export function writeGolden(service: string, records: Records): void {
  writeFileSync(pathOf(service), `${JSON.stringify(records, undefined, 1)}\n`)
}

function pathOf(service: string): string {
  return join(import.meta.dirname, 'golden', `${service}.json`)
}
