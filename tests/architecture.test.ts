import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import {
  type Import,
  importsOf,
  isTestCode,
  repositoryFiles,
  repositoryTexts,
  type SourceFile,
  withoutComments,
} from './repository.ts'

/** What every service may build on: never another service. */
const forServices = [
  ...['base', 'wire', 'authorize', 'hsm contract', 'journal', 'storage', 'services'],
]
/** Services that are about the identities themselves. */
const forIdentityServices = [...forServices, 'identities', 'federation']

/**
 * Each room, and the rooms it may import besides itself. Imports go downhill: the upper lines are the lower rooms. The
 * folder of a room is its name; `roomOf` knows the exceptions.
 */
const rooms: Readonly<Record<string, readonly string[] | 'anything'>> = {
  base: [],
  authorize: ['base'],
  wire: ['base'],
  /** The port, the ciphertext format, the canonical encryption context: nothing in them holds a key. */
  'hsm contract': ['base'],
  hsm: ['base', 'hsm contract'],
  storage: ['base'],
  'storage adapters': ['base', 'storage'],
  journal: ['base'],
  /** The store of objects, and their encryption. */
  objects: ['base'],

  /** Users, groups, roles, their policies and access keys; the guardrails of the organisation; sessions. */
  identities: ['base', 'authorize', 'hsm contract', 'storage'],
  /** Tokens of OpenID providers. */
  federation: ['base', 'identities'],
  authenticate: ['base', 'wire', 'hsm contract', 'storage'],
  services: ['base', 'wire', 'storage'],
  'services/kms': forServices,
  'services/iam': forIdentityServices,
  'services/sts': forIdentityServices,
  'services/cloudtrail': forServices,
  'services/config': forServices,
  'services/s3': [...forServices, 'objects'],
  record: ['base', 'wire', 'journal', 'storage', 'authenticate', 'authorize', 'services'],
  /** Log files and digests, from the journal to the buckets of trails. */
  delivery: ['base', 'journal', 'storage', 'record', 'services', 'services/cloudtrail'],
  /** What resources are like after each change: configuration items, their history, what rules say of it. */
  configuration: [
    'services/s3',
    ...['base', 'authorize', 'identities', 'storage', 'journal', 'record', 'services'],
    ...['services/kms', 'services/cloudtrail', 'services/config', 'operator', 'upkeep'],
    'hsm contract',
  ],
  /** Reports for auditors: rows in, a report out; beside them the command that brings the rows. */
  reports: ['base', 'authorize', 'journal', 'record', 'operator'],
  /** The journal of this process, to files, webhooks and syslog. */
  export: ['base', 'journal'],
  upkeep: ['base', 'hsm contract', 'journal', 'storage', 'record', 'services', 'services/kms'],
  operator: [
    ...['base', 'wire', 'hsm contract', 'journal', 'storage'],
    ...['authenticate', 'authorize', 'identities', 'services', 'record', 'upkeep'],
  ],

  directory: ['base', 'wire', 'authenticate', 'services', 'record'],
  turns: [],
  throttle: ['base'],
  'request-throttle': ['base', 'operator', 'record', 'services/kms', 'throttle'],
  tables: [
    'delivery',
    ...['identities', 'operator', 'services/cloudtrail', 'services/iam', 'services/kms'],
    ...['services/sts', 'services/config', 'services/s3', 'storage', 'configuration'],
    'separation-guard',
  ],
  'trail-keys': ['base', 'services', 'services/cloudtrail', 'services/kms'],
  'key-policy-rules': ['authorize', 'identities', 'operator', 'services/kms'],
  'separation-guard': ['authorize', 'operator', 'services/kms', 'storage', 'turns'],
  'web-identity': [
    ...['base', 'wire', 'authenticate', 'federation', 'identities', 'record'],
    ...['services', 'services/sts'],
  ],
  'trail-buckets': [
    ...['base', 'authorize', 'wire', 'delivery', 'services', 'services/s3', 'inner-calls'],
  ],
  'trail-delivery': [...['base', 'config', 'record', 'delivery', 'services/cloudtrail', 'tables']],
  assembly: 'anything',
  analyses: ['operator', 'services/kms', 'assembly', 'tables'],
  reporting: [
    ...['base', 'hsm contract', 'objects', 'services/kms', 'services/s3', 'reports', 'assembly'],
    'tables',
  ],
  explanations: [
    ...['base', 'identities', 'operator', 'services/kms', 'services/s3', 'assembly', 'tables'],
  ],
  'mixed-duties': ['authorize', 'base', 'record'],
  deciding: ['authorize', 'base', 'record', 'services'],
  'inner-calls': ['base', 'deciding', 'outcome', 'record', 'services', 'wire'],
  outcome: ['base', 'journal', 'storage', 'services', 'record', 'turns'],
  pipeline: [
    ...['base', 'wire', 'storage', 'authenticate', 'authorize', 'services', 'record'],
    ...['deciding', 'directory', 'turns', 'outcome', 'mixed-duties'],
  ],
  listener: ['base', 'wire', 'pipeline'],
  /** A witness of other machines' logs. */
  witness: ['base', 'wire', 'journal', 'listener'],
  /** What becomes of the journals for others: tiles, the root log, its listener, its witnesses. */
  log: ['base', 'wire', 'hsm contract', 'journal', 'listener', 'witness'],

  'config-options': ['base'],
  'config-objects': ['objects'],
  config: ['base', 'config-options', 'config-objects', 'export', 'log'],
  'object-store': ['base', 'config', 'config-objects', 'objects'],
  entrance: ['base', 'config', 'listener'],
  founding: ['base', 'config', 'hsm contract', 'identities', 'storage', 'record', 'operator'],
  banner: ['base', 'config', 'operator', 'founding'],
  journals: ['base', 'config', 'hsm contract', 'journal'],
  engine: 'anything',
  service: 'anything',
  supervisor: ['base', 'config'],
  /** A restore looks into the copy that it brings back, with no service running. */
  cli: [
    ...['base', 'config', 'supervisor', 'operator', 'journal', 'storage', 'storage adapters'],
    ...['wire', 'identities', 'authorize', 'configuration', 'listener', 'witness', 'delivery'],
    'reports',
  ],
  main: ['cli'],
}

