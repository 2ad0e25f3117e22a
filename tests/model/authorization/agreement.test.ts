import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../../../src/authorize/evaluate.ts'
import type { SourcedPolicy } from '../../../src/authorize/layers.ts'
import { noBucketPolicy } from '../../../src/authorize/policy/bucket.ts'
import { compilePolicy } from '../../../src/authorize/policy/compile.ts'
import type { PolicyKind } from '../../../src/authorize/policy/document.ts'
import type { AccessRequest, AccessResource } from '../../../src/authorize/request.ts'
import type { AccountId } from '../../../src/base/ids.ts'
import { Seeded } from '../../support/seeded.ts'
import { decideNaively, type NaiveDecision, type NaiveRequest } from './naive.ts'
import { randomCase } from './random-cases.ts'

const cases = process.env['SLOW'] === '1' ? 1_000_000 : 20_000

/** `SEED=… SLOW=1` repeats a run. */
test(`the evaluator and a naive one agree on ${cases} random policies and requests`, () => {
  const chance = Seeded.fromEnvironment()
  const seen: Record<NaiveDecision, number> = { allowed: 0, denied: 0, 'not allowed': 0 }
  for (let count = 1; count <= cases; count++) {
    const request = randomCase(chance)
    const expected = decideNaively(request)
    const decision = decide(compiled(request))
    seen[expected]++
    const found = decision.allowed
      ? 'allowed'
      : decision.reason.startsWith('explicit-deny')
        ? 'denied'
        : 'not allowed'
    const agrees =
      // A stranger is told of the key's side first, so which of two refusals it is may differ.
      expected === found || (expected !== 'allowed' && found !== 'allowed' && isStranger(request))
    assert.ok(
      agrees,
      `seed ${chance.seed}, case ${count}: ${found} (${decision.reason}), and naively ${expected}\n` +
        JSON.stringify(request, undefined, 2),
    )
  }
  // Cases that nearly all end alike would show little.
  for (const [decision, count] of Object.entries(seen)) {
    assert.ok(count > cases / 20, `only ${count} of ${cases} cases were '${decision}'`)
  }
})

function isStranger({ caller, resource }: NaiveRequest): boolean {
  return caller.account !== resource.account
}

function compiled(request: NaiveRequest): AccessRequest {
  const { caller, permission, resource, grant, boundary } = request
  return {
    caller,
    permission,
    resource: compiledResource(resource),
    // One record holds a key in one spelling only once.
    conditions: request.conditions.map(([key, value]) => ({ [key]: value })),
    layers: {
      identity: request.identity.map((text) => sourced(text, 'identity')),
      boundary: boundary === undefined ? undefined : sourced(boundary, 'identity'),
      session: request.session?.map((text) => sourced(text, 'identity')),
      serviceControl: request.serviceControl.map((level) =>
        level.map((text) => sourced(text, 'service-control')),
      ),
    },
    resourceControl: request.resourceControl.map((level) =>
      level.map((text) => sourced(text, 'resource-control')),
    ),
    grant: grant === undefined ? undefined : () => ({ grantId: 'g', grantee: grant }),
  }
}

function compiledResource(resource: NaiveRequest['resource']): AccessResource {
  const account = resource.account as AccountId
  if (resource.type === 'identity') return { ...resource, account }
  if (resource.type === 'role') {
    return { ...resource, account, policy: compilePolicy(resource.policy, 'trust') }
  }
  if (resource.type === 'bucket') {
    const { policy } = resource
    const own = policy === undefined ? noBucketPolicy : compilePolicy(policy, 'bucket')
    return { ...resource, account, policy: own }
  }
  return { ...resource, account, policy: compilePolicy(resource.policy, 'key') }
}

function sourced(text: string, kind: PolicyKind): SourcedPolicy {
  return { name: 'p', version: undefined, policy: compilePolicy(text, kind) }
}
