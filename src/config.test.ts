import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Environment,
  operatorConfig,
  parseListen,
  readConfig,
  startHelp,
  startOptions,
} from './config.ts'
import { upstreamSecret } from './config-objects.ts'

const secret = 'a secret of 16 …'

function read(argv: readonly string[] = [], env: Environment = {}) {
  const config = readConfig(argv, env)
  assert.ok(config !== undefined)
  return config
}

function refused(argv: readonly string[], env: Environment, message: string | RegExp): void {
  assert.throws(() => readConfig(argv, env), { name: 'ConfigError', message })
}

describe('the configuration', () => {
  test('has a default for everything', () => {
    assert.deepEqual(read(), {
      dataDir: resolve('data'),
      listen: { host: '127.0.0.1', port: 7781 },
      tls: undefined,
      insecurePlaintext: false,
      node: 'main',
      segmentBytes: 64 * 1024 * 1024,
      domainKeyHours: 24,
      s3Hosts: ['localhost', 's3.localhost'],
      trailDeliverySeconds: 300,
      trailDigestSeconds: 3600,
      passphrase: undefined,
      firstStart: {
        account: undefined,
        regions: undefined,
        rootAccessKeyId: undefined,
        rootSecretAccessKey: undefined,
      },
    })
  })

  test('takes every option', () => {
    const argv = [
      ...['--data', 'some/folder', '--listen', '0.0.0.0:443'],
      ...['--tls-cert', 'c.pem', '--tls-key', '/k.pem', '--insecure-plaintext'],
      ...['--node', 'two-2', '--domain-key-hours', '1', '--root-passphrase-file', 'p'],
    ]
    const { firstStart, segmentBytes, ...config } = read(argv)
    assert.deepEqual(config, {
      dataDir: resolve('some/folder'),
      listen: { host: '0.0.0.0', port: 443 },
      tls: { certFile: resolve('c.pem'), keyFile: '/k.pem' },
      insecurePlaintext: true,
      node: 'two-2',
      domainKeyHours: 1,
      s3Hosts: ['localhost', 's3.localhost'],
      trailDeliverySeconds: 300,
      trailDigestSeconds: 3600,
      passphrase: { file: resolve('p') },
    })
    assert.deepEqual(read(['--root-passphrase-fd', '3']).passphrase, { fd: 3 })
  })

  test('takes every variable', () => {
    const config = read([], {
      KAGIBAN_DATA: '/srv/keys',
      KAGIBAN_LISTEN: 'localhost:0',
      KAGIBAN_TLS_CERT: '/c.pem',
      KAGIBAN_TLS_KEY: '/k.pem',
      KAGIBAN_ACCOUNT: '123456789012',
      KAGIBAN_REGIONS: 'eu-central-1, us-west-2',
      KAGIBAN_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      KAGIBAN_ROOT_SECRET_ACCESS_KEY: secret,
      KAGIBAN_AUDIT_SEGMENT_BYTES: '65536',
      KAGIBAN_UNKNOWN: 'is not ours',
    })
    assert.equal(config.dataDir, '/srv/keys')
    assert.deepEqual(config.listen, { host: 'localhost', port: 0 })
    assert.deepEqual(config.tls, { certFile: '/c.pem', keyFile: '/k.pem' })
    assert.equal(config.segmentBytes, 65536)
    assert.deepEqual(config.firstStart, {
      account: '123456789012',
      regions: ['eu-central-1', 'us-west-2'],
      rootAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      rootSecretAccessKey: secret,
    })
  })

  test('an option wins over its variable', () => {
    const env = {
      KAGIBAN_DATA: '/env',
      KAGIBAN_LISTEN: '127.0.0.1:1',
      KAGIBAN_TLS_CERT: '/env.c',
      KAGIBAN_TLS_KEY: '/env.k',
    }
    const argv = ['--data=/option', '--listen=127.0.0.1:2', '--tls-cert=/option.c']
    const { dataDir, listen, tls } = read(argv, env)
    assert.equal(dataDir, '/option')
    assert.equal(listen?.port, 2)
    assert.deepEqual(tls, { certFile: '/option.c', keyFile: '/env.k' })
  })

  test('a variable that is set to nothing is not set', () => {
    const names = [...startHelp.matchAll(/KAGIBAN_\w+/g)].map(([name]) => name)
    assert.equal(new Set(names).size, 23)
    const env = Object.fromEntries(names.map((name) => [name, '']))
    assert.deepEqual(read([], env), read())
  })

  test('help is asked for in either spelling, and names every option', () => {
    assert.equal(readConfig(['--help'], {}), undefined)
    assert.equal(readConfig(['-h'], {}), undefined)
    for (const name of Object.keys(startOptions)) assert.ok(startHelp.includes(`--${name}`), name)
  })
})

