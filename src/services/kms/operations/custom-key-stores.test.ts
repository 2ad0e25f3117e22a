import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestKms } from '../testing/test-kms.ts'

const storeId = 'cks-1234567890abcdef0'
const cluster = {
  CustomKeyStoreName: 'store',
  CloudHsmClusterId: 'cluster-1a23b4cdefg',
  TrustAnchorCertificate: 'certificate',
  KeyStorePassword: 'kmsPswd-canary',
}
const proxy = {
  CustomKeyStoreName: 'store',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyUriEndpoint: 'https://proxy.example.com',
  XksProxyUriPath: '/kms/xks/v1',
  XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyAuthenticationCredential: {
    AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
    RawSecretAccessKey: 'canary/'.repeat(7),
  },
}

test('an account without custom key stores lists none', async () => {
  const kms = new TestKms()
  const { output, checks } = await kms.call('DescribeCustomKeyStores', {})
  assert.deepEqual(output, { CustomKeyStores: [], Truncated: false })
  assert.deepEqual(
    checks.map(({ permission, resource }) => [permission, resource.arn]),
    [['kms:DescribeCustomKeyStores', '*']],
  )
})

test('whatever is asked of a store that does not exist says so', async () => {
  const kms = new TestKms()
  const unknown = ['custom-key-store-not-found', `Custom key store ${storeId} does not exist.`]
  for (const name of [
    'ConnectCustomKeyStore',
    'DeleteCustomKeyStore',
    'DescribeCustomKeyStores',
    'DisconnectCustomKeyStore',
    'UpdateCustomKeyStore',
  ]) {
    assert.deepEqual(await kms.fails(name, { CustomKeyStoreId: storeId }), unknown, name)
  }
  const [code] = await kms.fails('DescribeCustomKeyStores', { CustomKeyStoreName: 'store' })
  assert.equal(code, 'custom-key-store-not-found')
})

test('a description is asked for by id or by name, and by a marker that was given', async () => {
  const kms = new TestKms()
  const both = { CustomKeyStoreId: storeId, CustomKeyStoreName: 'store' }
  assert.equal((await kms.fails('DescribeCustomKeyStores', both))[0], 'validation')
  const [code] = await kms.fails('DescribeCustomKeyStores', { Marker: 'made up' })
  assert.equal(code, 'invalid-marker')
})

test('a new store fails at the cluster or the proxy that is not there', async () => {
  const kms = new TestKms()
  const [forCluster] = await kms.fails('CreateCustomKeyStore', cluster)
  assert.equal(forCluster, 'cloud-hsm-cluster-not-found')
  const [forProxy] = await kms.fails('CreateCustomKeyStore', proxy)
  assert.equal(forProxy, 'xks-proxy-unreachable')
  assert.doesNotMatch(kms.records.join(), /canary/)
})

test('a new store needs the members of its type and no other', async () => {
  const kms = new TestKms()
  for (const [complete, members] of [
    [cluster, ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword']],
    [proxy, ['XksProxyUriEndpoint', 'XksProxyUriPath', 'XksProxyConnectivity']],
  ] as const) {
    for (const member of members) {
      const [code] = await kms.fails('CreateCustomKeyStore', { ...complete, [member]: undefined })
      assert.equal(code, 'validation', member)
    }
  }
  const mixed = { ...cluster, XksProxyUriPath: '/kms/xks/v1' }
  assert.equal((await kms.fails('CreateCustomKeyStore', mixed))[0], 'validation')
})
