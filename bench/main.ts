import { hasProc } from '../tests/support/processes.ts'
import { measureAsymmetric } from './asymmetric.ts'
import { measureManyKeys } from './many-keys.ts'
import { benchHelp, readOptions } from './options.ts'
import {
  asymmetricTable,
  gates,
  manyKeysTable,
  missedAsymmetricGates,
  missedGates,
  pagesTable,
  throughputTable,
} from './report.ts'
import { measureThroughput } from './throughput.ts'

/** `npm run bench`: the figures that the documentation states, measured again. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    console.log(benchHelp)
    return 0
  }
  if (!hasProc) {
    console.error('The bench reads CPU time and memory from /proc, which only Linux has.')
    return 2
  }
  const throughput = await measureThroughput(options)
  console.log(`\n${throughputTable(throughput)}`)
  const asymmetric = options.asymmetric ? await measureAsymmetric(options) : undefined
  if (asymmetric !== undefined) console.log(`\n${asymmetricTable(asymmetric)}`)
  const manyKeys = options.keys > 0 ? await measureManyKeys(options.keys) : undefined
  if (manyKeys !== undefined) {
    console.log(`\n${manyKeysTable(manyKeys)}\n\n${pagesTable(manyKeys)}`)
  }
  const missed = [
    ...missedGates(throughput, manyKeys),
    ...(asymmetric === undefined ? [] : missedAsymmetricGates(asymmetric)),
  ]
  const encrypt = throughput.operations.find(({ operation }) => operation === 'Encrypt')
  if (encrypt !== undefined && encrypt.measurement.ratio < gates.encryptGoal) {
    console.log(
      `\nEncrypt is below its goal of ${gates.encryptGoal.toFixed(2)} of the echo's rate.`,
    )
  }
  console.log(
    missed.length === 0 ? '\nAll gates passed.' : `\nMISSED: ${missed.join('\nMISSED: ')}`,
  )
  return missed.length === 0 ? 0 : 1
}

process.exitCode = await main()
