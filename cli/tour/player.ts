import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../src/config.ts'
import { type Credentials, kagiban, type ScratchServer } from './scratch-server.ts'
import type { Chapter, Person, Step } from './step.ts'

export type PlayerOptions = {
  readonly server: ScratchServer
  readonly env: Environment
  /** Lines are typed into the AWS CLI of this machine; otherwise into a small one of the tour's own. */
  readonly withAwsCli: boolean
  readonly say: (text: string) => void
  /** Called before each line. */
  readonly pause: () => Promise<void>
}

/** A line of the tour that came out otherwise than the tour says. */
class TourBroken extends Error {
  override readonly name = 'TourBroken'
}

const ownAws = join(import.meta.dirname, 'aws.ts')
const assignment = /^([A-Z]+)=\$\((.*)\)$/s
/** Columns. */
const width = 100

/** Types the lines of the tour into a shell, each as the person that it is of, and shows what comes of them. */
export class Player {
  readonly #options: PlayerOptions
  readonly #keys = new Map<Person, Credentials>()
  readonly #kept: Record<string, string> = {}

  constructor(options: PlayerOptions) {
    this.#options = options
    this.#keys.set('root', options.server.credentials)
    this.#kept['ACCOUNT'] = options.server.account
  }

  /** Rejects with TourBroken. */
  async play({ title, text, steps }: Chapter, number: number): Promise<void> {
    const { say } = this.#options
    say(`\n${number}. ${title}\n\n${text}\n`)
    for (const step of steps) {
      await this.#options.pause()
      await this.#type(step)
    }
  }

  async #type(step: Step): Promise<void> {
    const { say, server } = this.#options
    for (const [name, content] of Object.entries(step.files ?? {})) {
      const filled = content.replaceAll(/\$([A-Z]+)/g, (_, variable) => this.#kept[variable] ?? '')
      writeFileSync(join(server.desk, name), filled)
      say(`\n  ${name}:\n${indented(filled)}`)
    }
    say(`\n${step.as}$ ${step.line}`)
    if (step.needs !== undefined && !isInstalled(step.needs)) {
      say(indented(`(left out: there is no ${step.needs} on this machine)`))
      return
    }
    const [, variable, inner] = assignment.exec(step.line) ?? []
    const { code, output } = await this.#shell(inner ?? step.line, step.as)
    if (output !== '') say(indented(shown(output)))
    requireSaid(step, code, output)
    if (variable !== undefined) this.#kept[variable] = output.trim()
    if (step.givesKeyTo !== undefined) this.#keys.set(step.givesKeyTo, accessKeyIn(output))
  }

  async #shell(line: string, person: Person): Promise<{ code: number; output: string }> {
    const { server, withAwsCli, env } = this.#options
    const credentials = this.#keys.get(person)
    const node = process.execPath
    // What is typed is what a reader would type: `npx` is spared its own start, and finds no network.
    const functions = [
      `npx() { shift; "${node}" "${kagiban}" "$@"; }`,
      ...(withAwsCli ? [] : [`aws() { "${node}" "${ownAws}" "$@"; }`]),
    ]
    const child = spawn('/bin/sh', ['-c', `${functions.join('\n')}\n${line}`], {
      cwd: server.desk,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: env['PATH'], HOME: server.folder, TMPDIR: env['TMPDIR'] },
        ...this.#kept,
        ...{ KAGIBAN_DATA: server.data, AWS_PAGER: '' },
        ...(credentials === undefined ? {} : signingFor(server.endpoint, credentials)),
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status) => resolve(status ?? 1))
    })
    return { code, output }
  }
}

function signingFor(endpoint: string, { accessKeyId, secretAccessKey }: Credentials) {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['version'], { stdio: 'ignore' }).status === 0
}

function requireSaid({ line, refused, says }: Step, code: number, output: string): void {
  const problem =
    refused === undefined
      ? code === 0
        ? undefined
        : `it failed (${code})`
      : code === 0
        ? 'it was to be refused'
        : undefined
  const wanted = refused ?? says
  const missing =
    wanted === undefined || output.includes(wanted) ? undefined : `without '${wanted}'`
  const said = problem ?? missing
  if (said !== undefined) throw new TourBroken(`'${line}': ${said}: ${output}`)
}

function accessKeyIn(output: string): Credentials {
  const { AccessKey } = JSON.parse(output) as {
    AccessKey: { AccessKeyId: string; SecretAccessKey: string }
  }
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

/** Long lines in several; of a value without spaces its beginning. */
function shown(output: string): string {
  return output.trimEnd().split('\n').flatMap(folded).join('\n')
}

function folded(line: string): string[] {
  if (line.length <= width) return [line]
  const lines: string[] = []
  let last = ''
  for (const word of line.split(' ')) {
    const cut = word.length > width ? `${word.slice(0, width - 1)}…` : word
    if (last !== '' && last.length + 1 + cut.length > width) {
      lines.push(last)
      last = `    ${cut}`
    } else last = last === '' ? cut : `${last} ${cut}`
  }
  return [...lines, last]
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((each) => `  ${each}`)
    .join('\n')
}
