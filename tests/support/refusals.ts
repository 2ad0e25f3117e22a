import assert from 'node:assert/strict'
import { auditExport } from './cli.ts'
import { present } from './expect.ts'

/** A call that has to be denied: who asked for what, and why not. */
export type Refusal = {
  /** ARN of the caller. */
  readonly who: string
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly resource: string
  /** The words behind the ARN of the resource. */
  readonly because: string
  /** The reason as the record has it. */
  readonly reason: string
}

/** Denials that clients were told, to be found again in the audit record. */
export class Refusals {
  readonly #told: (Refusal & { readonly requestId: string; readonly text: string })[] = []

  /** The call has to fail with AWS's error of its service, its status, and these words. */
  async expect(call: Promise<unknown>, refusal: Refusal): Promise<void> {
    const { who, permission, resource, because } = refusal
    const text = `User: ${who} is not authorized to perform: ${permission} on resource: ${resource} ${because}`
    const isKms = permission.startsWith('kms:')
    const error = await call.then(
      () => assert.fail(`${who} was allowed ${permission} on ${resource}`),
      (failure: Error) => failure,
    )
    assert.equal(error.message, text)
    assert.equal(error.name, isKms ? 'AccessDeniedException' : 'AccessDenied')
    const { $metadata } = error as {
      readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
    }
    assert.equal($metadata?.httpStatusCode, isKms ? 400 : 403)
    this.#told.push({ ...refusal, text, requestId: present($metadata?.requestId) })
  }

  /** Each of them is in the record of a data folder, with who asked and why it was denied. */
  async verifyRecord(data: string): Promise<void> {
    assert.ok(this.#told.length > 0, 'nothing was denied')
    const events = new Map((await auditExport(data)).map((event) => [event.requestID, event]))
    for (const { requestId, who, permission, resource, reason, text } of this.#told) {
      const event = present(events.get(requestId), `the event of ${permission}`)
      assert.equal(event.userIdentity.arn, who)
      assert.equal(event.errorCode, 'AccessDenied')
      assert.equal(event.errorMessage, text)
      const decisions = event.additionalEventData?.['authorization'] as
        | readonly Record<string, unknown>[]
        | undefined
      const last = present(decisions?.at(-1), `the decision on ${permission}`)
      const decided = { permission, resource, allowed: false, reason }
      assert.deepEqual({ ...last, ...decided }, last)
    }
  }
}