describe('a setting that cannot be is refused with what would do', () => {
  test('options that do not exist, lack their value, or are no options', () => {
    refused(['--nope'], {}, /^Unknown option '--nope'[\s\S]*See --help\.$/)
    refused(['--data'], {}, /^Option '--data <value>' argument missing.*\nSee --help\.$/)
    refused(['--insecure-plaintext=yes'], {}, /does not take an argument.*\nSee --help\.$/)
    refused(['folder'], {}, /^Unexpected argument 'folder'.*\nSee --help\.$/)
    for (const [name, { type }] of Object.entries(startOptions)) {
      if (type === 'string') refused([`--${name}=`], {}, `--${name} is empty.\nSee --help.`)
    }
  })

  test('half of TLS', () => {
    const message = 'TLS needs both --tls-cert and --tls-key.'
    refused(['--tls-cert', 'c'], {}, message)
    refused([], { KAGIBAN_TLS_KEY: 'k' }, message)
  })

  test('two places of the passphrase, or a descriptor that is none', () => {
    refused(
      ['--root-passphrase-file', 'p', '--root-passphrase-fd', '3'],
      {},
      'Give --root-passphrase-file or --root-passphrase-fd, not both.',
    )
    for (const bad of ['three', '-1', '1.5', '0x3', ' 3', '1'.repeat(16)]) {
      refused(
        [`--root-passphrase-fd=${bad}`],
        {},
        `--root-passphrase-fd '${bad}' is no whole number.`,
      )
    }
  })

  test('hours that are no number, or none', () => {
    refused(['--domain-key-hours', '1h'], {}, "--domain-key-hours '1h' is no whole number.")
    refused(
      ['--domain-key-hours', '0'],
      {},
      '--domain-key-hours is 0; it has to be 1 at the least.',
    )
  })

  test('names of a node that could be paths', () => {
    for (const bad of ['Main', '../x', 'a/b', '-a', 'a'.repeat(33), 'a.b', 'ü']) {
      refused(
        [`--node=${bad}`],
        {},
        `--node '${bad}': up to 32 lower-case letters, digits and dashes.`,
      )
    }
    assert.equal(read(['--node', 'a'.repeat(32)]).node, 'a'.repeat(32))
  })

  test('accounts and Regions', () => {
    refused(
      [],
      { KAGIBAN_ACCOUNT: '12345678901' },
      "KAGIBAN_ACCOUNT '12345678901' is not twelve digits.",
    )
    refused([], { KAGIBAN_REGIONS: 'us-east-1,here' }, "KAGIBAN_REGIONS: 'here' is no Region.")
    refused([], { KAGIBAN_REGIONS: 'us-east-1,' }, "KAGIBAN_REGIONS: '' is no Region.")
    refused(
      [],
      { KAGIBAN_REGIONS: 'us-east-1, us-east-1' },
      'KAGIBAN_REGIONS names a Region twice.',
    )
  })

  test('Regions of other partitions, whose ARNs would be wrong', () => {
    const others = [
      ...['us-gov-west-1', 'cn-north-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1'],
      ...['us-isof-south-1', 'eusc-de-east-1'],
    ]
    for (const other of others) {
      refused(
        [],
        { KAGIBAN_REGIONS: `us-east-1,${other}` },
        `KAGIBAN_REGIONS: '${other}' is of another partition; every ARN here is of the partition 'aws'.`,
      )
    }
  })

  test('half of an access key, or one of another form', () => {
    const both =
      'KAGIBAN_ROOT_ACCESS_KEY_ID and KAGIBAN_ROOT_SECRET_ACCESS_KEY go together: give both or neither.'
    const id = 'AKIAIOSFODNN7EXAMPLE'
    refused([], { KAGIBAN_ROOT_ACCESS_KEY_ID: id }, both)
    refused([], { KAGIBAN_ROOT_SECRET_ACCESS_KEY: secret }, both)
    refused([], { KAGIBAN_ROOT_ACCESS_KEY_ID: id, KAGIBAN_ROOT_SECRET_ACCESS_KEY: '' }, both)
    for (const bad of ['AKIASHORT', 'A'.repeat(129), 'AKIA/OSFODNN7EXAMPLE', `${id}\n`]) {
      refused(
        [],
        { KAGIBAN_ROOT_ACCESS_KEY_ID: bad, KAGIBAN_ROOT_SECRET_ACCESS_KEY: secret },
        'KAGIBAN_ROOT_ACCESS_KEY_ID: 16 to 128 letters, digits and underscores.',
      )
    }
    refused(
      [],
      {
        KAGIBAN_ROOT_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
        KAGIBAN_ROOT_SECRET_ACCESS_KEY: secret,
      },
      'KAGIBAN_ROOT_ACCESS_KEY_ID begins with ASIA, as temporary access keys do: without a session token it could not sign.',
    )
    for (const bad of ['too short', 's'.repeat(129)]) {
      refused(
        [],
        { KAGIBAN_ROOT_ACCESS_KEY_ID: id, KAGIBAN_ROOT_SECRET_ACCESS_KEY: bad },
        'KAGIBAN_ROOT_SECRET_ACCESS_KEY: 16 to 128 characters.',
      )
    }
  })
})

