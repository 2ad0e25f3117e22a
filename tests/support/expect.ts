import assert from 'node:assert/strict'

/** A call through an SDK must fail with this error of AWS's, and with this text. */
export async function fails(
  call: Promise<unknown>,
  name: string,
  message?: string | RegExp,
): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof Error, 'an error was expected')
    const said = `${error.name}: ${error.message}`
    assert.equal(error.name, name, said)
    const { $metadata } = error as { $metadata?: { httpStatusCode?: number; requestId?: string } }
    assert.equal($metadata?.httpStatusCode, 400, said)
    assert.match($metadata?.requestId ?? '', /^[0-9a-f-]{36}$/, 'every answer names its request')
    if (typeof message === 'string') assert.equal(error.message, message)
    else if (message !== undefined) assert.match(error.message, message)
    return true
  })
}

/** The value, or a failed test where it is missing. */
export function present<T>(value: T | undefined | null, what = 'a value'): T {
  assert.ok(value !== undefined && value !== null, `${what} is missing`)
  return value
}
