import type { Member, StructureSchema } from '../schema.ts'

/** What is asked of a schema for every request, found out once. */
export type Plan = {
  readonly members: readonly (readonly [name: string, member: Member])[]
  /** The member that is the body. */
  readonly payload: readonly [name: string, member: Member] | undefined
  /** Whether the body is XML of the members that are nowhere else. */
  readonly hasElements: boolean
  readonly headers: ReadonlySet<string>
  readonly parameters: ReadonlySet<string>
  /** Beginnings of names of headers. */
  readonly prefixes: readonly string[]
}

const plans = new WeakMap<StructureSchema, Plan>()

export function planOf(schema: StructureSchema): Plan {
  let plan = plans.get(schema)
  if (plan === undefined) {
    plan = newPlan(schema)
    plans.set(schema, plan)
  }
  return plan
}

function newPlan(schema: StructureSchema): Plan {
  const members = Object.entries(schema.members)
  const names = (place: string) =>
    members.flatMap(([, { http }]) => (http?.in === place && 'name' in http ? http.name : []))
  return {
    members,
    payload: members.find(([, { http }]) => http?.in === 'payload'),
    hasElements: members.some(([, { http }]) => http === undefined),
    headers: new Set(names('header')),
    parameters: new Set(names('query')),
    prefixes: names('prefix'),
  }
}
