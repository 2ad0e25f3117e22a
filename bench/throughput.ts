import { JsonClient } from '../tests/support/json-client.ts'
import { groupMembers, listenerOf } from '../tests/support/processes.ts'
import { TestServer } from '../tests/support/server.ts'
import { Child, canPin, type Echo, type Generator } from './children.ts'
import { type Measurement, measure, type ServerProcesses } from './measure.ts'
import type { BenchOptions, OperationName } from './options.ts'
import type { FromEcho, FromGenerator, ToEcho, ToGenerator } from './protocol.ts'
import { countRecords } from './record-count.ts'
import { workloadOf } from './workload.ts'

export type Throughput = {
  readonly pinned: boolean
  readonly operations: readonly {
    readonly operation: OperationName
    readonly measurement: Measurement
    /** Answers in all, and events of that name in the audit record: they must be equal. */
    readonly answers: number
    readonly records: number
  }[]
}

export async function measureThroughput(options: BenchOptions): Promise<Throughput> {
  const pinned = options.pin && canPin()
  const echo: Echo = Child.start<ToEcho, FromEcho>('echo.ts', pinned ? 0 : undefined)
  const echoReady = await echo.next()
  if (echoReady.type !== 'ready') throw new Error('the echo did not start')
  const generator: Generator = Child.start<ToGenerator, FromGenerator>(
    'generator.ts',
    pinned ? 1 : undefined,
  )
  const server = await TestServer.start({ wrapper: pinned ? ['taskset', '-c', '0'] : [] })
  try {
    const processes = processesOf(server)
    const keyArn = await createKey(server)
    const answers = new Map<string, number>()
    const count = (name: string, more: number) => answers.set(name, (answers.get(name) ?? 0) + more)
    const operations = []
    for (const operation of options.operations) {
      const attempt = async () => {
        const workload = await workloadOf(operation, server, keyArn, options.requests)
        for (const [name, more] of workload.prepared) count(name, more)
        await echo.ask({ type: 'answer', bytes: workload.answerBytes })
        await generator.ask({
          type: 'load',
          endpoints: { echo: echoReady.endpoint, service: server.endpoint },
          connections: options.connections,
          requests: workload.requests.map((request) => request.toString('base64')),
        })
        const result = await measure(generator, echo, processes, options)
        count(operation, result.answers)
        return result
      }
      let measurement = await attempt()
      // A reference that varies this much by itself says that the machine was busy with something else.
      if (measurement.echoSpread > 2) measurement = await attempt()
      operations.push({ operation, measurement })
    }
    const records = await countRecords(server.data)
    return {
      pinned,
      operations: operations.map((entry) => ({
        ...entry,
        answers: answers.get(entry.operation) ?? 0,
        records: records.get(entry.operation) ?? 0,
      })),
    }
  } finally {
    generator.stop()
    echo.stop()
    await server.discard()
  }
}

export function processesOf(server: TestServer): ServerProcesses {
  const pids = groupMembers(server.pid).map(({ pid }) => pid)
  const service = listenerOf(Number(new URL(server.endpoint).port), pids)
  const core = pids.find((pid) => pid !== server.pid && pid !== service)
  if (service === undefined || core === undefined || pids.length !== 3) {
    throw new Error(`three processes were expected, there are ${pids.length}`)
  }
  return { supervisor: server.pid, core, service }
}

async function createKey(server: TestServer): Promise<string> {
  const client = new JsonClient(server.endpoint, server.credentials)
  const answer = await client.call('CreateKey', { Description: 'bench' })
  client.close()
  if (answer?.status !== 200) throw new Error(`CreateKey: ${JSON.stringify(answer?.body)}`)
  return (answer.body['KeyMetadata'] as { Arn: string }).Arn
}
