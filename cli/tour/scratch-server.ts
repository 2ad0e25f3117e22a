import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const kagiban = join(dirname(import.meta.dirname), 'kagiban.mjs')

const readyMsMax = 60_000

/** A service over a folder of its own, which goes away with it. */
export class ScratchServer {
  readonly folder: string
  readonly data: string
  readonly endpoint: string
  readonly account: string
  readonly credentials: Credentials
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  private constructor(folder: string, child: ChildProcess, ended: Promise<void>, banner: string) {
    this.folder = folder
    this.data = join(folder, 'data')
    this.#child = child
    this.#ended = ended
    const said = (pattern: RegExp) => pattern.exec(banner)?.[1] ?? ''
    this.endpoint = said(/ready at (http:\S+)/)
    this.account = said(/ccount\s+(\d{12})/)
    this.credentials = {
      accessKeyId: said(/AWS_ACCESS_KEY_ID=(\S+)/),
      secretAccessKey: said(/AWS_SECRET_ACCESS_KEY=(\S+)/),
    }
  }

  /** Rejects with what the service said when it does not start. */
  static async start(): Promise<ScratchServer> {
    const folder = mkdtempSync(join(tmpdir(), 'kagiban-tour-'))
    mkdirSync(join(folder, 'desk'))
    const { PATH, HOME, TMPDIR } = process.env
    const child = spawn(
      process.execPath,
      [kagiban, 'start', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'],
      { env: { PATH, HOME, TMPDIR }, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    try {
      const banner = await readyBanner(child, ended)
      return new ScratchServer(folder, child, ended, banner)
    } catch (error) {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Where the lines of the tour are typed. */
  get desk(): string {
    return join(this.folder, 'desk')
  }

  async stop(keep: boolean): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
    if (!keep) rmSync(this.folder, { recursive: true, force: true })
  }
}

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string }

/** Everything that the service printed until it was ready. */
async function readyBanner(child: ChildProcess, ended: Promise<void>): Promise<string> {
  let output = ''
  const ready = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (/ready at http:\S+/.test(output)) resolve(output)
      })
    }
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), readyMsMax)
  })
  const banner = await Promise.race([ready, ended.then(() => undefined), late])
  clearTimeout(timer)
  if (banner === undefined) throw new Error(`The service of the tour does not start: ${output}`)
  return banner
}