describe('the size of a segment', () => {
  const name = 'KAGIBAN_AUDIT_SEGMENT_BYTES'
  const sizeOf = (text: string) => read([], { [name]: text }).segmentBytes

  test('is rounded up to 4 KiB, from 16 KiB to 1 GiB', () => {
    const sizes = ['0', '1', '16384', '16385', '20480', '100000', '1073741824'].map(sizeOf)
    assert.deepEqual(sizes, [16384, 16384, 16384, 20480, 20480, 102400, 1073741824])
  })

  test('is always one that the journal takes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1073741824 }), (bytes) => {
        const size = sizeOf(String(bytes))
        assert.ok(size >= bytes && size % 4096 === 0 && size >= 16384 && size <= 1073741824)
        assert.ok(size < bytes + 4096 || size === 16384)
      }),
    )
  })

  test('beyond that is refused, for the operator’s commands too', () => {
    const tooLarge = `${name} is 1073741825; it can be 1073741824 at the most.`
    refused([], { [name]: '1073741825' }, tooLarge)
    refused([], { [name]: '64M' }, `${name} '64M' is no whole number.`)
    assert.throws(() => operatorConfig('/d', { [name]: '1073741825' }, {}), { message: tooLarge })
  })
})

describe('an address to listen at', () => {
  test('is a host and a port; an IPv6 host stands in brackets', () => {
    const cases: readonly [string, string, number][] = [
      ['127.0.0.1:7781', '127.0.0.1', 7781],
      ['localhost:0', 'localhost', 0],
      ['kms.example.com:65535', 'kms.example.com', 65535],
      ['[::1]:443', '::1', 443],
      ['[::]:443', '::', 443],
      ['[2001:DB8::192.0.2.1]:8443', '2001:DB8::192.0.2.1', 8443],
    ]
    for (const [text, host, port] of cases) assert.deepEqual(parseListen(text), { host, port })
  })

  test('and nothing else', () => {
    const bad = [
      ...['', ':', '7781', ':7781', 'localhost', 'localhost:', 'localhost:http', '::1:443'],
      ...['[::1]', '[::1]443', '[]:1', '[::1:443', 'a:65536', 'a:-1', 'a:1 ', 'a:123456'],
      ...['[g::]:1', 'a:b:1', '[::1]]:1'],
    ]
    for (const text of bad) {
      assert.throws(
        () => parseListen(text),
        {
          name: 'ConfigError',
          message: `'${text}' is no address to listen at: give HOST:PORT, as in 127.0.0.1:7781.`,
        },
        text,
      )
    }
  })
})

test('an operator’s command starts the service without a listener and founds nothing', () => {
  const env = {
    KAGIBAN_LISTEN: '0.0.0.0:1',
    KAGIBAN_ACCOUNT: '123456789012',
    KAGIBAN_AUDIT_SEGMENT_BYTES: '16384',
  }
  const options = { node: 'two', passphraseFd: '4' }
  const { firstStart, ...config } = operatorConfig('folder', env, options)
  assert.deepEqual(config, {
    dataDir: resolve('folder'),
    listen: undefined,
    tls: undefined,
    insecurePlaintext: false,
    node: 'two',
    segmentBytes: 16384,
    domainKeyHours: 24,
    s3Hosts: ['localhost', 's3.localhost'],
    trailDeliverySeconds: 300,
    trailDigestSeconds: 3600,
    passphrase: { fd: 4 },
  })
  assert.ok(Object.values(firstStart).every((value) => value === undefined))
  assert.equal(operatorConfig('folder', {}, {}).node, 'main')
  assert.throws(() => operatorConfig('f', {}, { node: '../f' }), { name: 'ConfigError' })
})

