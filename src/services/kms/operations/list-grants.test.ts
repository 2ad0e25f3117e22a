import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf, type KeyRecord } from '../key.ts'
import {
  account,
  otherAccount,
  otherRegion,
  rootOf,
  type Setting,
  TestKms,
} from '../testing/test-kms.ts'

const user = (name: string, owner = account) => `arn:aws:iam::${owner}:user/${name}`
const Operations = ['Decrypt']
const absentGrant = 'f'.repeat(64)

type Page = { readonly ids: string[]; readonly next: string | undefined; readonly cut: unknown }

async function world() {
  const kms = new TestKms()
  const key = await kms.key()
  const create = async (input: object, on: KeyRecord = key, setting?: Setting) => {
    const request = { KeyId: arnOf(on), GranteePrincipal: user('a'), Operations, ...input }
    return String((await kms.ok('CreateGrant', request, setting))['GrantId'])
  }
  const page = async (operation: string, input: object, setting?: Setting): Promise<Page> => {
    const { Grants, NextMarker, Truncated } = await kms.ok(operation, input, setting)
    const ids = (Grants as { GrantId: string }[]).map(({ GrantId }) => GrantId)
    return { ids, next: NextMarker as string | undefined, cut: Truncated }
  }
  /** All pages of a list. */
  const pages = async (operation: string, input: object): Promise<string[][]> => {
    const found: string[][] = []
    for (let Marker: string | undefined; ; ) {
      const { ids, next, cut } = await page(operation, { ...input, Marker })
      found.push(ids)
      assert.equal(cut, next !== undefined)
      if (next === undefined) return found
      Marker = next
    }
  }
  return { kms, key, create, page, pages }
}

test('ListGrants refuses what cannot be listed', async () => {
  const { kms, key, create } = await world()
  await create({})
  const { keyId: KeyId } = key
  const cases: [object, string, RegExp][] = [
    [{ KeyId: 'nonsense' }, 'not-found', /^Invalid keyId/],
    [{ KeyId: 'arn:aws:s3:::bucket' }, 'invalid-arn', /^Invalid arn/],
    [{ KeyId, GrantId: 'nonsense' }, 'invalid-grant-id', /^The specified grant ID is not valid.$/],
    [{ KeyId: 'nonsense', GrantId: 'nonsense' }, 'invalid-grant-id', /./],
    [{ KeyId, Marker: 'nonsense' }, 'invalid-marker', /./],
    [
      { KeyId, GranteeServicePrincipal: 'storage.example.amazonaws.com' },
      'validation',
      /^GranteeServicePrincipal can be specified by services alone.$/,
    ],
  ]
  for (const [input, code, text] of cases) {
    const [failed, message] = await kms.fails('ListGrants', input)
    assert.equal(failed, code, JSON.stringify(input))
    assert.match(message ?? '', text)
  }
})

test('ListGrants lists the grants of one key, by pages', async () => {
  const { kms, key, create, page, pages } = await world()
  const other = await kms.key()
  assert.deepEqual(await page('ListGrants', { KeyId: key.keyId }), {
    ids: [],
    next: undefined,
    cut: false,
  })
  await create({}, other)
  const ids: string[] = []
  for (let n = 0; n < 120; n++) {
    ids.push(await create({ GranteePrincipal: user(`${n % 7}`) }))
  }
  const found = await pages('ListGrants', { KeyId: key.keyId })
  assert.deepEqual(
    found.map(({ length }) => length),
    [50, 50, 20],
  )
  assert.deepEqual(found.flat().sort(), ids.sort())
  assert.equal((await page('ListGrants', { KeyId: key.keyId, Limit: 1000 })).ids.length, 120)
  const small = await pages('ListGrants', { KeyId: key.keyId, Limit: 7 })
  assert.deepEqual(small.flat(), found.flat())
})

