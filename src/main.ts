import { run } from '../cli/run.ts'
import { start } from '../cli/start.ts'

/** `npm start` is `kagiban start`. */
process.exitCode = await run(start, { argv: process.argv.slice(2), env: process.env })
