#!/usr/bin/env node
// The operator's command. Plain JavaScript: it must load on whatever Node the machine has, find the Node 26 that came
// with the dependencies, and hand over.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const args = process.argv.slice(2)
const major = Number(process.versions.node.split('.')[0])
if (major >= 26) {
  const { main } = await import('./main.ts')
  process.exitCode = await main(args, process.env)
} else {
  const node = join(here, '../node_modules/.bin/node')
  if (!existsSync(node)) {
    console.error(
      `Kagiban needs Node 26 or newer; this is ${process.version}. Run "npm ci" in the clone: it brings one.`,
    )
    process.exit(1)
  }
  handOver(node)
}

/** Runs the command there and ends as it ends. Whoever stops this process means the one that does the work. */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', ...furtherDescriptors()],
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => {
    console.error(`kagiban: ${node} does not start: ${error.message}`)
    process.exitCode = 1
  })
  child.once('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

/** A child gets descriptors 0 to 2 and those that are named: the one that a passphrase is to be read from. */
function furtherDescriptors() {
  const at = args.findIndex((arg) => /^--root-passphrase-fd(=|$)/.test(arg))
  const named = at < 0 ? 0 : Number(args[at].split('=')[1] ?? args[at + 1])
  if (!Number.isInteger(named) || named < 3 || named > 1023) return []
  return [...Array(named - 3).fill('ignore'), named]
}
