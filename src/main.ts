import { run } from '../cli/main.ts'

/** `npm start` is `kagiban start`. */
process.exitCode = await run(['start', ...process.argv.slice(2)], process.env)
