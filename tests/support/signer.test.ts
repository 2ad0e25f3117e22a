import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Header, signedHeaders } from './signer.ts'

// From awslabs/aws-c-auth, tests/aws-signing-test-suite/v4 (Apache-2.0): the names of the cases are theirs.
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const target = {
  host: 'example.amazonaws.com',
  region: 'us-east-1',
  service: 'service',
  date: new Date('2015-08-30T12:36:00Z'),
}

const cases: { name: string; headers: Header[]; body: string; signature: string }[] = [
  {
    name: 'post-vanilla',
    headers: [],
    body: '',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-header-key-sort',
    headers: [['My-Header1', 'value1']],
    body: '',
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-x-www-form-urlencoded',
    headers: [
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ['Content-Length', '13'],
      ['x-amz-content-sha256', '9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e'],
    ],
    body: 'Param1=value1',
    signature: 'd3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b',
  },
]

for (const { name, headers, body, signature } of cases) {
  test(`the test signer makes the published signature of ${name}`, () => {
    const request = { method: 'POST', path: '/', headers, body: Buffer.from(body) }
    const signed = signedHeaders(request, target, credentials)
    assert.equal(signed.at(-1)?.[1].split('Signature=')[1], signature)
  })
}
