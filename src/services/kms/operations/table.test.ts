import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-kms'
import type { Schema } from '../../../wire/schema.ts'
import { kmsOperations } from './table.ts'

/**
 * The operations are compared with the model that AWS ships in its SDK, so that a new SDK shows what is new. The SDK
 * keeps a structure as [3, namespace, name, traits, member names, member types, number of required members] and an
 * operation as [9, namespace, name, traits, input, output]; bounds and patterns are not in it.
 */
type SdkStructure = readonly [3, string, string, unknown, string[], unknown[], number?]
type SdkOperation = readonly [9, string, string, unknown, () => SdkStructure, () => SdkStructure]

const sdkOperations = new Map<string, SdkOperation>()
for (const value of Object.values(sdk) as unknown[]) {
  if (Array.isArray(value) && value[0] === 9 && typeof value[2] === 'string') {
    sdkOperations.set(value[2], value as unknown as SdkOperation)
  }
}

/** Members of AWS's KeyMetadata that no key of this service can have. */
const absentMetadata = ['CustomKeyStoreId', 'CloudHsmClusterId', 'XksKeyConfiguration']

test('every file of an operation is in the table, under its wire name', () => {
  const files = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'table.ts')
    .map((file) => file.slice(0, -'.ts'.length))
  const names = [...kmsOperations.keys()].map(kebabCase)
  assert.deepEqual(names.sort(), files.sort())
  for (const [name, operation] of kmsOperations) assert.equal(operation.name, name)
})

test('every operation of AWS is built, and no other', () => {
  assert.ok(sdkOperations.size >= 56)
  assert.deepEqual([...kmsOperations.keys()].sort(), [...sdkOperations.keys()].sort())
})

test('the members of every input and output are those of AWS', () => {
  const differences: string[] = []
  for (const [name, operation] of kmsOperations) {
    const model = sdkOperations.get(name)
    assert.ok(model)
    compare(operation.input, model[4](), `${name} input`, differences)
    // Operations without an answer have the Smithy Unit type there.
    if (operation.output === undefined) assert.equal(model[5]()?.[4], undefined, name)
    else compare(operation.output, model[5](), `${name} output`, differences)
  }
  const expected = [
    'CreateKey output KeyMetadata',
    'DescribeKey output KeyMetadata',
    'ReplicateKey output ReplicaKeyMetadata',
  ].flatMap((where) => absentMetadata.map((member) => `${where} lacks ${member}`))
  assert.deepEqual(differences.sort(), expected.sort())
})

test('the values of every enumerated member are those of AWS', () => {
  const compared: string[] = []
  for (const [name, operation] of kmsOperations) {
    const shapes = { [`${name}Request`]: operation.input, [`${name}Response`]: operation.output }
    for (const [shape, schema] of Object.entries(shapes)) {
      for (const [member, memberSchema] of Object.entries(schema?.members ?? {})) {
        const values = enumeratedValues(memberSchema as Schema)
        const enumeration = enumerationOf(shape, member)
        assert.deepEqual(values?.sort(), enumeration?.sort(), `${shape} ${member}`)
        if (values !== undefined) compared.push(member)
      }
    }
  }
  assert.ok(compared.length >= 15, `compared only ${compared.join()}`)
})

function kebabCase(name: string): string {
  return name.replaceAll(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
}

/** Type codes of the SDK's schemas; lists and maps of simple types are sums with 64 and 128. */
const sdkTypes: Readonly<Record<string, readonly unknown[]>> = {
  string: [0],
  integer: [1],
  boolean: [2],
  timestamp: [4],
  blob: [21],
  map: [128],
}

function compare(schema: Schema, model: unknown, path: string, differences: string[]): void {
  // A sensitive type is its code in a pair with its traits, or [0, namespace, name, traits, code].
  const simple = Array.isArray(model) && model.length === 2 ? model[0] : model
  const type = typeof simple === 'function' ? simple() : simple
  if (schema.type === 'structure') {
    assert.ok(Array.isArray(type) && type[0] === 3, path)
    compareMembers(schema.members, type as unknown as SdkStructure, path, differences)
  } else if (schema.type === 'list') {
    if (typeof type === 'number') compare(schema.member, type - 64, path, differences)
    else compare(schema.member, type[4], path, differences)
  } else {
    const code = Array.isArray(type) ? type[4] : type
    if (!sdkTypes[schema.type]?.includes(code)) {
      differences.push(`${path} is a ${schema.type} and not of type ${JSON.stringify(code)}`)
    }
  }
}

type Members = Readonly<Record<string, Schema & { readonly required?: true }>>

function compareMembers(
  members: Members,
  [, , , , names, types, required = 0]: SdkStructure,
  path: string,
  differences: string[],
): void {
  for (const name of Object.keys(members)) {
    if (!names.includes(name)) differences.push(`${path} adds ${name}`)
  }
  for (const [index, name] of names.entries()) {
    const member = members[name]
    if (member === undefined) differences.push(`${path} lacks ${name}`)
    else {
      if (index < required !== (member.required === true)) {
        differences.push(`${path} ${name} is required in one of the two`)
      }
      compare(member, types[index], `${path} ${name}`, differences)
    }
  }
}

function enumeratedValues(schema: Schema): string[] | undefined {
  if (schema.type === 'list') return enumeratedValues(schema.member)
  return schema.type === 'string' && schema.values !== undefined ? [...schema.values] : undefined
}

const declarations = readFileSync(
  new URL(
    '../../../../node_modules/@aws-sdk/client-kms/dist-types/models/models_0.d.ts',
    import.meta.url,
  ),
  'utf8',
)

/** The values of a member's type, when the SDK declares it with an enumeration. */
function enumerationOf(shape: string, member: string): string[] | undefined {
  const start = declarations.indexOf(`export interface ${shape} {`)
  const body = declarations.slice(start, declarations.indexOf('\n}', start))
  const type = new RegExp(`^ {4}${member}\\??: (\\w+)(\\[\\])? \\| undefined;`, 'm').exec(body)?.[1]
  const enumeration: unknown = Reflect.get(sdk, type ?? '')
  if (typeof enumeration !== 'object' || enumeration === null) return undefined
  return Object.values(enumeration as Record<string, string>)
}
