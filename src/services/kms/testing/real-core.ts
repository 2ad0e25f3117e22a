import { after, type TestContext } from 'node:test'
import { newCore } from '../../../hsm/testing/fixtures.ts'
import type { KeyRecord } from '../key.ts'
import { TestKms } from './test-kms.ts'

/** KMS over the real key core, which lives as long as the tests of the file: RSA keys take their time. */
export function kmsOverRealCore(): TestKms {
  const file = { after } as unknown as TestContext
  return new TestKms({}, { hsm: newCore(file) })
}

/** A function that makes one key of each kind, at the first time that it is asked for. */
export function keysOf(kms: TestKms): (keySpec: string, keyUsage: string) => Promise<KeyRecord> {
  const keys = new Map<string, Promise<KeyRecord>>()
  return (KeySpec, KeyUsage) => {
    const kind = `${KeySpec} ${KeyUsage}`
    const key = keys.get(kind) ?? kms.key({ KeySpec, KeyUsage })
    keys.set(kind, key)
    return key
  }
}
