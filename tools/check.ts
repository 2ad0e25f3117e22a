import { spawn } from 'node:child_process'
import { join } from 'node:path'

/**
 * `npm run check`: format and lint, types, and the rules of the repository, side by side. Prints each step with its
 * time, what a failed step said, and ends with 1 if any failed.
 */
type Step = { readonly name: string; readonly command: readonly string[] }
type Outcome = { readonly step: Step; readonly passed: boolean; readonly output: string }

const root = join(import.meta.dirname, '..')
const modules = join(root, 'node_modules')

const steps: readonly Step[] = [
  {
    name: 'format and lint',
    command: [
      join(modules, '@biomejs/biome/bin/biome'),
      'ci',
      '--colors=off',
      '--error-on-warnings',
    ],
  },
  { name: 'types', command: [join(modules, 'typescript/bin/tsc'), '--pretty', 'false'] },
  {
    name: 'architecture and tidiness',
    command: [
      ...['--test', '--test-reporter=dot', '--test-timeout=60000'],
      ...['tests/architecture.test.ts', 'tests/tidy.test.ts'],
    ],
  },
]

function run(step: Step): Promise<Outcome> {
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const child = spawn(process.execPath, step.command, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const finish = (passed: boolean) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${passed ? 'ok    ' : 'FAILED'}  ${seconds.padStart(5)} s  ${step.name}`)
    resolve({ step, passed, output })
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  child.on('error', (error) => {
    output += String(error)
    finish(false)
  })
  child.on('close', (code) => finish(code === 0))
  return promise
}

const outcomes = await Promise.all(steps.map(run))
for (const { step, passed, output } of outcomes) {
  if (!passed) console.log(`\n--- ${step.name}\n${output.trimEnd()}`)
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
