import type { Recorder } from '../record/commit.ts'
import { every } from '../upkeep/schedule.ts'
import type { ComplianceBook } from './compliance.ts'
import type { Discovery } from './discovery.ts'
import type { ConfigurationRecorder } from './recorder.ts'
import type { Resources } from './resources.ts'

/** How often verdicts of rules are brought up to date. */
const roundMs = 1000

/** What is done of configurations while the service runs: older resources get their first items, and rules verdicts. */
export function startConfiguration(
  recorder: Recorder,
  { configuration }: { readonly configuration: Configuration },
  log: (line: string) => void,
): { stop(): Promise<void> } {
  const { discovery, resources, items, compliance } = configuration
  const discovering = discovery.run(recorder, resources, items, log).catch((error: unknown) => {
    log(`older resources were not all recorded: ${error instanceof Error ? error.stack : error}`)
  })
  const rounds = every(roundMs, () => compliance.round(), log)
  return {
    stop: async () => {
      discovery.stop()
      await Promise.all([discovering, rounds.stop()])
    },
  }
}

type Configuration = {
  readonly resources: Resources
  readonly items: ConfigurationRecorder
  readonly discovery: Discovery
  readonly compliance: ComplianceBook
}