const disk = [
  ...['journal', 'objects', 'storage adapters', 'hsm', 'config', 'operator', 'listener', 'export'],
  ...['entrance', 'supervisor', 'cli', 'config-objects'],
]
const network = [
  ...['listener', 'operator', 'hsm', 'service', 'supervisor', 'federation', 'export', 'log'],
  // Bodies may be in an upstream S3.
  'objects',
  'cli',
]

/** Modules of Node that only some rooms may load. Types may be imported by all. */
const builtins: Readonly<Record<string, readonly string[]>> = {
  'node:fs': disk,
  'node:fs/promises': disk,
  'node:http': network,
  'node:https': network,
  'node:http2': [],
  'node:net': network,
  'node:tls': network,
  'node:dgram': [],
  'node:dns': [],
  'node:dns/promises': [],
  'node:sqlite': ['storage adapters', 'journal', 'objects', 'cli'],
  'node:child_process': ['supervisor', 'cli'],
  'node:vm': [],
}

/** The packages that the product depends on, and the one file that may load each (docs/decisions/0005). */
const packages: Readonly<Record<string, string>> = {
  '@noble/curves/ed25519.js': 'src/hsm/asymmetric/noble.ts',
  '@noble/post-quantum/ml-dsa.js': 'src/hsm/asymmetric/noble.ts',
  jose: 'src/federation/web-identity-token.ts',
}

/** Who may read the environment, or take it to hand it on to `config`. */
const readsEnvironment = ['config', 'main', 'supervisor', 'cli']

