import assert from 'node:assert/strict'
import { observe, observeAll, observeState } from './observe.ts'
import type { Plan } from './plan.ts'
import { planOf } from './plans.ts'
import type { Step } from './step.ts'
import type { Answer, Subject } from './subject.ts'
import { pass } from './time.ts'
import { newWorld, type World } from './world.ts'

/** How often each operation was answered, and how: what a run has tried. */
export type Tally = Map<string, number>

/** Does these steps to the service and to the model, which have to agree after each. */
export class Following {
  world: World
  readonly #subject: Subject
  readonly #tally: Tally
  /** What was done, for whoever has to find out what went wrong. */
  readonly #trace: string[] = []

  constructor(subject: Subject, tally: Tally) {
    this.#subject = subject
    this.#tally = tally
    this.world = newWorld(subject, subject.now())
  }

  async follow(steps: readonly Step[]): Promise<void> {
    await this.explained(async () => {
      for (const step of steps) await this.take(step)
      await this.compare()
    })
  }

  /** All that the model knows, and whatever was ever encrypted, in every Region. */
  async compare(): Promise<void> {
    await observeAll(this.#subject, this.world)
    for (const ciphertext of this.world.ciphertexts.keys()) {
      for (const region of this.world.regions.keys()) {
        await this.take({ do: 'Decrypt', ciphertext, region, named: 'none', rightContext: true })
      }
    }
  }

  /** Adds to a failure what led to it. */
  async explained(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const said = error instanceof Error ? error.stack : String(error)
      throw new Error(`${said}\nafter\n${this.#trace.join('\n')}`, { cause: error })
    }
  }

  async take(step: Step): Promise<void> {
    const { world } = this
    const subject = this.#subject
    // A moment passes between some calls, and none between others.
    subject.time?.pass([0, 1, 1000][this.#trace.length % 3] ?? 0)
    world.now = subject.now()
    if (step.do === 'Advance') {
      if (subject.time === undefined) return
      this.note(`${step.hours} hours pass`)
      await pass(subject, subject.time, world, step.hours)
      return
    }
    const plan = planOf(world, step)
    if (plan === undefined) return
    const { from } = world.now
    const answer = await subject.call(plan.region, plan.operation, plan.input)
    world.now = { from, to: subject.now().to }
    this.settle(plan, answer)
    const look = answer.error === undefined ? observe : observeState
    for (const ref of plan.touched) await look(subject, world, ref)
  }

  /**
   * A step in the middle of which the service dies and comes back, which is what `killed` does. Whoever did not get
   * the answer has to ask what became of it.
   */
  async takeKilled(step: Step, killed: () => Promise<void>): Promise<void> {
    const { world } = this
    const subject = this.#subject
    world.now = subject.now()
    const plan = step.do === 'Advance' ? undefined : planOf(world, step)
    if (plan === undefined) {
      await killed()
      return
    }
    const before = structuredClone(world)
    const { from } = world.now
    const [answer] = await Promise.all([
      subject.attempt(plan.region, plan.operation, plan.input),
      killed(),
    ])
    world.now = { from, to: subject.now().to }
    if (answer !== undefined) {
      this.settle(plan, answer)
      await this.compare()
      return
    }
    this.note(`${plan.operation} in ${plan.region} ${shortened(plan.input)}: not answered`)
    this.count(`${plan.operation}: not answered`)
    if (plan.refused.length === 0) plan.apply(undefined)
    try {
      await observeAll(subject, world)
    } catch (error) {
      this.world = before
      try {
        await observeAll(subject, before)
      } catch (other) {
        throw new AggregateError([error, other], `neither done, ${error}\nnor not done, ${other}`)
      }
    }
    await this.compare()
  }

  /** The answer has to be one that is expected; a success changes the model. */
  settle(plan: Plan, { error, body }: Answer): void {
    const { operation, region, input, refused } = plan
    const outcome = error ?? 'done'
    const message = body['message'] ?? body['Message'] ?? ''
    this.note(`${operation} in ${region} ${shortened(input)}: ${outcome} ${message}`)
    this.count(`${operation}: ${outcome}`)
    const expected = refused.length === 0 ? ['done'] : refused
    assert.ok(expected.includes(outcome), `${operation}: ${outcome}, not ${expected.join(' or ')}`)
    if (error === undefined) plan.apply(body)
  }

  count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1)
  }

  note(text: string): void {
    this.#trace.push(`  ${this.#trace.length + 1}. ${text}`)
  }
}

function shortened(input: object): string {
  return JSON.stringify(input, (_, value: unknown) =>
    typeof value === 'string' && value.length > 100 ? `${value.slice(0, 24)}…` : value,
  )
}
