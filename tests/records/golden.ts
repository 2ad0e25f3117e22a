import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cloudTrailRecords } from './cloudtrail.ts'
import { configRecords } from './config.ts'
import { iamRecords } from './iam.ts'
import { kmsRecords } from './kms.ts'
import { ownRecords } from './own.ts'
import type { Records, Stage } from './stage.ts'
import { stsRecords } from './sts.ts'

/** By the name of the service and of its file. */
export const makers: Readonly<Record<string, (t: TestContext) => Promise<Stage>>> = {
  kms: kmsRecords,
  sts: stsRecords,
  iam: iamRecords,
  cloudtrail: cloudTrailRecords,
  config: configRecords,
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
