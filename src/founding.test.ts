import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { AccountId, Region } from './base/ids.ts'
import { systemRandom } from './base/random.ts'
import type { FirstStart } from './config.ts'
import { checkUnchanged, foundDeployment } from './founding.ts'
import { newCore } from './hsm/testing/fixtures.ts'
import { Identities } from './identities/identities.ts'
import { Accounts, newAccessKey } from './operator/accounts.ts'
import { createMemoryStore } from './storage/memory/store.ts'
import { Mirror } from './storage/mirror.ts'

const nothing: FirstStart = {
  account: undefined,
  regions: undefined,
  rootAccessKeyId: undefined,
  rootSecretAccessKey: undefined,
}
const given: FirstStart = {
  account: '123456789012' as AccountId,
  regions: ['eu-central-1', 'us-east-1'] as Region[],
  rootAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  rootSecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const clock = { now: () => Date.UTC(2026, 4, 6) }

async function founded(t: TestContext, firstStart: FirstStart) {
  const hsm = newCore(t)
  const mirror = new Mirror(createMemoryStore())
  const identities = new Identities(mirror)
  const accounts = new Accounts(mirror, identities)
  const tables = { accounts, identities }
  await mirror.load()
  await checkUnchanged(firstStart, tables, hsm)
  const founding = await foundDeployment(firstStart, accounts, {
    hsm,
    clock,
    random: systemRandom,
  })
  await mirror.commit(founding.puts, [])
  const refused = (later: Partial<FirstStart>, message: string) =>
    assert.rejects(checkUnchanged({ ...nothing, ...later }, tables, hsm), {
      name: 'ConfigError',
      message,
    })
  const taken = (later: Partial<FirstStart>) =>
    checkUnchanged({ ...nothing, ...later }, tables, hsm)
  return { hsm, mirror, accounts, identities, founding, refused, taken }
}

describe('a first start', () => {
  test('without settings makes the default account and Region, and an access key that it shows', async (t) => {
    const { hsm, accounts, identities, founding } = await founded(t, nothing)
    assert.deepEqual(accounts.deployment, {
      account: '111122223333',
      regions: ['us-east-1'],
      createdAt: clock.now(),
    })
    assert.equal(founding.generated, true)
    assert.match(founding.accessKey.accessKeyId, /^AKIA[A-Z2-7]{16}$/)
    assert.ok(identities.accessKey(founding.accessKey.accessKeyId) !== undefined)
    const { regions } = await hsm.status()
    assert.deepEqual(
      regions.map(({ region }) => region),
      ['us-east-1'],
    )
  })

  test('keeps what it was given, and does not show the secret', async (t) => {
    const { hsm, accounts, identities, founding } = await founded(t, given)
    assert.deepEqual(accounts.deployment, {
      account: given.account,
      regions: given.regions,
      createdAt: clock.now(),
    })
    assert.equal(founding.generated, false)
    assert.ok(identities.accessKey('AKIAIOSFODNN7EXAMPLE') !== undefined)
    assert.equal((await hsm.status()).regions.length, 2)
  })

  test('is recorded, without the secret', async (t) => {
    const { founding } = await founded(t, given)
    const event = JSON.parse(founding.event.record) as Record<string, unknown>
    assert.equal(event['eventID'], founding.event.id)
    assert.equal(event['eventName'], 'CreateDeployment')
    assert.equal(event['eventTime'], '2026-05-06T00:00:00Z')
    assert.equal(event['awsRegion'], 'eu-central-1', 'home is the first Region')
    assert.equal(event['recipientAccountId'], '123456789012')
    assert.deepEqual(event['serviceEventDetails'], {
      account: '123456789012',
      regions: ['eu-central-1', 'us-east-1'],
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    })
    const written = founding.event.record + JSON.stringify(founding.puts)
    assert.ok(!written.includes('wJalrXUtnFEMI'))
  })
})

describe('a later start', () => {
  test('takes the same settings, or none', async (t) => {
    const { taken } = await founded(t, given)
    await taken({})
    await taken(given)
  })

  test('refuses another account, and says how to add one unless it was added', async (t) => {
    const { mirror, accounts, hsm, refused } = await founded(t, given)
    const account = '999999999999' as AccountId
    await refused(
      { account },
      'KAGIBAN_ACCOUNT is 999999999999, but this data folder was made for 123456789012. ' +
        'It counts at the first start only; "kagiban account create 999999999999" adds an account.',
    )
    await mirror.commit(await accounts.create(account, newAccessKey(systemRandom), 0, hsm), [])
    await refused(
      { account },
      'KAGIBAN_ACCOUNT is 999999999999, but this data folder was made for 123456789012. ' +
        'It counts at the first start only; that account was added to it.',
    )
  })

  test('refuses other Regions, fewer, and another order of them', async (t) => {
    const { refused } = await founded(t, given)
    const others = [['us-east-1'], ['us-east-1', 'eu-central-1'], ['eu-central-1']] as Region[][]
    for (const regions of others) {
      await refused(
        { regions },
        `KAGIBAN_REGIONS is ${regions.join(',')}, but this data folder was made for ` +
          'eu-central-1,us-east-1. It counts at the first start only.',
      )
    }
  })

  test('refuses another access key, and another secret for the one there is', async (t) => {
    const { refused } = await founded(t, given)
    const message =
      'KAGIBAN_ROOT_ACCESS_KEY_ID and KAGIBAN_ROOT_SECRET_ACCESS_KEY are no access key of this data folder. ' +
      'They count at the first start only.'
    await refused({ ...given, rootAccessKeyId: 'AKIAANOTHERONEXAMPLE' }, message)
    await refused({ ...given, rootSecretAccessKey: `${given.rootSecretAccessKey}x` }, message)
  })
})
