/** Entry of the thread for the two modes of signing that node:crypto does not have. */
import { internalError } from '../../base/errors.ts'
import { signNoble, verifyNoble } from './noble.ts'
import { serveTasks } from './serve-tasks.ts'
import type { Task } from './task.ts'

serveTasks((task: Task) => {
  switch (task.kind) {
    case 'sign':
      return signNoble(task.key, task.algorithm, task.message)
    case 'verify':
      return verifyNoble(task.key, task.algorithm, task.message, task.signature)
    default:
      throw internalError('no task of this thread')
  }
})
