import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { configOperations } from '../../src/services/config/operations/table.ts'
import type { Schema } from '../../src/wire/schema.ts'
import { kagibanOk, run } from '../support/cli.ts'
import { TestServer } from '../support/server.ts'
import { awsEnvironment, boto3Missing, python } from './environment.ts'

const skip = (await boto3Missing()) ?? false

type Members = { readonly [name: string]: Members } | readonly [Members] | null

/** The names of a schema's members, as the script prints those of AWS's model. */
function membersOf(schema: Schema | undefined): Members {
  if (schema?.type === 'structure') {
    return Object.fromEntries(
      Object.entries(schema.members).map(([name, member]) => [name, membersOf(member)]),
    )
  }
  return schema?.type === 'list' ? [membersOf(schema.member)] : null
}

/** Names of ours that AWS's model does not have. */
function strange(own: Members, theirs: Members, path: string): string[] {
  if (own === null) return []
  if (theirs === null) return Object.keys(own).length === 0 ? [] : [path]
  if (Array.isArray(own)) return strange(own[0], (theirs as readonly [Members])[0], `${path}[]`)
  return Object.entries(own as Record<string, Members>).flatMap(([name, member]) =>
    Object.hasOwn(theirs, name)
      ? strange(member, (theirs as Record<string, Members>)[name] ?? null, `${path}.${name}`)
      : [`${path}.${name}`],
  )
}

test('boto3 reads histories and keeps rules, and every member is AWS’s', { skip }, async () => {
  const server = await TestServer.start()
  try {
    const script = join(import.meta.dirname, 'config_boto3.py')
    const { code, stdout, stderr } = await run(python, [script], { env: awsEnvironment(server) })
    assert.equal(code, 0, stderr)
    const { model, relatedEvents, selected, expression, ...seen } = JSON.parse(stdout)
    assert.deepEqual(seen, {
      statuses: ['OK', 'ResourceDiscovered'],
      rotation: ['true', 'false'],
      keyState: 'Enabled',
      pages: 2,
      listed: ['alias/config'],
      batch: 1,
      counts: 2,
      compliant: ['COMPLIANT'],
      violated: ['NON_COMPLIANT'],
      rules: ['rotation'],
      tags: [{ Key: 'a', Value: 'b' }],
      gone: true,
    })
    assert.match(relatedEvents[0], /^[0-9a-f-]{36}$/)
    assert.equal(selected[0].configuration.keyState, 'Enabled')
    assert.match(expression, /line 1, column 8/)
    for (const [name, { input, output }] of configOperations) {
      const { [name]: theirs } = model as Record<string, { input: Members; output: Members }>
      assert.ok(theirs !== undefined, name)
      assert.deepEqual(strange(membersOf(input), theirs.input, `${name} input`), [])
      assert.deepEqual(strange(membersOf(output), theirs.output, `${name} output`), [])
      const asked = Object.keys(theirs.output ?? {})
      const answered = Object.keys(membersOf(output) ?? {})
      assert.deepEqual(answered.sort(), asked.sort(), `the output of ${name}`)
    }

    const history = await kagibanOk('policy', 'history', 'alias/config', '--data', server.data)
    assert.match(
      history,
      /version 1 .*\n {2}CreateKey by arn:aws:iam::\d{12}:root from 127\.0\.0\.1\n {2}event [0-9a-f-]{36}/,
    )
    const json = await kagibanOk(
      'policy',
      'history',
      'alias/config',
      '--json',
      '--data',
      server.data,
    )
    assert.equal(JSON.parse(json).versions.length, 1)
  } finally {
    await server.discard()
  }
})
