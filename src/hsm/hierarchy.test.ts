import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Hierarchy } from './hierarchy.ts'
import type { Material } from './port.ts'
import {
  failure,
  keyName,
  multiRegionKey,
  otherAccount,
  otherKey,
  otherRegion,
  quickCost,
  region,
  temporaryDirectory,
} from './testing/fixtures.ts'

const clock = { now: () => 1_700_000_000_000 }
/** When the older domain keys may go, if the last one was made at `clock`. */
const later = { now: () => clock.now() + 60_000 }
const materialId = 'ab'.repeat(32)

function open(directory: string, passphrase?: string, at = clock): Hierarchy {
  const given = passphrase === undefined ? undefined : Buffer.from(passphrase)
  return Hierarchy.open(directory, { passphrase: given, cost: quickCost }, at)
}

function withMaterial(t: TestContext) {
  const directory = temporaryDirectory(t)
  const hierarchy = open(directory)
  hierarchy.ensureRegion(region)
  const material = randomBytes(32)
  return {
    directory,
    hierarchy,
    material,
    wrapped: hierarchy.wrapMaterial(keyName(), materialId, material),
  }
}

function edit(directory: string, change: (content: ReturnType<typeof JSON.parse>) => void): void {
  const path = join(directory, 'hierarchy.json')
  const content = JSON.parse(readFileSync(path, 'utf8'))
  change(content)
  rmSync(path)
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 })
}

test('the first start makes root and hierarchy, mode 0600, and leaves nothing else', (t) => {
  const directory = temporaryDirectory(t)
  open(directory)
  assert.deepEqual(readdirSync(directory).sort(), ['hierarchy.json', 'root.key'])
  assert.equal(statSync(join(directory, 'hierarchy.json')).mode & 0o777, 0o600)
})

test('material opens again, also after a restart, and only where it belongs', (t) => {
  const { directory, hierarchy, material, wrapped } = withMaterial(t)
  hierarchy.ensureRegion(otherRegion)
  assert.deepEqual(hierarchy.unwrapMaterial(wrapped), material)
  const again = open(directory)
  assert.deepEqual(again.unwrapMaterial(wrapped), material)
  const elsewhere: Partial<Material>[] = [
    { keyId: otherKey },
    { keyId: multiRegionKey },
    { account: otherAccount },
    { region: otherRegion },
    { materialId: 'ac'.repeat(32) },
    { generation: 2 },
    { wrapped: `${wrapped.wrapped} ` },
    { wrapped: '' },
  ]
  for (const change of elsewhere) {
    for (const each of [hierarchy, again]) {
      assert.throws(
        () => each.unwrapMaterial({ ...wrapped, ...change }),
        failure('key-unavailable'),
        JSON.stringify(change),
      )
    }
  }
})

test('material may be wrapped for another region, and is then the same', (t) => {
  const { hierarchy, material, wrapped } = withMaterial(t)
  hierarchy.ensureRegion(otherRegion)
  const replica = hierarchy.wrapMaterial(keyName({ region: otherRegion }), materialId, material)
  assert.deepEqual(hierarchy.unwrapMaterial(replica), hierarchy.unwrapMaterial(wrapped))
  assert.throws(
    () => hierarchy.unwrapMaterial({ ...replica, wrapped: wrapped.wrapped }),
    failure('key-unavailable'),
  )
})

test('a region without keys has no material', (t) => {
  const hierarchy = open(temporaryDirectory(t))
  const wrap = () => hierarchy.wrapMaterial(keyName(), materialId, randomBytes(32))
  assert.throws(wrap, failure('key-unavailable'))
  assert.throws(() => hierarchy.rotate(region), failure('internal'))
  assert.throws(() => hierarchy.retire(region, 1), failure('internal'))
})

test('rotation makes a new active generation; the older still open', (t) => {
  const { hierarchy, material, wrapped } = withMaterial(t)
  assert.equal(hierarchy.rotate(region), 2)
  assert.deepEqual(hierarchy.status(), {
    rootDriver: 'file',
    regions: [{ region, activeGeneration: 2, generations: [1, 2], activeSince: 1_700_000_000_000 }],
  })
  assert.deepEqual(hierarchy.unwrapMaterial(wrapped), material)
  assert.equal(hierarchy.wrapMaterial(keyName(), materialId, material).generation, 2)
})

test('retirement destroys older generations, for good, and spares the active one', (t) => {
  const { directory, hierarchy, material, wrapped } = withMaterial(t)
  hierarchy.rotate(region)
  hierarchy.rotate(region)
  const current = hierarchy.wrapMaterial(keyName(), materialId, material)
  const aged = open(directory, undefined, later)
  assert.throws(() => aged.retire(region, 4), failure('internal'))
  assert.deepEqual(hierarchy.status().regions[0]?.generations, [1, 2, 3])
  aged.retire(region, 3)
  assert.deepEqual(hierarchy.status().regions[0]?.generations, [3])
  for (const each of [hierarchy, open(directory)]) {
    assert.throws(() => each.unwrapMaterial(wrapped), failure('key-unavailable'))
    assert.deepEqual(each.unwrapMaterial(current), material)
  }
  hierarchy.retire(region, 3)
  assert.equal(hierarchy.rotate(region), 4)
})

