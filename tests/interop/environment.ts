import { run } from '../support/cli.ts'
import type { TestServer } from '../support/server.ts'

/** What other people's clients are told: the environment, and nothing else. */
export function awsEnvironment(
  server: Pick<TestServer, 'endpoint' | 'credentials' | 'region'>,
): NodeJS.ProcessEnv {
  const { PATH, HOME, PYENV_ROOT, PYENV_VERSION } = process.env
  return {
    PATH,
    HOME,
    PYENV_ROOT,
    PYENV_VERSION,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: server.region,
    // Neither a developer's own profile nor an instance's role may decide what is tested.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    // Nothing is written beside the scripts.
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

/** Of a virtual environment where one is active. */
export const python = 'python3'

export function boto3Missing(): Promise<string | undefined> {
  return missing(python, ['-c', 'import boto3'])
}

/** Python alone, and the OpenSSL that it may ask to verify a signature. */
export async function pythonMissing(): Promise<string | undefined> {
  return (await missing(python, ['--version'])) ?? (await opensslMissing())
}

export function awsCliMissing(): Promise<string | undefined> {
  return missing('aws', ['--version'])
}

/** Of a program that tells its version: why it cannot be used, if it cannot. */
export function programMissing(program: string): Promise<string | undefined> {
  return missing(program, [program.startsWith('s3') ? '--version' : 'version'])
}

/** What comes with macOS goes by the same name, and is another program. */
export async function opensslMissing(): Promise<string | undefined> {
  const reason = await missing('openssl', ['version'])
  if (reason !== undefined) return reason
  const { stdout } = await run('openssl', ['version'])
  return /^OpenSSL [3-9]\./.test(stdout) ? undefined : `this is ${stdout.trim()}`
}

async function missing(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { code, stderr } = await run(command, args)
    return code === 0 ? undefined : (stderr.trimEnd().split('\n').at(-1) ?? `exit code ${code}`)
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error)
  }
}
