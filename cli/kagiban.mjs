#!/usr/bin/env node
// The operator's command. Plain JavaScript: it must load on whatever Node the machine has, find the Node 26 that came
// with the dependencies, and hand over.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const major = Number(process.versions.node.split('.')[0])
if (major >= 26) {
  const { run } = await import('./main.ts')
  process.exitCode = await run(process.argv.slice(2), process.env)
} else {
  const node = join(here, '../node_modules/.bin/node')
  if (!existsSync(node)) {
    console.error(
      `Kagiban needs Node 26 or newer; this is ${process.version}. Run "npm ci" in the clone: it brings one.`,
    )
    process.exit(1)
  }
  const child = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exitCode = child.status ?? 1
}