test('how often trails are delivered to', () => {
  const intervals = (env: Record<string, string>) => {
    const { trailDeliverySeconds, trailDigestSeconds } = readConfig([], env) ?? {}
    return [trailDeliverySeconds, trailDigestSeconds]
  }
  const delivery = 'KAGIBAN_TRAIL_DELIVERY_SECONDS'
  const digest = 'KAGIBAN_TRAIL_DIGEST_SECONDS'
  assert.deepEqual(intervals({}), [300, 3600])
  assert.deepEqual(intervals({ [delivery]: '1', [digest]: '86400' }), [1, 86_400])
  for (const name of [delivery, digest]) {
    for (const value of ['0', '86401', '-1', '5m']) {
      assert.throws(() => intervals({ [name]: value }), { name: 'ConfigError' })
    }
  }
})

describe('where objects are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-'))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  after(() => rmSync(folder, { recursive: true }))
  const given: Environment = {
    KAGIBAN_OBJECTS: 's3',
    KAGIBAN_OBJECTS_ENDPOINT: 'https://rgw.example:7480',
    KAGIBAN_OBJECTS_BUCKET: 'bodies',
    KAGIBAN_OBJECTS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    KAGIBAN_OBJECTS_SECRET_FILE: file('secret', 'a secret\n'),
  }

  test('in the data folder, or in a bucket of another engine', () => {
    assert.equal(read([], { KAGIBAN_OBJECTS: 'files' }).upstream, undefined)
    const upstream = {
      endpoint: 'https://rgw.example:7480',
      region: 'us-east-1',
      bucket: 'bodies',
      prefix: '',
      accessKeyId: 'AKIAEXAMPLE',
      secretFile: join(folder, 'secret'),
    }
    assert.deepEqual(read([], given).upstream, upstream)
    const secret = upstreamSecret(upstream)
    assert.equal(secret.toString(), 'a secret')
    assert.deepEqual(operatorConfig('data', given, {}).upstream, upstream)
    const all = {
      ...given,
      KAGIBAN_OBJECTS_PREFIX: 'kagiban/',
      KAGIBAN_OBJECTS_REGION: 'eu-west-1',
      KAGIBAN_OBJECTS_CA_FILE: file('ca.pem', ''),
    }
    const more = { prefix: 'kagiban/', region: 'eu-west-1', caFile: join(folder, 'ca.pem') }
    assert.deepEqual(read([], all).upstream, { ...upstream, ...more })
  })

  const wrong: readonly [change: Environment, message: RegExp][] = [
    [{ KAGIBAN_OBJECTS: 'ceph' }, /^KAGIBAN_OBJECTS is 'ceph'; it can be 'files' or 's3'\.$/],
    [
      { KAGIBAN_OBJECTS: '' },
      /^KAGIBAN_OBJECTS_ENDPOINT is given, but KAGIBAN_OBJECTS is not 's3'/,
    ],
    [{ KAGIBAN_OBJECTS_BUCKET: '' }, /^KAGIBAN_OBJECTS is 's3', and KAGIBAN_OBJECTS_BUCKET is not/],
    [{ KAGIBAN_OBJECTS_SECRET_FILE: '' }, /KAGIBAN_OBJECTS_SECRET_FILE is not given\.$/],
    [{ KAGIBAN_OBJECTS_ENDPOINT: 'rgw' }, /^KAGIBAN_OBJECTS: 'rgw' is no URL of an S3 engine\.$/],
    [{ KAGIBAN_OBJECTS_ENDPOINT: 'http://rgw.example' }, /is not encrypted/],
    [{ KAGIBAN_OBJECTS_BUCKET: 'a/b' }, /^KAGIBAN_OBJECTS: 'a\/b' is no name of a bucket\.$/],
    [{ KAGIBAN_OBJECTS_PREFIX: '/a' }, /^KAGIBAN_OBJECTS: '\/a' is no prefix of names\.$/],
    [{ KAGIBAN_OBJECTS_ACCESS_KEY_ID: 'a/b' }, /^KAGIBAN_OBJECTS: the access key id is none\.$/],
    [{ KAGIBAN_OBJECTS_CA_FILE: '/no/such/file' }, /^KAGIBAN_OBJECTS: ENOENT.*\/no\/such\/file/],
    [
      { KAGIBAN_OBJECTS_SECRET_FILE: '/no/such' },
      /^KAGIBAN_OBJECTS_SECRET_FILE: .* be read: ENOENT/,
    ],
    [{ KAGIBAN_OBJECTS_SECRET_FILE: file('empty', '\n') }, /SECRET_FILE: the file is empty\.$/],
    [
      { KAGIBAN_OBJECTS_SECRET_FILE: file('large', 'x'.repeat(4097)) },
      /is no secret access key\.$/,
    ],
  ]
  for (const [change, message] of wrong) {
    test(`refused: ${message}`, () => refused([], { ...given, ...change }, message))
  }
})