function roomOf(path: string): string | undefined {
  if (path.startsWith('cli/')) return 'cli'
  const [top, folder = '', second = ''] = path.split('/')
  if (top !== 'src') return undefined
  if (second === '') return folder.replace(/\.ts$/, '')
  if (folder === 'hsm')
    return /^(port|blob|context|key-specs)\b/.test(second) ? 'hsm contract' : 'hsm'
  if (folder === 'storage') return second.endsWith('.ts') ? 'storage' : 'storage adapters'
  if (folder === 'services') return second.endsWith('.ts') ? 'services' : `services/${second}`
  return folder
}

/** What is wrong with a file of the product, each as a sentence. */
function violations(file: SourceFile): string[] {
  const room = roomOf(file.path)
  const allowed = room === undefined ? undefined : rooms[room]
  if (room === undefined || allowed === undefined) {
    return [`${file.path} is in no known room: give '${room}' a line in the table of rooms`]
  }
  const code = withoutComments(file.text)
  const found = importsOf(file.text).flatMap((each) => importViolation(file.path, room, each))
  if (/\bimport\(\s*[^'"\s]/.test(code)) {
    found.push(`${file.path} imports a computed specifier: write it out`)
  }
  if (/\b(?:require|createRequire)\s*\(/.test(code)) {
    found.push(`${file.path} calls require: use import`)
  }
  if (/\bprocess\s*(?:\.|\[['"])env\b/.test(code) && !readsEnvironment.includes(room)) {
    found.push(`${file.path} reads the environment: let config.ts read it and pass the value in`)
  }
  return found
}

function importViolation(path: string, room: string, { specifier, typeOnly }: Import): string[] {
  if (!specifier.startsWith('.')) {
    if (!specifier.startsWith('node:')) {
      if (packages[specifier] === path) return []
      return [`${path} imports the package '${specifier}', which is not for it`]
    }
    if (specifier === 'node:test') return [`${path} imports ${specifier}: only tests do`]
    const may = builtins[specifier]
    if (may === undefined || may.includes(room) || typeOnly) return []
    return [`${path} imports '${specifier}', which is for ${may.join(', ') || 'nobody'}`]
  }
  const target = posix.join(posix.dirname(path), specifier)
  if (isTestCode({ path: target, text: '' })) return [`${path} imports test code, '${specifier}'`]
  const to = roomOf(target)
  const allowed = rooms[room] ?? []
  if (to === room || allowed === 'anything') return []
  if (to !== undefined && allowed.includes(to)) return []
  return [`${path} imports '${specifier}': '${room}' may not import '${to ?? target}'`]
}

describe('the rooms', () => {
  const paths = repositoryFiles().filter((path) => /^(?:src|cli)\/.*\.(?:ts|mjs)$/.test(path))
  const files = repositoryTexts(paths).filter((file) => !isTestCode(file))

  test('import downhill only', () => {
    assert.deepEqual(files.flatMap(violations), [])
  })

  test('were all visited', () => {
    assert.ok(files.length >= 200, `only ${files.length} files were visited`)
    const imports = files.flatMap(({ text }) => importsOf(text))
    assert.ok(imports.length >= 2 * files.length, `only ${imports.length} imports were seen`)
    const visited = new Set(files.map(({ path }) => roomOf(path)))
    const gone = Object.keys(rooms).filter((room) => !visited.has(room))
    assert.deepEqual(gone, [], 'rooms of the table that have no file')
  })

  test('depend on two packages, each for one file, also by package.json', () => {
    const [manifest] = repositoryTexts(['package.json'])
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(manifest?.text ?? '')
    const loaded = Object.keys(packages).map((each) => each.split('/').slice(0, 2).join('/'))
    assert.deepEqual(Object.keys(dependencies).sort(), [...new Set(loaded)].sort())
    const others = Object.keys(optionalDependencies).filter(
      (name) => !/^node-(?:bin-)?\w+-\w+$/.test(name),
    )
    assert.deepEqual(others, [], 'optional dependencies bring Node itself and nothing else')
  })
})

describe('a planted violation is found', () => {
  const planted: readonly [string, string, RegExp][] = [
    ['src/base/x.ts', `import { a } from '../wire/schema.ts'`, /'base' may not import 'wire'/],
    ['src/base/x.ts', `import type { A } from '../wire/schema.ts'`, /may not import 'wire'/],
    ['src/base/x.ts', `export * from '../wire/schema.ts'`, /may not import 'wire'/],
    ['src/base/x.ts', `import {\n  a,\n  b,\n} from '../hsm/core.ts'`, /may not import 'hsm'/],
    ['src/base/x.ts', `const a = await import('../wire/schema.ts')`, /may not import 'wire'/],
    ['src/base/x.ts', `const a = await import(name)`, /computed/],
    ['src/base/x.ts', `new URL('../journal/w.ts', import.meta.url)`, /may not import 'journal'/],
    ['src/authorize/x.ts', `import { a } from '../storage/port.ts'`, /may not import 'storage'/],
    ['src/services/kms/x.ts', `import { a } from '../sts/service.ts'`, /import 'services\/sts'/],
    ['src/services/kms/x.ts', `import { a } from '../../hsm/core.ts'`, /may not import 'hsm'/],
    ['src/pipeline.ts', `import { a } from './services/kms/service.ts'`, /import 'services\/kms'/],
    ['src/pipeline.ts', `import { a } from './storage/sqlite/store.ts'`, /'storage adapters'/],
    ['src/storage/mirror.ts', `import { a } from './sqlite/store.ts'`, /'storage adapters'/],
    ['src/operator/x.ts', `import { a } from '../listener/listener.ts'`, /import 'listener'/],
    ['src/main.ts', `import { a } from '../bench/main.ts'`, /may not import 'bench\/main.ts'/],
    ['src/engine.ts', `import { a } from './hsm/testing/child.ts'`, /test code/],
    ['src/wire/x.ts', `import { z } from 'zod'`, /package 'zod'/],
    ['src/wire/x.ts', `import 'zod'`, /package 'zod'/],
    [
      'src/hsm/core.ts',
      `import { ed25519ph } from '@noble/curves/ed25519.js'`,
      /package '@noble\/curves\/ed25519.js', which is not for it/,
    ],
    [
      'src/hsm/asymmetric/noble.ts',
      `import { p256 } from '@noble/curves/nist.js'`,
      /package '@noble\/curves\/nist.js'/,
    ],
    ['src/wire/x.ts', `import { readFileSync } from 'fs'`, /package 'fs'/],
    ['src/wire/x.ts', `import { connect } from 'node:net'`, /'node:net', which is for listener/],
    ['src/wire/x.ts', `import { readFileSync } from 'node:fs'`, /'node:fs', which is for/],
    ['src/record/x.ts', `const a = process.env['A']`, /environment/],
    ['src/record/x.ts', `const a = process['env']`, /environment/],
    ['src/record/x.ts', `const a = require('a')`, /calls require/],
    ['src/shelf/x.ts', '', /no known room/],
    ['src/shelf.ts', '', /no known room/],
  ]
  for (const [path, text, expected] of planted) {
    test(`${path}: ${text.replaceAll('\n', ' ')}`, () => {
      const found = violations({ path, text })
      assert.equal(found.length, 1, found.join('; '))
      assert.match(found[0] ?? '', expected)
    })
  }

  test('what is allowed is not taken for one', () => {
    const allowed: readonly [string, string][] = [
      ['src/wire/x.ts', `import { a } from '../base/ids.ts'\nimport { b } from './schema.ts'`],
      ['src/wire/x.ts', `import type { Socket } from 'node:net'`],
      [
        'src/wire/x.ts',
        `// import { a } from '../hsm/core.ts'\n/* process.env */\nexport const a = 'b'`,
      ],
      ['src/services/kms/x.ts', `import type { Hsm } from '../../hsm/port.ts'`],
      ['src/hsm/asymmetric/noble.ts', `import { ed25519ph } from '@noble/curves/ed25519.js'`],
      ['src/engine.ts', `import { a } from './storage/sqlite/store.ts'`],
      ['src/config.ts', 'export const a = process.env'],
    ]
    assert.deepEqual(
      allowed.flatMap(([path, text]) => violations({ path, text })),
      [],
    )
  })
})
