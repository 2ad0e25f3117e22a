import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Region } from '../../base/ids.ts'
import {
  type AccountId,
  type KeyId,
  parseAccountId,
  parseKeyId,
  parseRegion,
} from '../../base/ids.ts'
import type { HsmClient } from '../client.ts'
import type { ScryptCost } from '../drivers/passphrase.ts'
import { createInProcessCore, type InProcessOptions } from '../in-process.ts'
import type { KeySpec } from '../key-specs.ts'
import type { KeyName, Material, NewMaterial } from '../port.ts'

/** Enough to show that the parameters are used, and quick. */
export const quickCost: ScryptCost = { N: 16, r: 8, p: 1 }

/** An empty folder with mode 0700 that goes when the test ends. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-hsm-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function newCore(
  t: TestContext,
  options: InProcessOptions & { directory?: string } = {},
): HsmClient {
  const client = createInProcessCore(options.directory ?? temporaryDirectory(t), options)
  t.after(() => client.close())
  return client
}

/** A core for all tests of a file. `remove` ends it, and takes its folder with it. */
export function newDeploymentCore(options: InProcessOptions = {}): {
  readonly client: HsmClient
  remove(): void
} {
  const directory = mkdtempSync(join(tmpdir(), 'kagiban-hsm-'))
  const client = createInProcessCore(directory, options)
  const remove = () => {
    client.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { client, remove }
}

export const region = must(parseRegion('us-east-1'))
export const otherRegion = must(parseRegion('eu-central-1'))
export const account = must(parseAccountId('111122223333'))
export const otherAccount = must(parseAccountId('444455556666'))
export const uuidKey = must(parseKeyId('1234abcd-12ab-34cd-56ef-1234567890ab'))
export const otherKey = must(parseKeyId('0987dcba-09fe-87dc-65ba-ab0987654321'))
export const multiRegionKey = must(parseKeyId('mrk-1234abcd12ab34cd56ef1234567890ab'))

export function keyName(
  parts: { region?: Region; account?: AccountId; keyId?: KeyId } = {},
): KeyName {
  return { region, account, keyId: uuidKey, ...parts }
}

/** Of SYMMETRIC_DEFAULT unless another spec is given. */
export async function newMaterial(
  hsm: { createMaterial(name: KeyName, spec: KeySpec): NewMaterial | Promise<NewMaterial> },
  name = keyName(),
  spec: KeySpec = 'SYMMETRIC_DEFAULT',
): Promise<Material> {
  const { material } = await hsm.createMaterial(name, spec)
  return material
}

/** What `assert.throws` and `assert.rejects` compare a ServiceError with. */
export function failure(code: string): { name: string; code: string } {
  return { name: 'ServiceError', code }
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a fixture is not what it says')
  return value
}
