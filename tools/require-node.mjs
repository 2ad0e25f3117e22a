// Stops with a sentence when a Node older than 26 runs us: Node 20 given only `.ts` tests reports a
// green run of nothing. Plain JavaScript, because it must load on that old Node.
const [major] = process.versions.node.split('.').map(Number)
if (major < 26) {
  console.error(
    `Kagiban needs Node 26 or newer; this is ${process.version}. Run "npm ci" in the clone: it brings Node 26 along.`,
  )
  process.exit(1)
}
