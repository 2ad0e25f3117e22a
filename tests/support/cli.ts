import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from './server.ts'

export type CommandResult = {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const outputBytesMax = 512 * 1024 * 1024

/** Runs `kagiban …` to its end. */
export function kagiban(...args: string[]): Promise<CommandResult> {
  return run(process.execPath, [join(projectRoot, 'cli/kagiban.mjs'), ...args])
}

/** Runs a command to its end; an exit code other than 0 is a result, a signal or a timeout an error. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {},
): Promise<CommandResult> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...inherited } = process.env
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        cwd: projectRoot,
        env: options.env ?? inherited,
        timeout: options.timeoutMs ?? 120_000,
        killSignal: 'SIGKILL',
        maxBuffer: outputBytesMax,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr })
        else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
        else reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stderr}`))
      },
    )
  })
}

/** Runs it and insists on exit code 0; answers its standard output. */
export async function kagibanOk(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kagiban(...args)
  if (code !== 0)
    throw new Error(`kagiban ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  return stdout
}

export type AuditEvent = {
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventType: string
  readonly requestID?: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly additionalEventData?: Record<string, unknown> | null
  readonly recipientAccountId: string
  readonly userIdentity: { readonly accountId?: string; readonly arn?: string }
  readonly requestParameters: Record<string, unknown> | null
  readonly readOnly: boolean
}

/** The whole audit record of a data folder, in the journal's order. */
export async function auditExport(data: string): Promise<AuditEvent[]> {
  const text = await kagibanOk('audit', 'export', '--data', data)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
}

/** Makes an account with a root user and answers that user's credentials. */
export async function createAccount(data: string, account: string) {
  const text = await kagibanOk('account', 'create', account, '--json', '--data', data)
  const { accessKeyId, secretAccessKey } = JSON.parse(text) as Record<string, string>
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error('account create --json printed no access key')
  }
  return { accessKeyId, secretAccessKey }
}
