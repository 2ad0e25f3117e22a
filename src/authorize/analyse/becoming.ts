import type { Powers } from './powers.ts'
import { namedSessions, type Principal } from './principals.ts'
import { credentials, escalations, newIdentities, type Place, type Step } from './steps.ts'

/**
 * Everybody as whom one principal can come to act, by whose credentials and with which policies: roles are assumed,
 * access keys made, policies and trust policies written, users put into groups, for as long as there is anybody new.
 * The principal itself is the first. `certain`: only by steps that were replayed.
 */
export function becoming(powers: Powers, start: Principal, certain: boolean): readonly Place[] {
  const named = namedSessions(powers.world, [powers.world.key.policy])
  const places = new Map<string, Place>()
  const queue: Place[] = []
  const visit = (place: Place) => {
    if (certain && !place.certain) return
    const { id } = place.principal
    const known = places.get(id)
    // A certain way is worth more than a short one, where both count.
    if (
      known !== undefined &&
      known.certain >= place.certain &&
      known.steps.length <= place.steps.length
    )
      return
    if (known?.certain === true && !place.certain) return
    places.set(id, place)
    queue.push(place)
  }
  visit({ principal: start, steps: [], certain: true })
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    // The root user is taken at its word not to touch the identities of its account.
    if (place.principal.kind === 'root') continue
    if (places.get(place.principal.id) !== place) continue
    const { principal } = place
    const found = powers.once(`from ${principal.id}`, () => {
      const from = { principal, steps: [], certain: true }
      return [...credentials(powers, from, named), ...newIdentities(powers, from)]
    })
    for (const next of found) visit(after(place, next))
    for (const other of [...places.values()]) {
      for (const next of more(powers, place, other)) visit(next)
      if (other !== place) for (const next of more(powers, other, place)) visit(next)
    }
  }
  return [...places.values()].sort((a, b) => a.steps.length - b.steps.length)
}

/** What `by` can make of `whom`: to act as that, the way to them has to be gone as well. */
function more(powers: Powers, by: Place, whom: Place): readonly Place[] {
  if (by.principal.kind === 'root' || !powers.managesIdentities(by.principal)) return []
  const found = powers.once(`${by.principal.id} of ${whom.principal.id}`, () => {
    const from = { principal: by.principal, steps: [], certain: true }
    return [...escalations(powers, from, whom.principal)]
  })
  const steps = joined(whom.steps, by.steps)
  const certain = whom.certain && by.certain
  return found.map((next) => after({ ...whom, steps, certain }, next))
}

function after(place: Place, next: Place): Place {
  const steps = [...place.steps, ...next.steps]
  return { principal: next.principal, steps, certain: place.certain && next.certain }
}

/** Both ways, one after the other, without what they share. */
export function joined(first: readonly Step[], second: readonly Step[]): readonly Step[] {
  return [...first, ...second.filter((step) => !first.includes(step))]
}
