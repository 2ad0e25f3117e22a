import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { isTestCode, repositoryFiles, repositoryTexts, type SourceFile } from './repository.ts'

type Finding = { readonly at: string; readonly what: string }

/** A rule of the repository's own text: what it finds wrong, and what to do about it. */
type Rule = {
  readonly name: string
  readonly advice: string
  find(files: readonly SourceFile[]): readonly Finding[]
}

/** The words are put together so that this file does not break its own rules. */
const unfinished = [
  ['TO', 'DO'],
  ['FIX', 'ME'],
  ['X', 'XX'],
].map((parts) => parts.join(''))
const registries = [
  'registry.npm' + 'js.org',
  'registry.yarn' + 'pkg.com',
  'npm.pkg.git' + 'hub.com',
]
const unclearNames = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'manager',
  'managers',
  'common',
  'misc',
])

/** A string or template on one line, or what a regular expression is. */
const literal = /'[^']*'|"[^"]*"|`[^`]*`|\/(?:\\.|[^/\\])+\//g

const isTypeScript = ({ path }: SourceFile) => path.endsWith('.ts')
const isMarkdown = ({ path }: SourceFile) => path.endsWith('.md')
const isProduct = (file: SourceFile) => /^(?:src|cli)\//.test(file.path) && !isTestCode(file)

/** A rule that looks for one pattern in the lines of some files. */
function noLineLike(
  name: string,
  advice: string,
  pattern: RegExp,
  applies: (file: SourceFile) => boolean = () => true,
): Rule {
  const find = (files: readonly SourceFile[]) =>
    files.filter(applies).flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        const what = pattern.exec(line)?.[0]
        return what === undefined ? [] : [{ at: `${path}:${index + 1}`, what }]
      }),
    )
  return { name, advice, find }
}

