import assert from 'node:assert/strict'
import type { Body } from './plan.ts'
import type { Region, When } from './world.ts'

export type Answer = { readonly error: string | undefined; readonly body: Body }

/** The service, as one sequence sees it: with nothing in it at first. */
export abstract class Subject {
  abstract readonly account: string
  /** Undefined where there is no second account. */
  abstract readonly otherAccount: string | undefined
  abstract readonly regions: readonly Region[]
  /** Undefined where time goes by itself. */
  abstract readonly time: Time | undefined

  abstract now(): When

  /** Undefined where no whole answer came: nobody knows what happened then. */
  abstract attempt(region: Region, operation: string, input: object): Promise<Answer | undefined>

  /** Any answer. */
  async call(region: Region, operation: string, input: object): Promise<Answer> {
    const answer = await this.attempt(region, operation, input)
    assert.ok(answer !== undefined, `${operation} was not answered`)
    return answer
  }

  /** The answer of a call that has to succeed. */
  async ask(region: Region, operation: string, input: object): Promise<Body> {
    const { error, body } = await this.call(region, operation, input)
    assert.equal(error, undefined, `${operation}: ${body['message'] ?? ''}`)
    return body
  }
}

/** Time that stands still unless it is told to pass. */
export type Time = {
  pass(ms: number): void
  /** All that the service does of itself, once. */
  upkeep(): Promise<void>
}
