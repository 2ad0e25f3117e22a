import { setTimeout as sleep } from 'node:timers/promises'
import { ticksPerSecond } from '../tests/support/processes.ts'
import type { Echo, Generator } from './children.ts'
import type { BenchOptions } from './options.ts'
import type { Latency, SliceResult, Subject } from './protocol.ts'

/** The processes of the service, by what they are. */
export type ServerProcesses = Readonly<Record<'supervisor' | 'core' | 'service', number>>

export type Measurement = {
  /** Median of the pairs' ratios of requests a second, service to echo: what the gate looks at. */
  readonly ratio: number
  /** Ratio of the medians of requests a second. */
  readonly ratioOfMedians: number
  readonly lowestPair: number
  readonly highestPair: number
  readonly echoRate: number
  readonly serviceRate: number
  /** 90th to 10th percentile of the echo's own rates: above 2, the machine was too busy to tell. */
  readonly echoSpread: number
  /** CPU microseconds a request. */
  readonly echoCpu: number
  readonly serviceCpu: number
  readonly cpuOf: Readonly<Record<string, number>>
  readonly echoLatency: Latency
  readonly serviceLatency: Latency
  /** Answers of the service, those of the slices that do not count included. */
  readonly answers: number
  readonly errors: number
  readonly firstError: string | undefined
}

/** Drives echo and service in turn: E S E S …; the first pairs do not count. */
export async function measure(
  generator: Generator,
  echo: Echo,
  server: ServerProcesses,
  options: Pick<BenchOptions, 'seconds' | 'rounds' | 'warmUp'>,
): Promise<Measurement> {
  const slices: Record<Subject, SliceResult[]> = { echo: [], service: [] }
  const pids: Record<Subject, number[]> = { echo: [echo.pid], service: Object.values(server) }
  for (let round = 0; round < options.warmUp + options.rounds; round++) {
    for (const subject of ['echo', 'service'] as const) {
      const result = await generator.ask({
        type: 'slice',
        subject,
        milliseconds: options.seconds * 1000,
        pids: pids[subject],
      })
      if (result.type !== 'slice') throw new Error(`the load generator answered ${result.type}`)
      slices[subject].push(result)
      // What the subject has left over from its slice must not be paid by the other.
      await sleep(50)
    }
  }
  return summary(slices, options.warmUp, server)
}

function summary(
  { echo: echoAll, service: serviceAll }: Readonly<Record<Subject, readonly SliceResult[]>>,
  warmUp: number,
  server: ServerProcesses,
): Measurement {
  const [echo, service] = [echoAll.slice(warmUp), serviceAll.slice(warmUp)]
  const echoRates = echo.map(rate)
  const serviceRates = service.map(rate)
  const pairs = serviceRates.map((value, index) => value / (echoRates[index] ?? Number.NaN))
  const all = [...echoAll, ...serviceAll]
  return {
    ratio: median(pairs),
    ratioOfMedians: median(serviceRates) / median(echoRates),
    lowestPair: Math.min(...pairs),
    highestPair: Math.max(...pairs),
    echoRate: median(echoRates),
    serviceRate: median(serviceRates),
    echoSpread: quantile(echoRates, 0.9) / quantile(echoRates, 0.1),
    echoCpu: cpuPerAnswer(echo, () => true),
    serviceCpu: cpuPerAnswer(service, () => true),
    cpuOf: Object.fromEntries(
      Object.entries(server).map(([name, pid]) => [name, cpuPerAnswer(service, (p) => p === pid)]),
    ),
    echoLatency: latency(echo),
    serviceLatency: latency(service),
    answers: sum(serviceAll.map((slice) => slice.answers)),
    errors: sum(all.map((slice) => slice.errors)),
    firstError: all.find((slice) => slice.firstError !== undefined)?.firstError,
  }
}

function rate(slice: SliceResult): number {
  return slice.answers / slice.seconds
}

function cpuPerAnswer(slices: readonly SliceResult[], counts: (pid: number) => boolean): number {
  const ticks = sum(
    slices.flatMap(({ ticks }) =>
      Object.entries(ticks).flatMap(([pid, spent]) => (counts(Number(pid)) ? [spent] : [])),
    ),
  )
  return ((ticks / ticksPerSecond) * 1e6) / sum(slices.map((slice) => slice.answers))
}

/** The medians of the slices' own percentiles, so that one disturbed slice does not decide. */
function latency(slices: readonly SliceResult[]): Latency {
  const of = (name: keyof Latency) => median(slices.map((slice) => slice.latency[name]))
  return { p50: of('p50'), p90: of('p90'), p99: of('p99'), max: of('max') }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
