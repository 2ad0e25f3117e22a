import { internalError } from '../base/errors.ts'
import type { Core } from './core.ts'
import {
  ascii,
  encryptionOf,
  fieldsOf,
  momentOf,
  nameOf,
  newFieldsOf,
  numberOf,
  oneField,
  oneOf,
  regionOf,
  rsaEncryptionOf,
  scopeText,
  truthField,
  wrappedFormOf,
} from './fields.ts'
import {
  dataKeyPairSpecs,
  keySpecs,
  messageTypes,
  signingAlgorithms,
  wrappingAlgorithms,
  wrappingKeySpecs,
} from './key-specs.ts'
import { sealPurposes } from './port.ts'
import { commands, type Field } from './protocol.ts'
import { type Soon, when } from './soon.ts'

/** The fields may be overwritten as soon as it has returned. */
type Run = (core: Core, ...fields: Buffer[]) => Soon<readonly Field[]>

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
    fields: 7,
    run: (core, material, algorithm, blob, context, toMaterial, toAlgorithm, toContext) => {
      const from = { material: ascii(material), algorithm: encryptionOf(algorithm), blob, context }
      const [target, targetAlgorithm] = [ascii(toMaterial), encryptionOf(toAlgorithm)]
      const to = { material: target, algorithm: targetAlgorithm, context: toContext }
      return when(core.reEncrypt(from, to), oneField)
    },
  },
  {
    code: commands.encryptRsa,
    fields: 3,
    run: (core, material, algorithm, plaintext) => [
      core.encryptRsa(ascii(material), rsaEncryptionOf(algorithm), plaintext),
    ],
  },
  {
    code: commands.decryptRsa,
    fields: 3,
    run: (core, material, algorithm, blob) =>
      when(core.decryptRsa(ascii(material), rsaEncryptionOf(algorithm), blob), oneField),
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
  {
    code: commands.generateDataKeyPair,
    fields: 3,
    run: async (core, material, spec, context) => {
      const named = oneOf(dataKeyPairSpecs, spec)
      const { publicKey, privateKey, blob } = await core.dataKeyPair(
        ascii(material),
        named,
        context,
      )
      return [publicKey, privateKey, blob]
    },
  },
  {
    code: commands.generateDataKeyPairWithoutPlaintext,
    fields: 3,
    run: async (core, material, spec, context) => {
      const named = oneOf(dataKeyPairSpecs, spec)
      const { publicKey, privateKey, blob } = await core.dataKeyPair(
        ascii(material),
        named,
        context,
      )
      privateKey.fill(0)
      return [publicKey, blob]
    },
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
    fields: 2,
    run: (core, name, spec) =>
      when(core.createMaterial(nameOf(name), oneOf(keySpecs, spec)), newFieldsOf),
  },
  {
    code: commands.rewrap,
    fields: 1,
    run: (core, material) => fieldsOf(core.rewrap(ascii(material))),
  },
  {
    code: commands.forget,
    fields: undefined,
    run: (core, ...forms) => {
      core.forget(forms.map(wrappedFormOf))
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

const imports: readonly Command[] = [
  {
    code: commands.importParameters,
    fields: 4,
    run: async (core, name, spec, algorithm, validTo) => {
      const { publicKey, token } = await core.importer.parameters(nameOf(name), {
        spec: oneOf(wrappingKeySpecs, spec),
        algorithm: oneOf(wrappingAlgorithms, algorithm),
        validTo: momentOf(validTo),
      })
      return [publicKey, token]
    },
  },
  {
    code: commands.importMaterial,
    fields: 4,
    run: (core, name, spec, token, encrypted) =>
      when(
        core.importer.material(nameOf(name), oneOf(keySpecs, spec), { token, encrypted }),
        newFieldsOf,
      ),
  },
  {
    code: commands.replicate,
    fields: 2,
    run: (core, material, region) => fieldsOf(core.replicate(ascii(material), regionOf(region))),
  },
]

const keyPairs: readonly Command[] = [
  {
    code: commands.sign,
    fields: 4,
    run: (core, material, algorithm, messageType, message) => {
      const named = oneOf(signingAlgorithms, algorithm)
      const type = oneOf(messageTypes, messageType)
      return when(core.sign(ascii(material), named, type, message), oneField)
    },
  },
  {
    code: commands.verify,
    fields: 5,
    run: (core, material, algorithm, messageType, message, signature) => {
      const named = oneOf(signingAlgorithms, algorithm)
      const type = oneOf(messageTypes, messageType)
      return when(core.verify(ascii(material), named, type, message, signature), truthField)
    },
  },
  {
    code: commands.generateMac,
    fields: 2,
    run: (core, material, message) => [core.generateMac(ascii(material), message)],
  },
  {
    code: commands.verifyMac,
    fields: 3,
    run: (core, material, message, mac) =>
      truthField(core.verifyMac(ascii(material), message, mac)),
  },
  {
    code: commands.deriveSharedSecret,
    fields: 2,
    run: (core, material, publicKey) =>
      when(core.deriveSharedSecret(ascii(material), publicKey), oneField),
  },
  {
    code: commands.encapsulate,
    fields: 1,
    run: (core, material) => {
      const { sharedSecret, ciphertext } = core.encapsulate(ascii(material))
      return [sharedSecret, ciphertext]
    },
  },
  {
    code: commands.decapsulate,
    fields: 2,
    run: (core, material, ciphertext) => [core.decapsulate(ascii(material), ciphertext)],
  },
]

const signatures: readonly Command[] = [
  {
    code: commands.sealSecret,
    fields: 2,
    run: (core, accessKeyId, secret) => [core.sealSecret(scopeText(accessKeyId), secret)],
  },
  {
    code: commands.seal,
    fields: 3,
    run: (core, purpose, owner, plaintext) => [
      core.seal(oneOf(sealPurposes, purpose), scopeText(owner), plaintext),
    ],
  },
  {
    code: commands.open,
    fields: 3,
    run: (core, purpose, owner, sealed) => [
      core.open(oneOf(sealPurposes, purpose), scopeText(owner), sealed),
    ],
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
  {
    code: commands.cosignCheckpoint,
    fields: 2,
    run: (core, message, signature) => [core.cosignCheckpoint(message, signature)],
  },
  {
    code: commands.checkpointMlDsaPublicKey,
    fields: 0,
    run: (core) => [core.checkpointMlDsaPublicKey()],
  },
]

const table = new Map<number, Command>()
for (const command of [...cryptography, ...hierarchy, ...imports, ...keyPairs, ...signatures]) {
  table.set(command.code, command)
}

/**
 * Executes one command, which may overwrite its fields once this has returned. The fields of the answer are the
 * caller's to wipe. Throws ServiceError, or rejects with it.
 */
export function execute(
  core: Core,
  code: number,
  fields: readonly Buffer[],
): Soon<readonly Field[]> {
  const command = table.get(code)
  if (command === undefined) throw internalError(`there is no command ${code}`)
  if (command.fields !== undefined && command.fields !== fields.length) {
    throw internalError(`command ${code} has ${command.fields} fields, not ${fields.length}`)
  }
  return command.run(core, ...fields)
}
