import { setTimeout as sleep } from 'node:timers/promises'
import { openChildWorld } from './child-world.ts'
import { trailOf } from './world.ts'

/** Records events and delivers them until it is killed; says on standard output which ones were acknowledged. */
const [folder = ''] = process.argv.slice(2)
const { world } = await openChildWorld(folder)
if ([...world.trails.rows.values()].length === 0) {
  await world.change('CreateTrail', trailOf())
  const id = await world.change('StartLogging', trailOf({ logging: true }))
  process.stdout.write(`${id}\n`)
}
world.delivery.start(10)
process.stdout.write('ready\n')
for (;;) {
  const ids = await Promise.all(Array.from({ length: 5 }, () => world.event()))
  process.stdout.write(`${ids.join('\n')}\n`)
  await sleep(3)
}