test('no generation is destroyed while the active one is younger than a minute', (t) => {
  const { directory, hierarchy, material, wrapped } = withMaterial(t)
  let now = clock.now()
  const ageing = open(directory, undefined, { now: () => now })
  assert.equal(ageing.rotate(region), 2)
  for (const at of [now, now + 59_999, now - 3_600_000]) {
    now = at
    assert.throws(() => ageing.retire(region, 2), failure('internal'))
    ageing.retire(region, 1)
    assert.deepEqual(hierarchy.status().regions[0]?.generations, [1, 2])
    now = clock.now()
  }
  assert.deepEqual(hierarchy.unwrapMaterial(wrapped), material)
  now += 60_000
  ageing.retire(region, 2)
  assert.deepEqual(hierarchy.status().regions[0]?.generations, [2])
})

test('two processes over one folder see each other and lose nothing', (t) => {
  const { directory, hierarchy: first, material, wrapped } = withMaterial(t)
  const second = open(directory)
  second.ensureRegion(otherRegion)
  assert.equal(first.rotate(region), 2)
  const made = second.wrapMaterial(keyName(), materialId, material)
  assert.equal(made.generation, 2)
  assert.equal(second.rotate(region), 3)
  const newest = second.wrapMaterial(keyName(), materialId, material)
  assert.deepEqual(first.unwrapMaterial(newest), material)
  first.ensureRegion(otherRegion)
  assert.equal(first.status().regions.length, 2)
  open(directory, undefined, later).retire(region, 2)
  second.status()
  assert.throws(() => second.unwrapMaterial(wrapped), failure('key-unavailable'))
})

test('a wrong passphrase, a missing one and one too many are refused', (t) => {
  const withPassphrase = temporaryDirectory(t)
  const withFile = temporaryDirectory(t)
  open(withPassphrase, 'right')
  open(withFile)
  assert.equal(open(withPassphrase, 'right').status().rootDriver, 'passphrase')
  const refused = (message: string) => ({ name: 'StartRefused', message })
  assert.throws(
    () => open(withPassphrase, 'wrong'),
    refused('The passphrase does not open this key hierarchy.'),
  )
  assert.throws(
    () => open(withPassphrase),
    refused('This key hierarchy needs the passphrase it was made with, and none was given.'),
  )
  assert.throws(
    () => open(withFile, 'right'),
    refused('A passphrase was given, but the root of this key hierarchy is a key file.'),
  )
  assert.deepEqual(readdirSync(withFile).sort(), ['hierarchy.json', 'root.key'])
})

test('a hierarchy without its root, with another root or with two is refused', (t) => {
  const directory = temporaryDirectory(t)
  open(directory)
  const rootKey = join(directory, 'root.key')
  writeFileSync(join(directory, 'root.json'), '{}')
  assert.throws(() => open(directory), {
    message: 'There are two roots, root.key and root.json; only one can be right.',
  })
  rmSync(join(directory, 'root.json'))
  writeFileSync(rootKey, randomBytes(32))
  assert.throws(() => open(directory), {
    name: 'StartRefused',
    message: 'The root (file) does not open this key hierarchy.',
  })
  rmSync(rootKey)
  assert.throws(() => open(directory), {
    name: 'StartRefused',
    message: 'There is a hierarchy.json, but the root that opens it is missing.',
  })
  assert.deepEqual(readdirSync(directory), ['hierarchy.json'])
})

test('a damaged hierarchy is refused, not replaced', (t) => {
  const { directory } = withMaterial(t)
  const path = join(directory, 'hierarchy.json')
  const whole = readFileSync(path, 'utf8')
  for (const text of [
    '',
    '{}',
    whole.slice(0, -40),
    whole.replace('"version": 1', '"version": 2'),
    whole.replace(region, 'US'),
  ]) {
    writeFileSync(path, text)
    assert.throws(() => open(directory), {
      name: 'StartRefused',
      message: 'hierarchy.json is damaged.',
    })
    assert.equal(readFileSync(path, 'utf8'), text)
  }
})

test('nothing in the file opens in another place', (t) => {
  const setUp = () => {
    const made = withMaterial(t)
    made.hierarchy.ensureRegion(otherRegion)
    made.hierarchy.rotate(region)
    return made
  }
  const swaps: ((content: ReturnType<typeof JSON.parse>) => void)[] = [
    ({ regions }) => {
      regions[region].regionKey = regions[otherRegion].regionKey
    },
    ({ regions }) => {
      regions[region].domainKeys = regions[otherRegion].domainKeys
    },
    ({ regions }) => {
      const [first, second] = regions[region].domainKeys
      first.wrapped = second.wrapped
    },
    ({ regions }) => {
      regions[region].domainKeys[0].createdAt += 1
    },
    ({ regions }) => {
      regions[region] = regions[otherRegion]
    },
  ]
  for (const swap of swaps) {
    const { directory, wrapped } = setUp()
    edit(directory, swap)
    assert.throws(
      () => open(directory).unwrapMaterial(wrapped),
      failure('key-unavailable'),
      String(swap),
    )
  }
  const { directory } = setUp()
  edit(directory, (content) => {
    content.secretsKey = content.checkpointKey
  })
  assert.throws(() => open(directory), { name: 'StartRefused' })
})

test('an interrupted first start leaves what the next one can use', (t) => {
  const directory = temporaryDirectory(t)
  open(directory)
  rmSync(join(directory, 'hierarchy.json'))
  writeFileSync(join(directory, 'hierarchy.json.0011223344556677.tmp'), '{"version"')
  open(directory).ensureRegion(region)
  assert.deepEqual(readdirSync(directory).sort(), ['hierarchy.json', 'root.key'])
})
