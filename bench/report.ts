import type { Asymmetric } from './asymmetric.ts'
import type { ManyKeys } from './many-keys.ts'
import type { Throughput } from './throughput.ts'

export const gates = {
  encryptRatio: 0.5,
  encryptGoal: 0.7,
  /** Decrypt and GenerateDataKey to Encrypt, in requests a second. */
  toEncryptRatio: 0.65,
  signRatio: { RSA_2048: 0.75, ECC_NIST_P256: 0.3 },
  encryptP99Ratio: 15,
  /** A page, or a call, with very many keys and grants to the same with few. */
  pageRatio: 3,
  heapBytesPer100k: 300 * 1024 * 1024,
  startMsPer100k: 3000,
}

export function throughputTable({ pinned, operations }: Throughput): string {
  const rows = operations.map(({ operation, measurement: m }) => [
    operation,
    m.ratio.toFixed(2),
    m.ratioOfMedians.toFixed(2),
    `${m.lowestPair.toFixed(2)}–${m.highestPair.toFixed(2)}`,
    `${Math.round(m.serviceRate)} / ${Math.round(m.echoRate)}`,
    `${m.serviceCpu.toFixed(1)} / ${m.echoCpu.toFixed(1)}`,
    ['service', 'core', 'supervisor'].map((name) => (m.cpuOf[name] ?? 0).toFixed(1)).join(' + '),
    `${m.serviceLatency.p50.toFixed(1)} / ${m.serviceLatency.p99.toFixed(1)}`,
    `${m.echoLatency.p50.toFixed(1)} / ${m.echoLatency.p99.toFixed(1)}`,
  ])
  const placed = pinned
    ? 'servers pinned to core 0, load generator to core 1'
    : 'processes not pinned'
  return [
    `Service against a bare node:http echo (${placed})`,
    table([
      [
        'operation',
        'ratio',
        'of medians',
        'pairs',
        'requests/s (service / echo)',
        'CPU µs a request',
        'service + core + supervisor',
        'ms p50 / p99',
        'echo',
      ],
      ...rows,
    ]),
  ].join('\n')
}

export function manyKeysTable(found: ManyKeys): string {
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`
  return table([
    ['keys', 'heap for them', 'resident', 'start to /health', 'without them'],
    [
      String(found.keys),
      mebibytes(found.heapBytes),
      mebibytes(found.residentBytes),
      `${(found.startMs / 1000).toFixed(2)} s`,
      `${(found.startMsEmpty / 1000).toFixed(2)} s`,
    ],
  ])
}

export function asymmetricTable({ signing, encryptP99 }: Asymmetric): string {
  const { quiet, generating, ratio, pairsMade } = encryptP99
  return [
    table([
      ['Sign', 'ratio to crypto.sign', 'signatures/s (service / bare)'],
      ...signing.map((each) => [
        each.spec,
        each.ratio.toFixed(2),
        `${Math.round(each.serviceRate)} / ${Math.round(each.bareRate)}`,
      ]),
    ]),
    `p99 of Encrypt: ${quiet.toFixed(1)} ms alone, ${generating.toFixed(1)} ms while four RSA-4096 key pairs are made at a time (${ratio.toFixed(1)} ×; ${pairsMade} pairs)`,
  ].join('\n\n')
}

/** The gates that asymmetric keys missed, one sentence each. */
export function missedAsymmetricGates({ signing, encryptP99 }: Asymmetric): string[] {
  const missed = signing.flatMap(({ spec, ratio, errors, firstError }) => [
    ...(errors > 0
      ? [`Sign ${spec}: ${errors} requests failed, the first with: ${firstError}`]
      : []),
    ...(ratio >= gates.signRatio[spec]
      ? []
      : [`Sign ${spec}: ratio ${ratio.toFixed(2)}, below ${gates.signRatio[spec].toFixed(2)}`]),
  ])
  if (!(encryptP99.ratio <= gates.encryptP99Ratio)) {
    missed.push(
      `p99 of Encrypt beside RSA generation: ${encryptP99.ratio.toFixed(1)} × the quiet one`,
    )
  }
  return missed
}

/** What lists and decisions cost with many keys, and many grants on one of them. */
export function pagesTable({ keys, grants, pagesOfFew, pagesOfMany }: ManyKeys): string {
  return table([
    ['median ms of one call', '100 keys, 100 grants', `${keys} keys, ${grants} grants`, 'ratio'],
    ...Object.entries(pagesOfMany).map(([name, many]) => {
      const few = pagesOfFew[name] ?? Number.NaN
      return [name, few.toFixed(2), many.toFixed(2), (many / few).toFixed(2)]
    }),
  ])
}

/** The gates that were missed, one sentence each. */
export function missedGates(throughput: Throughput, manyKeys: ManyKeys | undefined): string[] {
  const missed: string[] = []
  const rateOf = (name: string) =>
    throughput.operations.find(({ operation }) => operation === name)?.measurement.ratio
  for (const name of ['Decrypt', 'GenerateDataKey']) {
    const share = (rateOf(name) ?? Number.NaN) / (rateOf('Encrypt') ?? Number.NaN)
    if (share < gates.toEncryptRatio) {
      missed.push(`${name}: ${share.toFixed(2)} of Encrypt, below ${gates.toEncryptRatio}`)
    }
  }
  for (const { operation, measurement, answers, records } of throughput.operations) {
    const { errors, firstError, ratio } = measurement
    if (errors > 0)
      missed.push(`${operation}: ${errors} requests failed, the first with: ${firstError}`)
    if (answers !== records) {
      missed.push(`${operation}: ${answers} answers, but ${records} events in the audit record`)
    }
    if (operation === 'Encrypt' && !(ratio >= gates.encryptRatio)) {
      missed.push(`Encrypt: ratio ${ratio.toFixed(2)}, below ${gates.encryptRatio.toFixed(2)}`)
    }
  }
  if (manyKeys !== undefined) {
    const share = manyKeys.keys / 100_000
    const heapMax = gates.heapBytesPer100k * share
    const startMax = manyKeys.startMsEmpty + (gates.startMsPer100k - manyKeys.startMsEmpty) * share
    if (manyKeys.heapBytes > heapMax) missed.push('the heap for the keys is above its bound')
    for (const [name, many] of Object.entries(manyKeys.pagesOfMany)) {
      const few = manyKeys.pagesOfFew[name] ?? Number.NaN
      if (!(many / few <= gates.pageRatio)) {
        missed.push(`${name}: ${(many / few).toFixed(1)} times as long with many keys and grants`)
      }
    }
    if (manyKeys.startMs > startMax)
      missed.push('the start over the keys takes longer than its bound')
  }
  return missed
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
