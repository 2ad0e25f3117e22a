/**
 * `aws`, for the lines of the tour, where there is no AWS CLI: reads the same command lines, sends the same requests,
 * prints the same answers, as far as the tour goes. Not a command of its own: `player.ts` makes the shell call it.
 */
import { request } from 'node:http'
import { percentEncodedPath } from '../../src/base/percent-encoding.ts'
import { canonicalQuery, RequestSigner, sha256Hex } from '../../src/base/request-signer.ts'
import { objectCall } from './aws-objects.ts'
import { type AwsCommand, awsCommand, found } from './aws-options.ts'
import { type Answer, type Asked, jsonCall, pascal, queryCall } from './aws-protocols.ts'

const json = { kms: 'TrentService' } as const
const versions: Readonly<Record<string, string>> = { iam: '2010-05-08', sts: '2011-06-15' }

process.exitCode = await run(awsCommand(process.argv.slice(2)))

async function run(command: AwsCommand): Promise<number> {
  const call = callOf(command)
  const { status, body } = await send(call.asked)
  const answer = await call.read({ status, body })
  if (answer.error !== undefined) {
    process.stderr.write(
      `An error occurred (${answer.error}) when calling the ${pascal(command.operation)} operation: ${answer.message}\n`,
    )
    return 254
  }
  const value = found(answer.output, command.query)
  if (value === undefined) return 0
  process.stdout.write(
    command.asText ? `${String(value)}\n` : `${JSON.stringify(value, undefined, 4)}\n`,
  )
  return 0
}

function callOf(command: AwsCommand): {
  readonly asked: Asked
  read(answer: { status: number; body: Buffer }): Answer | Promise<Answer>
} {
  const { service } = command
  if (service === 'kms') return jsonCall(command, json.kms)
  const version = versions[service]
  if (version !== undefined) return queryCall(command, version)
  if (service === 's3api') return objectCall(command)
  throw new Error(`the tour has no ${service}`)
}

function send({ service, method, ...asked }: Asked): Promise<{ status: number; body: Buffer }> {
  const { env } = process
  const endpoint = new URL(env['AWS_ENDPOINT_URL'] ?? '')
  const { body } = asked
  const path = percentEncodedPath(asked.path)
  const query = canonicalQuery(asked.query ?? {})
  const signer = new RequestSigner(
    {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: Buffer.from(env['AWS_SECRET_ACCESS_KEY'] ?? ''),
    },
    { region: env['AWS_DEFAULT_REGION'] ?? 'us-east-1', service },
  )
  const headers = signer.sign(
    {
      ...{ method, path, query, sha256: sha256Hex(body) },
      headers: { ...asked.headers, host: endpoint.host },
    },
    Date.now(),
  )
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(body.length) }
    const target = query === '' ? path : `${path}?${query}`
    const options = { method, path: target, headers: { ...headers, ...length } }
    request(endpoint, options, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) }),
      )
    })
      .once('error', reject)
      .end(body)
  })
}
