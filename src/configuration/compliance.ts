import { inTurns } from '../authorize/analyse/in-steps.ts'
import type { Clock } from '../base/clock.ts'
import type { Compliance, Verdict } from '../services/config/deps.ts'
import { managedRule, parametersIn } from '../services/config/managed-rules.ts'
import { type ConfigState, type RuleRecord, ruleRow } from '../services/config/state.ts'
import type { Mirror } from '../storage/mirror.ts'
import type { Subject, Subjects } from './subjects.ts'

export type ComplianceDeps = {
  readonly config: ConfigState
  readonly subjects: Subjects
  readonly mirror: Pick<Mirror, 'refresh'>
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** What is known of one rule, which was as `asked` says when it was looked at. */
type Evaluated = {
  readonly asked: string
  readonly verdicts: Map<string, Verdict>
  evaluatedAt: number
  /** In order, until one changes. */
  sorted: readonly Verdict[] | undefined
}

/**
 * The verdicts of every rule, kept current in the background: changes mark what they are about, and each round looks at
 * what is marked. Nothing is stored: a start looks at everything again.
 */
export class ComplianceBook implements Compliance {
  readonly #deps: ComplianceDeps
  readonly #rules = new Map<string, Evaluated>()
  /** Rows of rules that somebody asks to be evaluated. */
  readonly #asked = new Set<string>()

  constructor(deps: ComplianceDeps) {
    this.#deps = deps
  }

  of(rule: RuleRecord): readonly Verdict[] | undefined {
    const known = this.#current(rule)
    if (known === undefined) return undefined
    known.sorted ??= [...known.verdicts.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, verdict]) => verdict)
    return known.sorted
  }

  evaluatedAt(rule: RuleRecord): number | undefined {
    return this.#current(rule)?.evaluatedAt
  }

  evaluate(rule: RuleRecord): void {
    this.#asked.add(ruleRow(rule))
  }

  /** Brings every verdict up to date with what is committed now. Not to be called twice at once. */
  async round(): Promise<void> {
    const { config, subjects, mirror } = this.#deps
    await mirror.refresh()
    const rules = [...config.rules.values()]
    const marked = subjects.takeMarked(rules.length > 0)
    if (rules.length === 0) this.#rules.clear()
    const rows = new Set(rules.map(ruleRow))
    for (const row of this.#rules.keys()) if (!rows.has(row)) this.#rules.delete(row)
    for (const rule of rules) {
      const isWhole = this.#asked.delete(ruleRow(rule)) || this.#current(rule) === undefined
      try {
        await inTurns(this.#ruleSteps(rule, isWhole ? undefined : marked))
      } catch (error) {
        // Looked at as a whole in the next round; the verdicts that there were are not shown meanwhile.
        this.#rules.delete(ruleRow(rule))
        this.#deps.log(`rule ${ruleRow(rule)} was not evaluated: ${String(error)}`)
      }
    }
  }

  #current(rule: RuleRecord): Evaluated | undefined {
    const known = this.#rules.get(ruleRow(rule))
    return known?.asked === askedOf(rule) ? known : undefined
  }

  *#ruleSteps(rule: RuleRecord, marked: ReadonlySet<string> | undefined): Generator<void, void> {
    const { subjects, clock } = this.#deps
    const { types = [] } = managedRule(rule.sourceIdentifier) ?? {}
    const parameters = parametersIn(rule.inputParameters) ?? {}
    const known = marked === undefined ? undefined : this.#current(rule)
    const before = known?.verdicts ?? new Map<string, Verdict>()
    const found = known ?? {
      ...{ asked: askedOf(rule), verdicts: before },
      ...{ evaluatedAt: clock.now(), sorted: undefined },
    }
    const scoped = types.filter((type) => rule.scope?.types?.includes(type) ?? true)
    const places = scoped.flatMap((type) =>
      marked === undefined
        ? subjects.every(type, rule.account, rule.region)
        : subjects.among(marked, { rule, type }),
    )
    for (const { name, subject } of places) {
      yield
      const invokedAt = clock.now()
      const seen = subject()
      const isAbout = seen !== undefined && isInScope(rule, seen)
      const said = isAbout
        ? yield* subjects.evaluate(rule.sourceIdentifier, seen, parameters)
        : undefined
      found.evaluatedAt = invokedAt
      found.sorted = undefined
      if (said === undefined || seen === undefined) found.verdicts.delete(name)
      else {
        found.verdicts.set(name, {
          ...{ rule: rule.name, type: seen.type, resourceId: seen.id },
          compliance: said === true ? 'COMPLIANT' : 'NON_COMPLIANT',
          annotation: said === true ? undefined : said.slice(0, 256),
          ...{ recordedAt: clock.now(), invokedAt },
        })
      }
    }
    this.#rules.set(ruleRow(rule), found)
  }
}

/** What verdicts depend on of a rule. */
function askedOf({ ruleId, sourceIdentifier, inputParameters, scope }: RuleRecord): string {
  return JSON.stringify([ruleId, sourceIdentifier, inputParameters, scope])
}

function isInScope({ scope }: RuleRecord, { id, tags }: Subject): boolean {
  if (scope === undefined) return true
  const { resourceId, tagKey, tagValue } = scope
  if (resourceId !== undefined && resourceId !== id) return false
  if (tagKey === undefined) return true
  return Object.hasOwn(tags, tagKey) && (tagValue === undefined || tags[tagKey] === tagValue)
}
