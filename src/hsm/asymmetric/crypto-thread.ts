/** Entry of the threads for what node:crypto does only while its caller waits. */
import { internalError } from '../../base/errors.ts'
import { decryptOaep } from './oaep.ts'
import { signDigest, verifyDigest } from './over-digest.ts'
import { serveTasks } from './serve-tasks.ts'
import type { Task } from './task.ts'

serveTasks((task: Task) => {
  const message = Buffer.from(task.message.buffer)
  switch (task.kind) {
    case 'sign':
      return signDigest(task.key, task.algorithm, message)
    case 'verify':
      return verifyDigest(task.key, task.algorithm, message, Buffer.from(task.signature.buffer))
    case 'decrypt':
      return decryptOaep(task.key, task.algorithm, message)
    default:
      throw internalError('an unknown task')
  }
})
