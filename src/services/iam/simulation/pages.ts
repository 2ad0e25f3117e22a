import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { readPage } from '../paging.ts'
import { evaluate, PolicyTexts } from './evaluation.ts'
import type { Scenario } from './scenario.ts'
import type { EvaluationResult, SimulationRequest } from './shapes.ts'

/** Characters of policies times characters of the request, over all results of a page. */
const workMax = 2 * 1024 ** 3
/** Characters of a page: the statements that match are told of each result. */
const charactersMax = 1024 ** 2
const defaultItems = 100

/**
 * A page of results: one for each action on each resource. A page ends early when it has been work enough, or is long
 * enough. Calls of others are served between two results.
 */
export async function simulate(request: SimulationRequest, scenario: Scenario) {
  const { actions, resources } = scenario
  const places = Array.from({ length: actions.length * resources.length }, (_, place) => place)
  const { Marker, MaxItems, ...question } = request
  const scope = ['Simulate', hash('sha256', JSON.stringify(question))]
  const pageOf = (items: number) =>
    readPage({ Marker, MaxItems: items }, scope, places, (place) => String(place).padStart(8, '0'))
  const { items } = pageOf(Math.min(MaxItems ?? defaultItems, itemsMax(scenario)))
  const texts = new PolicyTexts(scenario)
  const EvaluationResults: EvaluationResult[] = []
  let characters = 0
  for (const place of items) {
    if (characters >= charactersMax) break
    const action = actions[Math.floor(place / resources.length)] ?? ''
    const resource = resources[place % resources.length] ?? ''
    const result = evaluate(scenario, texts, action, resource)
    EvaluationResults.push(result)
    characters += JSON.stringify(result).length
    await setImmediate()
  }
  const { page } = pageOf(EvaluationResults.length)
  return { output: { EvaluationResults, ...page } }
}

function itemsMax({ layers, context, resourcePolicy, resources }: Scenario): number {
  const { identity, boundary, serviceControl } = layers
  const sources = [
    ...identity,
    ...(boundary === undefined ? [] : [boundary]),
    ...serviceControl.flat(),
  ]
  const policies = sources.reduce((sum, { policy }) => sum + policy.text.length, 0)
  const values = Object.values(context).flat()
  const said = values.reduce((sum, value) => sum + value.length, 0)
  const arn = Math.max(...resources.map(({ length }) => length))
  const work = (policies + (resourcePolicy?.given.length ?? 0) + 1) * (said + arn + 1)
  return Math.max(1, Math.floor(workMax / work))
}
