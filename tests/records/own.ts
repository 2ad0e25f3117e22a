import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { systemRandom } from '../../src/base/random.ts'
import { wrapForImport } from '../../src/hsm/testing/importing.ts'
import { operatorCommands } from '../../src/operator/commands.ts'
import { otherAccount, turns } from '../../src/testing/house.ts'
import { deleteDueKeys } from '../../src/upkeep/key-deletion.ts'
import { rotateDueKeys } from '../../src/upkeep/key-rotation.ts'
import { deleteExpiredMaterial } from '../../src/upkeep/material-expiry.ts'
import { Stage } from './stage.ts'

const dayMs = 86_400_000

/** What the service does by the clock, what the operator does, and requests that nobody signed. */
export async function ownRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'own')
  await byTheClock(stage)
  await byTheOperator(stage)
  await byNobody(stage)
  return stage
}

async function byTheClock(stage: Stage): Promise<void> {
  const { house } = stage
  const { regions, clock } = house
  const deps = { ...house, regions, random: systemRandom }
  const ends = await house.newKey()
  await house.ok('ScheduleKeyDeletion', { KeyId: ends, PendingWindowInDays: 7 })
  await imported(stage)
  clock.time += 2 * 3_600_000
  await stage.happening('DeleteExpiredKeyMaterial', () => deleteExpiredMaterial(deps))
  clock.time += 8 * dayMs
  await stage.happening('DeleteKey', () => deleteDueKeys(deps))
  const rotates = await house.newKey()
  await house.ok('EnableKeyRotation', { KeyId: rotates, RotationPeriodInDays: 90 })
  clock.time += 91 * dayMs
  await stage.happening('RotateKey', () => rotateDueKeys(deps))
}

async function imported({ house }: Stage): Promise<void> {
  const KeyId = await house.newKey({ Origin: 'EXTERNAL' })
  const WrappingAlgorithm = 'RSAES_OAEP_SHA_256'
  const wrapping = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }
  const { PublicKey, ImportToken } = await house.ok('GetParametersForImport', wrapping)
  const publicKey = Buffer.from(String(PublicKey), 'base64')
  const encrypted = wrapForImport(WrappingAlgorithm, publicKey, randomBytes(32))
  await house.ok('ImportKeyMaterial', {
    ...{ KeyId, ImportToken, EncryptedKeyMaterial: encrypted.toString('base64') },
    ValidTo: house.clock.now() / 1000 + 3600,
  })
}

async function byTheOperator(stage: Stage): Promise<void> {
  const { house } = stage
  const commands = operatorCommands({
    ...house,
    ...house.tables,
    domainKeys: { rewrap: async () => 0 } as never,
    random: systemRandom,
    endpoint: () => undefined,
    keys: () => 0,
    exports: { status: () => [] },
    runDirectory: '/nowhere',
  })
  const act = (name: string, command: string, input: object) =>
    stage.happening(name, async () => {
      await commands[command]?.({ operator: 'mona', ...input }, () => {})
    })
  await act('operator CreateAccount', 'account-create', { account: '777788889999' })
  await act('operator RotateDomainKey', 'domain-key-rotate', { region: house.regions[0] })
  const quota = { name: 'requests/cryptographic-rsa', value: 5, account: otherAccount }
  await act('operator SetQuota', 'quota-set', quota)
  await act('operator UnsetQuota', 'quota-unset', quota)
}

/** Counted: one record for each source and kind. */
async function byNobody(stage: Stage): Promise<void> {
  const { house } = stage
  const key = { accessKeyId: house.key.accessKeyId, secretAccessKey: 'w'.repeat(40) }
  await stage.happening('RefusedUnauthenticated', async () => {
    for (let count = 0; count < 3; count++) await house.call('ListKeys', {}, { key })
    await turns()
    await house.refusals.flush()
  })
}
