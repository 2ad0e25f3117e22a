import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kagiban } from '../support/cli.ts'
import { awsCliMissing } from './environment.ts'

const missing = await awsCliMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`

test('the tour, its lines typed into the AWS CLI', { skip }, async () => {
  const { code, stdout, stderr } = await kagiban('tour', '--aws')
  assert.equal(code, 0, `${stdout}\n${stderr}`)
})
