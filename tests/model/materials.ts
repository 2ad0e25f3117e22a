import assert from 'node:assert/strict'
import { type Family, must, type World } from './world.ts'

/** The service told the id of a material: the one that it told before, or, the first time, one of nothing else. */
export function materialTold(world: World, family: Family, index: number, told: unknown): void {
  const material = must(family.materials[index], 'a material')
  assert.ok(typeof told === 'string' && /^[0-9a-f]{64}$/.test(told), `no material id: ${told}`)
  const known = material.id ?? family.imported.get(material.bytes ?? '')
  if (known === undefined) {
    const others = world.families.flatMap(({ materials }) => materials.map(({ id }) => id))
    assert.ok(!others.includes(told), `two materials have the id ${told}`)
  } else assert.equal(told, known, 'the id of a material')
  material.id = told
  if (material.bytes !== undefined) family.imported.set(material.bytes, told)
}
