import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { parseListen } from '../src/config.ts'
import { JournalInUse } from '../src/journal/lock.ts'
import { parseVkey, signatureTypes, type VerifierKey, vkeyText } from '../src/journal/note-keys.ts'
import type { Listener } from '../src/listener/listener.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { outliveReaders } from '../src/supervisor/output.ts'
import { serveWitness } from '../src/witness/serve.ts'
import { WitnessState } from '../src/witness/state.ts'
import { Witness } from '../src/witness/witness.ts'
import { type CommandLine, parse, UsageError } from './command-line.ts'

const options = {
  listen: { type: 'string' },
  state: { type: 'string' },
  log: { type: 'string', multiple: true },
  name: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'insecure-plaintext': { type: 'boolean' },
} as const

export const witness: CommandLine = {
  words: ['witness'],
  synopsis: 'witness',
  summary: 'watch over the log of another machine',
  help: `Usage: kagiban witness --listen HOST:PORT --state DIR --log VKEY [--log VKEY …] [options]

Runs a witness of transparency logs (C2SP tlog-witness), for another machine than the log's: it
cosigns a checkpoint only if the log has signed it and has rewritten nothing that was cosigned
before. Its key is made at the first start and stays in DIR, with what it has cosigned last; DIR
must never be put back to an older state. Its verifier key is printed at each start.

  --listen HOST:PORT           address; port 0 picks one
  --state DIR                  folder of its own, made unless it exists
  --log VKEY                   verifier key of a log: see /keys of the log, or docs/operate/witnesses.md
  --name NAME                  its name, at the first start (kagiban/witness/<uuid>)
  --tls-cert FILE              certificate chain, PEM
  --tls-key FILE               its private key, PEM
  --insecure-plaintext         listen beyond loopback without TLS; what is asked and answered is signed
`,
  async run(invocation) {
    const { values } = parse(invocation, options, [])
    const { listen, state: directory } = values
    if (listen === undefined || directory === undefined) {
      throw new UsageError('Give --listen and --state.')
    }
    const logs = logsOf(values.log ?? [])
    const address = parseListen(listen)
    const tls = tlsOf(values['tls-cert'], values['tls-key'])
    outliveReaders()
    process.umask(0o077)
    const state = openState(resolve(directory), values.name)
    try {
      const deps = { clock: systemClock, log }
      const listener = await serveWitness(new Witness(state, logs, deps), state, {
        ...address,
        ...deps,
        tls,
        insecurePlaintext: values['insecure-plaintext'] ?? false,
      })
      process.stdout.write(`${vkeyText(state.key)}\nThe witness is ready at ${listener.endpoint}\n`)
      await stopped(listener)
    } finally {
      state.close()
    }
    return 0
  },
}

function logsOf(texts: readonly string[]): VerifierKey[] {
  if (texts.length === 0) throw new UsageError('Give the verifier key of a log with --log.')
  const keys = texts.map((text) => {
    const key = parseVkey(text)
    if (typeof key === 'string') throw new UsageError(`--log: this is no verifier key: ${key}.`)
    return key
  })
  for (const { name } of keys) {
    const isSigned = keys.some((key) => key.name === name && key.type === signatureTypes.ed25519)
    if (!isSigned)
      throw new UsageError(`--log: ${name} has no Ed25519 key, which is the one that counts.`)
  }
  return keys
}

function tlsOf(certFile: string | undefined, keyFile: string | undefined) {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) {
    throw new UsageError('TLS needs both --tls-cert and --tls-key.')
  }
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) }
}

function openState(directory: string, name: string | undefined): WitnessState {
  try {
    return new WitnessState(directory, name)
  } catch (error) {
    if (!(error instanceof JournalInUse)) throw error
    throw new OperatorError('Another witness has this folder.')
  }
}

/** Until a signal, and what is being answered then. */
async function stopped(listener: Listener): Promise<void> {
  const told = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => told.resolve())
  await told.promise
  await listener.drain()
}

function log(line: string): void {
  process.stderr.write(`${new Date(systemClock.now()).toISOString()} ${line}\n`)
}
