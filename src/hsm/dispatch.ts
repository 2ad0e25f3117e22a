import { internalError } from '../base/errors.ts'
import { parseRegion, type Region } from '../base/ids.ts'
import type { Core } from './core.ts'
import { parseName } from './material-text.ts'
import type { KeyName, Material } from './port.ts'
import { commands, type Field } from './protocol.ts'

const scopeBytesMax = 256

type Run = (core: Core, ...fields: Buffer[]) => readonly Field[]

type Command = {
  readonly code: number
  /** How many fields it has; undefined: any number. */
  readonly fields: number | undefined
  readonly run: Run
}

const cryptography: readonly Command[] = [
  {
    code: commands.encrypt,
    fields: 3,
    run: (core, material, plain, context) => [core.encrypt(ascii(material), plain, context)],
  },
  {
    code: commands.decrypt,
    fields: 3,
    run: (core, material, blob, context) => [core.decrypt(ascii(material), blob, context)],
  },
  {
    code: commands.reEncrypt,
    fields: 5,
    run: (core, material, blob, context, toMaterial, toContext) => [
      core.reEncrypt(
        { material: ascii(material), blob, context },
        { material: ascii(toMaterial), context: toContext },
      ),
    ],
  },
  {
    code: commands.generateDataKey,
    fields: 3,
    run: (core, material, count, context) => {
      const { plaintext, blob } = core.dataKey(ascii(material), numberOf(count), context)
      return [plaintext, blob]
    },
  },
  {
    code: commands.generateDataKeyWithoutPlaintext,
    fields: 3,
    run: (core, material, count, context) => [
      core.dataKeyBlob(ascii(material), numberOf(count), context),
    ],
  },
  { code: commands.random, fields: 1, run: (core, count) => [core.randomBytes(numberOf(count))] },
]

const hierarchy: readonly Command[] = [
  {
    code: commands.ensureRegion,
    fields: 1,
    run: (core, region) => {
      core.ensureRegion(regionOf(region))
      return []
    },
  },
  { code: commands.status, fields: 0, run: (core) => [JSON.stringify(core.status())] },
  {
    code: commands.createMaterial,
    fields: 1,
    run: (core, name) => fieldsOf(core.createMaterial(nameOf(name))),
  },
  {
    code: commands.rewrap,
    fields: 1,
    run: (core, material) => fieldsOf(core.rewrap(ascii(material))),
  },
  {
    code: commands.forget,
    fields: undefined,
    run: (core, ...materialIds) => {
      core.forget(new Set(materialIds.map(materialIdOf)))
      return []
    },
  },
  {
    code: commands.rotateDomainKey,
    fields: 1,
    run: (core, region) => [String(core.rotateDomainKey(regionOf(region)))],
  },
  {
    code: commands.retireDomainKeys,
    fields: 2,
    run: (core, region, olderThan) => {
      core.retireDomainKeys(regionOf(region), numberOf(olderThan))
      return []
    },
  },
]

const signatures: readonly Command[] = [
  {
    code: commands.sealSecret,
    fields: 2,
    run: (core, accessKeyId, secret) => [core.sealSecret(scopeText(accessKeyId), secret)],
  },
  {
    code: commands.signingKey,
    fields: 5,
    run: (core, accessKeyId, sealedSecret, date, region, service) => [
      core.signingKey({
        accessKeyId: scopeText(accessKeyId),
        sealedSecret: ascii(sealedSecret),
        date: scopeText(date),
        region: scopeText(region),
        service: scopeText(service),
      }),
    ],
  },
  {
    code: commands.signCheckpoint,
    fields: 1,
    run: (core, message) => [core.signCheckpoint(message)],
  },
  { code: commands.checkpointPublicKey, fields: 0, run: (core) => [core.checkpointPublicKey()] },
]

const table = new Map<number, Command>()
for (const command of [...cryptography, ...hierarchy, ...signatures]) {
  table.set(command.code, command)
}

/** Executes one command. The fields of the answer are the caller's to wipe. Throws ServiceError. */
export function execute(core: Core, code: number, fields: readonly Buffer[]): readonly Field[] {
  const command = table.get(code)
  if (command === undefined) throw internalError(`there is no command ${code}`)
  if (command.fields !== undefined && command.fields !== fields.length) {
    throw internalError(`command ${code} has ${command.fields} fields, not ${fields.length}`)
  }
  return command.run(core, ...fields)
}

function ascii(field: Buffer): string {
  return field.toString('latin1')
}

/** Numbers travel as decimal digits. */
function numberOf(field: Buffer): number {
  const digits = ascii(field)
  if (!/^\d{1,10}$/.test(digits)) throw internalError('not a number')
  return Number(digits)
}

function fieldsOf({ materialId, wrapped, generation }: Material): readonly Field[] {
  return [materialId, wrapped, String(generation)]
}

function regionOf(field: Buffer): Region {
  const region = parseRegion(ascii(field))
  if (region === undefined) throw internalError('not the name of a region')
  return region
}

function nameOf(field: Buffer): KeyName {
  const name = parseName(ascii(field))
  if (name === undefined) throw internalError('not the name of a key')
  return name
}

function materialIdOf(field: Buffer): string {
  const id = ascii(field)
  if (!/^[0-9a-f]{64}$/.test(id)) throw internalError('not the id of a key material')
  return id
}

function scopeText(field: Buffer): string {
  if (field.length > scopeBytesMax) throw internalError('a scope that is too long')
  return field.toString('utf8')
}
