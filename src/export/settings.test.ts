import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { temporaryDirectory } from '../journal/testing/fixtures.ts'
import { parseExportSettings, readExportSettings } from './settings.ts'

const data = '/var/lib/kagiban'
const parse = (...exports: object[]) => parseExportSettings(JSON.stringify({ exports }), data)
const file = { name: 'a', type: 'file', directory: '/var/log/kagiban' }
const webhook = { name: 'b', type: 'webhook', url: 'https://siem.example/in', secretFile: '/run/s' }
const syslog = { name: 'c', type: 'syslog', host: 'logs.example' }

describe('the settings of exports', () => {
  test('have defaults', () => {
    const common = { kinds: ['event'], from: 'beginning' }
    assert.deepEqual(parse(file, webhook, syslog), [
      { ...common, ...file, maxFileBytes: 104_857_600 },
      { ...common, ...webhook, caFile: undefined },
      {
        ...{ ...common, ...syslog, port: 6514, transport: 'tls', caFile: undefined },
        ...{ maxMessageBytes: 65_536, hostname: undefined },
      },
    ])
    const [plain] = parse({ ...syslog, transport: 'tcp' })
    assert.equal(plain?.type === 'syslog' && plain.port, 601)
    assert.deepEqual(parseExportSettings('{"exports":[]}', data), [])
  })

  const wrong: readonly (readonly [name: string, object, RegExp])[] = [
    ['no type', { name: 'a' }, /^exports\[0\]\.type: has to be one of: file, webhook, syslog$/],
    ['an unknown type', { ...file, type: 'kafka' }, /^exports\[0\]\.type: has to be one of/],
    [
      'a misspelt member',
      { ...file, maxBytes: 5 },
      /^exports\[0\]\.maxBytes: there is no such setting$/,
    ],
    [
      'another type’s member',
      { ...file, url: 'https://x' },
      /^exports\[0\]\.url: there is no such setting$/,
    ],
    ['no name', { ...file, name: undefined }, /^exports\[0\]\.name: is missing$/],
    ['a name that is a path', { ...file, name: '../a' }, /^exports\[0\]\.name: has to be a text/],
    [
      'a relative path',
      { ...file, directory: 'log' },
      /^exports\[0\]\.directory: has to be an absolute/,
    ],
    [
      'a path of any file',
      { ...file, directory: '/var/*' },
      /^exports\[0\]\.directory: .* without asterisks$/,
    ],
    [
      'the data folder',
      { ...file, directory: data },
      /^exports\[0\]\.directory: must not be in the data folder$/,
    ],
    ['a part of it', { ...file, directory: `${data}/hsm/x` }, /must not be in the data folder$/],
    [
      'a text for a number',
      { ...file, maxFileBytes: '5' },
      /^exports\[0\]\.maxFileBytes: has to be a whole/,
    ],
    [
      'files of nothing',
      { ...file, maxFileBytes: 0 },
      /^exports\[0\]\.maxFileBytes: .* from 1048576 to/,
    ],
    [
      'kinds that there are not',
      { ...file, kinds: ['checkpoint'] },
      /^exports\[0\]\.kinds: has to be a list/,
    ],
    ['no kinds', { ...file, kinds: [] }, /^exports\[0\]\.kinds/],
    [
      'a URL without TLS',
      { ...webhook, url: 'http://siem.example' },
      /^exports\[0\]\.url: has to begin with https/,
    ],
    [
      'a password in a URL',
      { ...webhook, url: 'https://a:b@c' },
      /^exports\[0\]\.url: must not hold a user/,
    ],
    ['no URL', { ...webhook, url: 'siem' }, /^exports\[0\]\.url: has to be a URL$/],
    ['no secret', { ...webhook, secretFile: undefined }, /^exports\[0\]\.secretFile: is missing$/],
    [
      'a secret in the file',
      { ...webhook, secret: 'x' },
      /^exports\[0\]\.secret: there is no such setting$/,
    ],
    [
      'UDP',
      { ...syslog, transport: 'udp' },
      /^exports\[0\]\.transport: has to be one of: tls, tcp$/,
    ],
    [
      'authorities without TLS',
      { ...syslog, transport: 'tcp', caFile: '/c' },
      /^exports\[0\]\.caFile: is for/,
    ],
    [
      'messages too small',
      { ...syslog, maxMessageBytes: 480 },
      /^exports\[0\]\.maxMessageBytes: .* from 2048/,
    ],
    ['a host with a space', { ...syslog, host: 'a b' }, /^exports\[0\]\.host: has to be a text/],
  ]
  for (const [name, given, expected] of wrong) {
    test(`are refused with their place: ${name}`, () => {
      assert.throws(() => parse(given), { name: 'SettingsError', message: expected })
    })
  }

  test('are refused as a whole', () => {
    const refused = (text: string, message: RegExp) =>
      assert.throws(() => parseExportSettings(text, data), { name: 'SettingsError', message })
    refused('{', /^it is no JSON: /)
    refused('[]', /^the file: has to be an object$/)
    refused('{}', /^exports: has to be a list$/)
    refused('{"exports":[1]}', /^exports\[0\]: has to be an object$/)
    refused('{"exports":[],"more":1}', /^the file\.more: there is no such setting$/)
    assert.throws(
      () => parse(file, { ...syslog, name: 'a' }),
      /^SettingsError: exports\[1\]\.name: 'a' is the name of/,
    )
    assert.throws(
      () => parse(...Array.from({ length: 17 }, (_, at) => ({ ...file, name: `f${at}` }))),
      /16 are the most/,
    )
  })

  test('name files that can be read, and a secret that is one', (t) => {
    const folder = temporaryDirectory(t)
    const path = join(folder, 'exports.json')
    const secretFile = join(folder, 'secret')
    const read = () => readExportSettings(path, data)
    assert.throws(read, /^SettingsError: the file: .*exports\.json cannot be read: ENOENT$/)
    writeFileSync(path, JSON.stringify({ exports: [{ ...webhook, secretFile }] }))
    assert.throws(
      read,
      /^SettingsError: exports\[0\]\.secretFile: .*secret cannot be read: ENOENT$/,
    )
    writeFileSync(secretFile, `${'x'.repeat(15)}\n`)
    assert.throws(read, /secretFile: the secret has 15 bytes; it has to have 16 at the least$/)
    writeFileSync(secretFile, `${'x'.repeat(16)}\n`)
    assert.equal(read().length, 1)
  })
})
