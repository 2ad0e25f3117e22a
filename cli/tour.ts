import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline/promises'
import { type CommandLine, parse, UsageError } from './command-line.ts'
import { Player } from './tour/player.ts'
import { ScratchServer } from './tour/scratch-server.ts'
import { story } from './tour/story.ts'

export const tour: CommandLine = {
  words: ['tour'],
  synopsis: 'tour [--aws]',
  summary: 'the whole story, played on a server of its own',
  help: `Usage: kagiban tour [--aws] [--step] [--keep]

Starts a service over a new folder under the system's temporary one, plays through it what Kagiban
is for, and shows each command and its answer: a key whose administrators and users are apart,
envelope encryption, a bucket that encrypts by default, a denied read explained, a read found in
both records, a signature that OpenSSL verifies, a policy change and its history, the record proved.
Then it ends the service and removes the folder. No other service or data folder is touched.

  --aws                        type the lines into this machine's AWS CLI (without it, into a small
                               one of the tour's own that reads the same lines)
  --step                       wait for Enter before each line
  --keep                       leave the folder, and say where it is

Exit code 1 when something came out otherwise than the tour says.
`,
  async run(invocation) {
    const flags = { aws: { type: 'boolean' }, step: { type: 'boolean' }, keep: { type: 'boolean' } }
    const { values } = parse(invocation, flags as Flags, [])
    const withAwsCli = values.aws === true
    if (withAwsCli && spawnSync('aws', ['--version'], { stdio: 'ignore' }).status !== 0) {
      throw new UsageError('There is no AWS CLI on this machine: leave --aws out.')
    }
    const say = (text: string) => void process.stdout.write(`${text}\n`)
    const server = await ScratchServer.start()
    const reader = values.step === true ? createInterface(process.stdin, process.stdout) : undefined
    try {
      say(`A service of its own runs at ${server.endpoint}, over ${server.folder}.`)
      const pause = async () => void (await reader?.question('\n[Enter] '))
      const player = new Player({ server, env: invocation.env, withAwsCli, say, pause })
      for (const [index, chapter] of story.entries()) await player.play(chapter, index + 1)
      say('\nThat was the tour. "npm start" runs a service to keep; docs/ has the rest.')
      return 0
    } finally {
      reader?.close()
      await server.stop(values.keep === true)
      if (values.keep === true) say(`The folder is left: ${server.folder}`)
    }
  },
}

type Flags = Record<'aws' | 'step' | 'keep', { readonly type: 'boolean' }>
