import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, setPriority, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { partOf, type Room, rooms, root, sourcesOf, testsOf } from './rooms.ts'
import { explainedIn, type Outcome, percent, type Report, scoreOf } from './score.ts'

const help = `Usage: npm run mutation -- [PATH…] [options]

Changes one thing after another in copies of src/authenticate and src/authorize and sees whether a test
notices. PATH is a folder or file of these, or FILE:FROM-TO for some of its lines.

  --without PATH     leaves out the tests in a folder or file; may stand several times
  --part K/N         only the K-th of N parts of about equal size
  --concurrency N    so many processes at once (1)
  --score N          the least score, in per cent, that is no failure (90)
  --help             this

It works in a folder of its own, at the lowest priority, and leaves the clone as it is. The reports, one for
people and one for programs for each room, are in tools/mutation/reports/. On the first run it installs what
it needs into tools/mutation/node_modules.

Exit codes: 0 every folder reaches the score; 1 one does not, or Stryker failed; 2 the call was not understood.
`

const here = import.meta.dirname
const stryker = join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js')
const lines = /:\d+-\d+$/

type Call = {
  readonly paths: readonly string[]
  readonly without: readonly string[]
  readonly part: number
  readonly parts: number
  readonly concurrency: number
  readonly least: number
}

process.exitCode = main(process.argv.slice(2))

function main(argv: readonly string[]): number {
  const call = parse(argv)
  if (typeof call === 'number') return call
  setPriority(constants.priority.PRIORITY_LOW)
  install()
  const explained = explainedIn(readFileSync(join(here, 'survivors.md'), 'utf8'))
  let passed = true
  for (const room of rooms) {
    const mutate = chosen(room, call)
    if (mutate.length === 0) continue
    const report = test(room, mutate, call)
    if (report === undefined) {
      passed = false
      continue
    }
    const outcome = scoreOf(report, explained)
    show(outcome, call.least)
    for (const score of outcome.byFolder.values()) passed &&= percent(score) >= call.least
  }
  return passed ? 0 : 1
}

function parse(argv: readonly string[]): Call | number {
  const complain = (what: string) => {
    console.error(`${what}\n\n${help}`)
    return 2
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        without: { type: 'string', multiple: true, default: [] },
        part: { type: 'string', default: '1/1' },
        concurrency: { type: 'string', default: '1' },
        score: { type: 'string', default: '90' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return 0
    }
    const fromRoot = (path: string) => relative(root, resolve(path))
    const paths = positionals.map(fromRoot)
    const without = values.without.map(fromRoot)
    const strange = paths.find((path) => !isOfARoom(path))
    if (strange !== undefined) return complain(`'${strange}' is not in a room that is mutated.`)
    const [part = 0, parts = 0] = values.part.split('/').map(Number)
    const numbers = [part, parts, Number(values.concurrency)]
    if (!numbers.every((number) => Number.isInteger(number) && number > 0) || part > parts) {
      return complain('--part is K/N and --concurrency a number, from 1.')
    }
    const least = Number(values.score)
    if (!(least >= 0 && least <= 100)) return complain('--score is between 0 and 100.')
    return { paths, without, part, parts, concurrency: Number(values.concurrency), least }
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error))
  }
}

function isOfARoom(path: string): boolean {
  const file = path.replace(lines, '')
  return rooms.some((room) => sourcesOf(room, [file]).length > 0)
}

/** What Stryker is told to mutate: files, or lines of files. */
function chosen(room: Room, { paths, part, parts }: Call): string[] {
  const whole = paths.filter((path) => !lines.test(path))
  const sections = paths.filter(
    (path) => lines.test(path) && sourcesOf(room, [path.replace(lines, '')]).length > 0,
  )
  const files = paths.length > 0 && whole.length === 0 ? [] : sourcesOf(room, whole)
  return [...partOf(files, part, parts), ...sections]
}

/** The packages are not in the main lock file: nobody else needs them. */
function install(): void {
  if (existsSync(stryker)) return
  const { status } = spawnSync('npm', ['ci'], { cwd: here, stdio: 'inherit' })
  if (status !== 0) throw new Error('tools/mutation could not be installed')
}

function test(
  room: Room,
  mutate: readonly string[],
  { without, concurrency }: Call,
): Report | undefined {
  const reports = join(here, 'reports')
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-mutation-'))
  const config = join(folder, 'stryker.json')
  const json = join(reports, `${room.name}.json`)
  mkdirSync(reports, { recursive: true })
  rmSync(json, { force: true })
  const settings = {
    mutate,
    nodeTestFiles: testsOf(room, without),
    testRunner: 'node-test',
    plugins: [join(here, 'node-test-runner.ts')],
    coverageAnalysis: 'perTest',
    concurrency,
    // Modules are loaded anew for every mutant and are never freed.
    maxTestRunnerReuse: 150,
    timeoutMS: 15_000,
    disableTypeChecks: false,
    ignorePatterns: ['/*', '!/package.json', '!/src', '!/tests'],
    tempDirName: join(folder, 'sandboxes'),
    reporters: ['json', 'html', 'progress-append-only'],
    jsonReporter: { fileName: json },
    htmlReporter: { fileName: join(reports, `${room.name}.html`) },
    allowConsoleColors: false,
  }
  try {
    writeFileSync(config, JSON.stringify(settings))
    const options = { cwd: root, stdio: 'inherit' } as const
    const { status } = spawnSync(process.execPath, [stryker, 'run', config], options)
    if (status !== 0 || !existsSync(json)) return undefined
    return JSON.parse(readFileSync(json, 'utf8')) as Report
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function show({ byFolder, total, survivors }: Outcome, least: number): void {
  for (const { name, line, covered } of survivors) {
    const [file, source, replacement] = name.split('\n')
    console.log(`${file}:${line}${covered ? '' : ' (no test gets there)'}`)
    console.log(`- ${quoted(source)} → ${quoted(replacement)}: \n`)
  }
  console.log('  score  detected  undetected  of them explained')
  for (const [folder, score] of [...byFolder, ['all', total] as const]) {
    const { detected, undetected, explained } = score
    const counts = `${column(detected, 8)}  ${column(undetected, 10)}  ${column(explained, 17)}`
    const verdict = percent(score) < least ? `  less than ${least}` : ''
    console.log(`${column(percent(score).toFixed(1), 7)}  ${counts}  ${folder}${verdict}`)
  }
}

function column(value: number | string, width: number): string {
  return String(value).padStart(width)
}

/** As Markdown's code, which may hold backticks itself. */
function quoted(code = ''): string {
  return code.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``
}
