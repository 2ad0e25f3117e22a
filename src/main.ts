import { ConfigError, readConfig, startHelp } from './config.ts'
import { supervise } from './supervisor.ts'

/** `npm start`: reads the configuration and supervises the processes until they end. */
try {
  const config = readConfig(process.argv.slice(2), process.env)
  if (config === undefined) console.log(startHelp)
  else {
    const running = supervise(config)
    process.exitCode = await running.ended
  }
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
