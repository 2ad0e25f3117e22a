import { dropMaterial } from './imports.ts'
import { deleteKey } from './keys.ts'
import { observe } from './observe.ts'
import { rotate } from './rotation.ts'
import type { Subject, Time } from './subject.ts'
import { dayMs, type KeyRef, keyOf, keyRefs, later, type World } from './world.ts'

type Due = { readonly at: number; readonly ref: KeyRef; readonly happen: () => void }

/** What comes of itself, and when. */
function dues(world: World): Due[] {
  const found: Due[] = []
  for (const ref of keyRefs(world)) {
    const key = keyOf(world, ref)
    if (key.state === 'Gone') continue
    const { deletion } = key
    if (deletion !== undefined) {
      found.push({ at: deletion.from, ref, happen: () => deleteKey(world, ref) })
    }
    const family = world.families[ref.family]
    if (family === undefined || family.primary !== ref.region) continue
    const { rotation } = family
    if (rotation !== undefined && key.state === 'Enabled') {
      const happen = () => {
        rotate(world, ref.family, 'AUTOMATIC')
        rotation.next = later(world.now, rotation.periodInDays * dayMs)
      }
      found.push({ at: rotation.next.from, ref, happen })
    }
    for (const material of family.materials) {
      if (material.expires === undefined) continue
      found.push({
        at: material.expires.from,
        ref,
        happen: () => dropMaterial(world, ref, material),
      })
    }
  }
  return found.sort((a, b) => a.at - b.at)
}

/**
 * Time passes, from one moment at which something is due to the next: a millisecond before it nothing has happened
 * yet, and then it has. What was due already happens at once.
 */
export async function pass(
  subject: Subject,
  time: Time,
  world: World,
  hours: number,
): Promise<void> {
  const end = subject.now().to + hours * 3_600_000
  const reach = async (moment: number) => {
    time.pass(Math.max(0, moment - subject.now().to))
    world.now = subject.now()
  }
  for (;;) {
    const [next] = dues(world)
    if (next === undefined || next.at > end) break
    await reach(next.at - 1)
    if (next.at > world.now.to) {
      await time.upkeep()
      await observe(subject, world, next.ref)
    }
    await reach(next.at)
    const due = dues(world).filter(({ at }) => at <= world.now.to)
    for (const { happen } of due) happen()
    await time.upkeep()
    for (const { ref } of due) await observe(subject, world, ref)
  }
  await reach(end)
  await time.upkeep()
}
