import { readConfig, startHelp } from '../src/config.ts'
import { outliveReaders } from '../src/supervisor/output.ts'
import { supervise } from '../src/supervisor.ts'
import type { CommandLine } from './command-line.ts'

export const start: CommandLine = {
  words: ['start'],
  synopsis: 'start',
  summary: 'run the key service',
  help: startHelp,
  async run({ argv, env }) {
    const config = readConfig(argv, env)
    if (config === undefined) return 0
    outliveReaders()
    return supervise(config).ended
  },
}