test('pages neither repeat nor skip what stays while others come and go', async () => {
  const { kms, key, create, page } = await world()
  const { keyId: KeyId } = key
  const stay: string[] = []
  for (let n = 0; n < 30; n++) stay.push(await create({ GranteePrincipal: user(`stays-${n}`) }))
  const seen: string[] = []
  for (let Marker: string | undefined, n = 0; ; n++) {
    const { ids, next } = await page('ListGrants', { KeyId, Limit: 4, Marker })
    seen.push(...ids)
    if (next === undefined) break
    Marker = next
    const comes = await create({ GranteePrincipal: user(`stays-${n}-comes`) })
    if (n % 2 === 0) await kms.ok('RevokeGrant', { KeyId, GrantId: comes })
    else {
      const last = ids.at(-1) ?? ''
      if (!stay.includes(last)) await kms.ok('RevokeGrant', { KeyId, GrantId: last })
    }
  }
  assert.equal(new Set(seen).size, seen.length)
  assert.deepEqual(
    stay.filter((id) => !seen.includes(id)),
    [],
  )
})

test('a marker is good for its own list alone', async () => {
  const { kms, key, create, page } = await world()
  const other = await kms.key()
  for (let n = 0; n < 4; n++) {
    await create({ RetiringPrincipal: user('r') })
    await create({}, other)
  }
  const { next: Marker } = await page('ListGrants', { KeyId: key.keyId, Limit: 2 })
  assert.ok(Marker)
  const elsewhere: [string, object][] = [
    ['ListGrants', { KeyId: other.keyId }],
    ['ListGrants', { KeyId: key.keyId, GranteePrincipal: user('a') }],
    ['ListGrants', { KeyId: key.keyId, GrantId: absentGrant }],
    ['ListRetirableGrants', { RetiringPrincipal: user('r') }],
    ['ListKeys', {}],
  ]
  for (const [operation, input] of elsewhere) {
    assert.equal((await kms.fails(operation, { ...input, Marker }))[0], 'invalid-marker')
  }
  assert.equal((await page('ListGrants', { KeyId: key.keyId, Marker })).ids.length, 2)
})

test('the filters of ListGrants narrow each other', async () => {
  const { kms, key, create, page, pages } = await world()
  const { keyId: KeyId } = key
  const a: string[] = []
  for (let n = 0; n < 5; n++) a.push(await create({ GranteePrincipal: user('a') }))
  const ab = await create({ GranteePrincipal: user('ab') })
  const elsewhere = await create({}, await kms.key())
  const service = 'storage.example.amazonaws.com'
  await create({
    GranteePrincipal: undefined,
    GranteeServicePrincipal: service,
    RetiringServicePrincipal: service,
    Constraints: { SourceArn: `arn:aws:ec2:us-east-1:${account}:volume/vol-1` },
  })
  const cases: [object, string[]][] = [
    [{ GranteePrincipal: user('a') }, a],
    [{ GranteePrincipal: user('ab') }, [ab]],
    [{ GranteePrincipal: user('none') }, []],
    [{ GranteePrincipal: service }, []],
    [{ GrantId: ab }, [ab]],
    [{ GrantId: ab, GranteePrincipal: user('ab') }, [ab]],
    [{ GrantId: ab, GranteePrincipal: user('a') }, []],
    [{ GrantId: absentGrant }, []],
    [{ GrantId: elsewhere }, []],
  ]
  for (const [input, expected] of cases) {
    const { ids } = await page('ListGrants', { KeyId, ...input })
    assert.deepEqual(ids.sort(), expected.sort(), JSON.stringify(input))
  }
  const byTwo = await pages('ListGrants', { KeyId, GranteePrincipal: user('a'), Limit: 2 })
  assert.deepEqual(
    byTwo.map(({ length }) => length),
    [2, 2, 1],
  )
  assert.deepEqual(byTwo.flat().sort(), a)
})

