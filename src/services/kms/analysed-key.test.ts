import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyFacts } from '../../authorize/analyse/key-facts.ts'
import { keyPermissions } from '../../authorize/analyse/permissions.ts'
import { keyWith } from '../../authorize/analyse/test-world.ts'
import { conditionKeyOf } from '../../authorize/condition-keys.ts'
import { foldKey } from '../../authorize/conditions/folded-names.ts'
import { conditionKeysOf } from '../../authorize/permission-condition-keys.ts'
import { kmsOperations } from './operations/table.ts'

const key = keyWith([{ Effect: 'Allow', Principal: '*' }], {
  ...{ keySpec: 'SYMMETRIC_DEFAULT', aliases: ['alias/a'], multiRegion: 'PRIMARY' as const },
})
/** Of the key and its caller: known to an analysis, not open. */
const known = [
  ...['kms:CallerAccount', 'kms:CustomerMasterKeySpec', 'kms:CustomerMasterKeyUsage'],
  ...['kms:KeyOrigin', 'kms:KeySpec', 'kms:KeyUsage', 'kms:MultiRegion', 'kms:MultiRegionKeyType'],
  ...['kms:ResourceAliases', 'aws:ResourceAccount', 'aws:ResourceTag/*'],
]
/** Never present: requests that would bring them are refused. */
const refused = ['kms:RecipientAttestation:*']

test('an analysis leaves open what requests on a key can bring, and takes the rest as absent', () => {
  for (const { name } of keyPermissions) {
    const brought = new Set(conditionKeysOf(`kms:${name}`, 'key'))
    const every = new Set(
      keyPermissions.flatMap((each) => conditionKeysOf(`kms:${each.name}`, 'key')),
    )
    for (const each of every) {
      if (known.includes(each) || refused.includes(each)) continue
      assert.ok(conditionKeyOf(each.replace('*', 'x')) !== undefined, each)
      const facts = keyFacts(foldKey(each.replace('*', 'x')), name, key, [
        's3.eu-west-1.amazonaws.com',
      ])
      const present = facts !== 'absent'
      assert.equal(present, brought.has(each), `${each} of ${name}`)
    }
  }
})

test('an analysis knows every permission that an operation asks of a key', () => {
  const names = new Set(keyPermissions.map(({ name }) => name))
  const others = [...kmsOperations.keys()].filter((name) => !names.has(name))
  assert.deepEqual(others.sort(), [
    ...['ConnectCustomKeyStore', 'CreateCustomKeyStore', 'CreateKey', 'DeleteCustomKeyStore'],
    ...['DescribeCustomKeyStores', 'DisconnectCustomKeyStore', 'GenerateRandom', 'ListAliases'],
    ...['ListKeys', 'ListRetirableGrants', 'ReEncrypt', 'RetireGrant', 'UpdateCustomKeyStore'],
  ])
})
