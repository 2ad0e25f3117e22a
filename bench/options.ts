import { parseArgs } from 'node:util'

export const operationNames = ['Encrypt', 'Decrypt', 'GenerateDataKey', 'DescribeKey'] as const
export type OperationName = (typeof operationNames)[number]

export type BenchOptions = {
  /** Length of one slice. */
  readonly seconds: number
  /** Pairs of slices that count. */
  readonly rounds: number
  /** Pairs of slices that go before and do not count: until compilers have seen what is hot. */
  readonly warmUp: number
  readonly connections: number
  /** Distinct signed requests of each operation. */
  readonly requests: number
  readonly operations: readonly OperationName[]
  /** How many keys the memory and the start-up are measured with; 0 leaves that out. */
  readonly keys: number
  readonly pin: boolean
  /** Whether Sign is measured, and Encrypt beside the making of RSA keys. */
  readonly asymmetric: boolean
}

export const benchHelp = `Usage: npm run bench -- [options]

Measures the service against a bare node:http echo of the same sizes, both under the same load in
alternating slices, so that only their ratio counts and not the machine. The service is the real
one over a fresh data folder in the temporary directory (TMPDIR): signatures, authorization and a
durable audit record for each request. Then memory and start-up with many keys.

Options
  --seconds S        length of a slice                                    (1)
  --rounds N         pairs of slices that count                           (9)
  --warm-up N        pairs of slices before them, which do not count      (8)
  --connections N    keep-alive connections                               (64)
  --requests N       distinct signed requests of each operation           (4000)
  --operations LIST  of ${operationNames.join(', ')}       (all)
  --keys N           keys for memory and start-up; 0 leaves that out      (100000)
  --no-asymmetric    leaves out Sign, and Encrypt beside the making of RSA keys
  --pin              all servers on core 0 and the load generator on core 1, where taskset is;
                     otherwise the system places the processes, as it does in production, where
                     the key core and the journal have other cores than the service's thread
  -h, --help         this text

Exit code 1 when a gate is missed: Encrypt reaches half of the echo's rate, Decrypt and
GenerateDataKey 0.65 of Encrypt's; Sign reaches 0.75 (RSA-2048) and 0.30 (P-256) of bare
crypto.sign; making RSA-4096 keys does not raise p99 of Encrypt more than 15 times; no request
fails; the audit record has exactly one event for each answer; pages and calls take at most three
times as long with very many keys and grants; 100,000 keys take at most 300 MB of heap and
3 seconds to start.
`

/** Undefined when help was asked for. */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '9' },
      'warm-up': { type: 'string', default: '8' },
      connections: { type: 'string', default: '64' },
      requests: { type: 'string', default: '4000' },
      operations: { type: 'string', default: operationNames.join(',') },
      keys: { type: 'string', default: '100000' },
      pin: { type: 'boolean', default: false },
      'no-asymmetric': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    seconds: numberIn('--seconds', values.seconds, 0.1, 60),
    rounds: numberIn('--rounds', values.rounds, 1, 1000),
    warmUp: numberIn('--warm-up', values['warm-up'], 1, 1000),
    connections: numberIn('--connections', values.connections, 1, 1000),
    requests: numberIn('--requests', values.requests, 1000, 100_000),
    operations: values.operations.split(',').map(operationName),
    keys: numberIn('--keys', values.keys, 0, 1_000_000),
    pin: values.pin,
    asymmetric: !values['no-asymmetric'],
  }
}

function numberIn(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (!(value >= low && value <= high)) throw new Error(`${name}: from ${low} to ${high}`)
  return value
}

function operationName(text: string): OperationName {
  const found = operationNames.find((name) => name === text.trim())
  if (found === undefined) throw new Error(`--operations: ${operationNames.join(', ')}`)
  return found
}