test('ListGrants is open to other accounts, and asks for its permission', async () => {
  const { kms, key, create } = await world()
  const id = await create({})
  const { output, checks, recorded } = await kms.call(
    'ListGrants',
    { KeyId: arnOf(key), GrantId: id, Limit: 3 },
    { caller: rootOf(otherAccount) },
  )
  assert.equal((output as { Grants?: unknown[] }).Grants?.length, 1)
  assert.equal(checks.length, 1)
  const [check] = checks
  assert.equal(check?.permission, 'kms:ListGrants')
  assert.ok(check.resource.type === 'key' && check.resource.crossAccount)
  assert.equal(check.conditions['kms:GrantIsForAWSResource'], 'false')
  assert.equal(check.conditions['kms:CallerAccount'], otherAccount)
  assert.deepEqual(JSON.parse(JSON.stringify(recorded)), {
    request: { keyId: arnOf(key), grantId: id, limit: 3 },
    response: null,
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key) }],
  })
})

test('ListRetirableGrants refuses what is no principal', async () => {
  const { kms } = await world()
  const service = 'storage.example.amazonaws.com'
  const either = 'Specify either RetiringPrincipal or RetiringServicePrincipal, and not both.'
  const cases: [object, string, string][] = [
    [{}, 'validation', either],
    [{ RetiringPrincipal: user('a'), RetiringServicePrincipal: service }, 'validation', either],
    [
      { RetiringServicePrincipal: service },
      'validation',
      'RetiringServicePrincipal can be specified by services alone.',
    ],
    [
      { RetiringPrincipal: 'alice' },
      'invalid-arn',
      'ARN does not refer to a valid principal: alice',
    ],
    [{ RetiringPrincipal: user('a'), Marker: 'x' }, 'invalid-marker', 'The marker is not valid.'],
  ]
  for (const [input, ...refusal] of cases) {
    assert.deepEqual(await kms.fails('ListRetirableGrants', input), refusal)
  }
})

test('ListRetirableGrants lists what one may retire, on keys of every account of the Region', async () => {
  const { kms, key, create, page, pages } = await world()
  const retirer = user('retirer')
  const strange = { caller: rootOf(otherAccount) }
  const ofOther = await kms.key({}, strange)
  const there = await kms.key({}, { region: otherRegion })
  const ids: string[] = []
  for (let n = 0; n < 60; n++) ids.push(await create({ RetiringPrincipal: retirer }))
  ids.push(await create({ RetiringPrincipal: retirer }, ofOther, strange))
  await create({ RetiringPrincipal: retirer }, there, { region: otherRegion })
  await create({ GranteePrincipal: retirer })
  await create({ RetiringPrincipal: user('retirer2') })
  const request = { RetiringPrincipal: retirer }
  const found = await pages('ListRetirableGrants', request)
  assert.deepEqual(
    found.map(({ length }) => length),
    [50, 11],
  )
  assert.deepEqual(found.flat().sort(), ids.sort())
  const elsewhere = await page('ListRetirableGrants', request, { region: otherRegion })
  assert.equal(elsewhere.ids.length, 1)
  await kms.commit([kms.state.removeKey(kms.record(key.keyId))])
  const left = await pages('ListRetirableGrants', request)
  assert.deepEqual(
    left.flat(),
    [ids.at(-1)].filter((id) => left.flat().includes(id ?? '')),
  )
  const { Grants } = await kms.ok('ListRetirableGrants', { ...request, Limit: 1000 })
  assert.deepEqual(
    (Grants as { KeyId: string }[]).map(({ KeyId }) => KeyId),
    [arnOf(ofOther)],
  )
})

test('the permission of ListRetirableGrants is about the principal', async () => {
  const { kms } = await world()
  for (const owner of [account, otherAccount]) {
    const arn = user('a', owner)
    const { checks, recorded } = await kms.call('ListRetirableGrants', { RetiringPrincipal: arn })
    assert.deepEqual(checks, [
      {
        permission: 'kms:ListRetirableGrants',
        resource: { type: 'identity', arn, account: owner },
        conditions: {},
      },
    ])
    assert.deepEqual(recorded.request?.['retiringPrincipal'], arn)
    assert.equal(recorded.resources, undefined)
  }
})
