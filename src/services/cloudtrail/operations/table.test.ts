import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import * as sdk from '@aws-sdk/client-cloudtrail'
import { wireName } from '../../../wire/errors.ts'
import type { Schema } from '../../../wire/schema.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { cloudTrailService } from '../service.ts'
import { cloudTrailOperations } from './table.ts'

/**
 * The operations are compared with the model that AWS ships in its SDK. The SDK keeps a structure as
 * [3, namespace, name, traits, member names, member types, number of required members], a list as
 * [1, namespace, name, traits, member type], and a list of simple values as their type and 64.
 */
type SdkStructure = readonly [3, string, string, unknown, string[], unknown[], number?]
type SdkOperation = readonly [9, string, string, unknown, () => SdkStructure, () => SdkStructure]

const sdkOperations = new Map<string, SdkOperation>()
for (const value of Object.values(sdk) as unknown[]) {
  if (Array.isArray(value) && value[0] === 9 && typeof value[2] === 'string') {
    sdkOperations.set(value[2], value as unknown as SdkOperation)
  }
}

const built = [
  ...['AddTags', 'CreateTrail', 'DeleteTrail', 'DescribeTrails', 'GetEventSelectors', 'GetTrail'],
  ...['GetTrailStatus', 'ListPublicKeys', 'ListTags', 'ListTrails', 'LookupEvents'],
  ...['PutEventSelectors', 'RemoveTags', 'StartLogging', 'StopLogging', 'UpdateTrail'],
]

test('the operations on trails are in the table, each under its wire name', () => {
  const files = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && !file.startsWith('table'))
    .map((file) => file.slice(0, -'.ts'.length))
  const names = [...cloudTrailOperations.keys()]
  assert.deepEqual(names.toSorted(), built)
  assert.deepEqual(names.map(kebabCase).sort(), files.sort())
  for (const [name, operation] of cloudTrailOperations) assert.equal(operation.name, name)
})

test('SDKs send the long target or the short one', () => {
  assert.deepEqual(cloudTrailService({} as CloudTrailDeps).protocol, {
    name: 'json',
    targetPrefixes: [
      'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
      'CloudTrail_20131101',
    ],
  })
})

describe('the members of input and output are those of AWS', () => {
  for (const [name, { input, output }] of cloudTrailOperations) {
    test(name, () => {
      const model = sdkOperations.get(name)
      assert.ok(model)
      compare(input, model[4](), `${name} input`)
      assert.ok(output)
      compare(output, model[5](), `${name} output`)
    })
  }
})

/** Names of AWS's errors that are no class of this SDK because every operation of every service may answer them. */
const common = new Set(['ThrottlingException'])

test('errors are those that AWS has for CloudTrail', () => {
  for (const [name, { errors }] of cloudTrailOperations) {
    for (const code of errors) {
      const error = wireName(code, 'json', 'cloudtrail')
      assert.ok(error in sdk || common.has(error), `${name}: ${error}`)
    }
  }
})

function kebabCase(name: string): string {
  return name.replaceAll(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
}

const sdkTypes: Readonly<Record<string, number>> = {
  string: 0,
  integer: 1,
  boolean: 2,
  timestamp: 4,
  blob: 21,
}

function compare(schema: Schema, model: unknown, path: string): void {
  const type = typeof model === 'function' ? model() : model
  if (schema.type === 'list') {
    compare(schema.member, typeof type === 'number' ? type - 64 : type[4], `${path}[]`)
  } else if (schema.type === 'structure') {
    const [kind, , , , names, types, required = 0] = type as SdkStructure
    assert.equal(kind, 3, path)
    assert.deepEqual(Object.keys(schema.members).sort(), names.toSorted(), path)
    for (const [index, name] of names.entries()) {
      const member: (Schema & { readonly required?: true }) | undefined = schema.members[name]
      assert.ok(member)
      assert.equal(member.required === true, index < required, `${path} ${name}`)
      compare(member, types[index], `${path} ${name}`)
    }
  } else {
    assert.equal(type, sdkTypes[schema.type], path)
  }
}