const rules: readonly Rule[] = [
  {
    name: 'a file holds one idea',
    advice: 'split it: 350 lines are the most in src and cli, 700 in tests',
    find: (files) =>
      files.filter(isTypeScript).flatMap((file) => {
        const lines = file.text.split('\n').length - 1
        const most = isTestCode(file) ? 700 : 350
        return lines > most ? [{ at: file.path, what: `${lines} lines` }] : []
      }),
  },
  {
    name: 'a line fits the page',
    advice: 'break it: 120 columns are the most, not counting strings that cannot be broken',
    find: (files) =>
      files.filter(isTypeScript).flatMap(({ path, text }) =>
        text.split('\n').flatMap((line, index) => {
          const isComment = /^\s*(?:\/?\*|\/\/)/.test(line)
          const columns = [...(isComment ? line : line.replace(literal, ''))].length
          return columns > 120 ? [{ at: `${path}:${index + 1}`, what: `${columns} columns` }] : []
        }),
      ),
  },
  noLineLike(
    'every test runs',
    'remove it before you hand the work on',
    /\b(?:test|it|describe|suite)\.only\(|\bonly: true\b/,
    isTypeScript,
  ),
  noLineLike(
    'the product does not print',
    'log through what is passed in, or return the text; only the entry and the operator print',
    /\bconsole\.(?!error\b)\w+\(/,
    (file) => isProduct(file) && !/^(?:cli\/|src\/operator\/|src\/main\.ts$)/.test(file.path),
  ),
  noLineLike(
    'rooms do not write to standard error',
    'throw, or log through what is passed in; only the processes themselves complain there',
    /\bconsole\.error\(/,
    (file) => isProduct(file) && /^src\/\w+\//.test(file.path) && !/\/main\.ts$/.test(file.path),
  ),
  noLineLike(
    'work that is left has an issue',
    'do it, or write its number after the word, as in (#12)',
    new RegExp(`\\b(?:${unfinished.join('|')})\\b(?!.*#\\d+)`),
    ({ path }) => !path.startsWith('tests/vectors/'),
  ),
  noLineLike(
    'types are not silenced',
    'give the value its type, or check it',
    new RegExp(['\\bas an' + 'y\\b', '@ts-(?:ignore|nocheck)'].join('|')),
    isTypeScript,
  ),
  noLineLike(
    'the product has no type error that is expected',
    'mend the type; only a test may pass what no type allows',
    /@ts-expect-error/,
    isProduct,
  ),
  noLineLike(
    'randomness is cryptographic',
    'use node:crypto inside hsm, and the Random that is passed in elsewhere',
    new RegExp('\\bMath\\.ran' + 'dom\\b|\\bweb' + 'crypto\\b|\\bcrypto\\.subtle\\b'),
    (file) => isTypeScript(file) && isProduct(file),
  ),
  {
    name: 'a name says what is inside',
    advice: 'name it after what it knows, in the terms of AWS or of cryptography',
    find: (files) =>
      files.flatMap(({ path }) =>
        path
          .split(/[/.-]/)
          .filter((word) => unclearNames.has(word.toLowerCase()))
          .map((what) => ({ at: path, what })),
      ),
  },
  {
    name: 'every source file is used',
    advice: 'import it, or delete it',
    find: (files) => {
      const used = referencedFiles(files)
      return files
        .filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'))
        .filter(({ path }) => !path.endsWith('.test.ts') && !used.has(path))
        .map(({ path }) => ({ at: path, what: 'nobody imports it' }))
    },
  },
  {
    name: 'a document begins with its title',
    advice: 'let its first line be `# ` and the title',
    find: (files) =>
      files
        .filter((file) => isMarkdown(file) && !/^# \S/.test(file.text))
        .map(({ path, text }) => ({ at: `${path}:1`, what: text.split('\n')[0] ?? '' })),
  },
  {
    name: 'the links of documents lead somewhere',
    advice: 'mend the path or the heading',
    find: deadLinks,
  },
  noLineLike(
    'no registry is named',
    'let npm read it from its configuration',
    new RegExp(registries.join('|').replaceAll('.', '\\.')),
  ),
  noLineLike(
    'no path of one machine',
    'use a relative path, or a placeholder as in DIRECTORY',
    /(?<![\w.~/-])\/(?:work|root|home\/[a-z][\w-]*|Users\/[A-Za-z]\w*)\/[\w.]/,
  ),
  noLineLike(
    'the lock file names no host',
    'install with omit-lockfile-registry-resolved',
    /"resolved":/,
    ({ path }) => path.endsWith('package-lock.json'),
  ),
]

/** Files that another file names in a string: an import, a worker's URL, a program to start, a script. */
function referencedFiles(files: readonly SourceFile[]): Set<string> {
  const ours = files.filter(({ path }) => path.startsWith('src/')).map(({ path }) => path)
  const used = new Set<string>()
  for (const { path, text } of files.filter((file) => /\.(?:ts|mjs|json|md)$/.test(file.path))) {
    for (const [name] of text.matchAll(/(?<=['"`/ ])[\w./-]+\.ts(?=['"`\s])/g)) {
      const target = posix.join(posix.dirname(path), name)
      if (/^\.\.?\//.test(name)) used.add(target)
      // A program is started by the end of its path.
      else for (const each of ours) if (each !== path && each.endsWith(`/${name}`)) used.add(each)
      if (name.startsWith('src/')) used.add(name)
    }
  }
  return used
}

const codeBlock = /^(```|~~~)[\s\S]*?^\1/gm

/** Links to files and folders of the repository, and to headings of its documents. */
function deadLinks(files: readonly SourceFile[]): Finding[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const paths = new Set([...repositoryFiles(), ...texts.keys()])
  const exists = (target: string) =>
    target === '.' || paths.has(target) || [...paths].some((path) => path.startsWith(`${target}/`))
  return files.filter(isMarkdown).flatMap(({ path, text }) => {
    const prose = text.replace(codeBlock, '')
    const inline = prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)
    const reference = prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)
    return [...inline, ...reference].flatMap(([, link = '']) => {
      if (/^[a-z]+:/i.test(link)) return []
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), decodeURI(file))
      if (!exists(target.replace(/\/$/, ''))) return [{ at: path, what: link }]
      const document = target.endsWith('.md') ? texts.get(target) : undefined
      if (anchor === undefined || document === undefined) return []
      return headingsOf(document).has(anchor) ? [] : [{ at: path, what: link }]
    })
  })
}

/** The anchors that a forge makes of a document's headings. */
function headingsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replace(codeBlock, '').matchAll(/^#{1,6} +(.+?)\s*#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}

describe('the repository is tidy', () => {
  const files = repositoryTexts()

  test('its files were all seen', () => {
    assert.ok(files.length >= 250, `only ${files.length} files were visited`)
  })

  for (const rule of rules) {
    test(rule.name, () => {
      const found = rule.find(files).map(({ at, what }) => `${at}: ${what}`)
      assert.ok(found.length === 0, `${rule.advice}:\n  ${found.join('\n  ')}`)
    })
  }
})

describe('a planted fault is found', () => {
  const used = `import './x.ts'\n`
  const planted: Readonly<Record<string, readonly [path: string, text: string][]>> = {
    'a file holds one idea': [
      ['src/base/x.ts', '\n'.repeat(351)],
      ['src/base/x.test.ts', '\n'.repeat(701)],
    ],
    'a line fits the page': [
      ['src/x.ts', `//${' x'.repeat(60)}`],
      ['src/x.ts', `const a = b${' + b'.repeat(30)}`],
    ],
    'every test runs': [['src/x.test.ts', 'test' + ".only('a', () => {})"]],
    'the product does not print': [['src/wire/x.ts', "console.log('a')"]],
    'rooms do not write to standard error': [['src/wire/x.ts', "console.error('a')"]],
    'the product has no type error that is expected': [['src/x.ts', '// @ts-expect-error']],
    'work that is left has an issue': [['src/x.ts', `// ${unfinished[0]}: later`]],
    'types are not silenced': [
      ['src/x.ts', 'x as an' + 'y'],
      ['src/x.ts', '// @ts-' + 'ignore'],
    ],
    'randomness is cryptographic': [['src/x.ts', 'Math.ran' + 'dom()']],
    'a name says what is inside': [
      ['src/base/utils.ts', ''],
      ['src/helpers/x.ts', ''],
      ['src/hsm/key-manager.ts', ''],
    ],
    'every source file is used': [['src/lonely.ts', '']],
    'a document begins with its title': [
      ['docs/x.md', 'Text'],
      ['docs/x.md', '## Second'],
    ],
    'the links of documents lead somewhere': [
      ['docs/x.md', '# X\n[a](none.md)'],
      ['docs/x.md', '# X\n[a](#none)'],
      ['docs/x.md', '# X\n\n[a]: ../none/'],
    ],
    'no registry is named': [['README.md', `# A\nhttps://${registries[0]}/a`]],
    'no path of one machine': [
      ['README.md', '# A\ncd /wo' + 'rk/main'],
      ['README.md', '# A\n`/home/' + 'jo/kagiban`'],
    ],
    'the lock file names no host': [['package-lock.json', '"resolved": "https://example.com/a"']],
  }
  for (const rule of rules) {
    test(rule.name, () => {
      const cases = planted[rule.name] ?? []
      assert.ok(cases.length > 0)
      for (const [path, text] of cases) {
        assert.equal(rule.find([{ path, text }]).length, 1, `${path}: ${text}`)
      }
    })
  }

  test('what is in order is not taken for one', () => {
    const files: SourceFile[] = [
      {
        path: 'src/x.ts',
        text: `// ${unfinished[0]} (#12): later\nexport const a = 'framework/work/'\n`,
      },
      { path: 'src/x.test.ts', text: used },
      { path: 'src/main.ts', text: "console.log('a')\n" },
      { path: 'package.json', text: '{ "start": "node src/main.ts" }' },
      {
        path: 'docs/x.md',
        text: '# X\n\n## A *b*, `c`\n[a](#a-b-c) [b](../src/base/) [c](https://a.b/c)\n',
      },
    ]
    for (const rule of rules) assert.deepEqual(rule.find(files), [], rule.name)
  })
})
