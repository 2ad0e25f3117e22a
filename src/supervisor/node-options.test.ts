import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeOptionsFor } from './node-options.ts'

test('what could load code, or open a door, is dropped', () => {
  const dangerous = [
    '--require=/tmp/a.js',
    '--import=/tmp/a.mjs',
    '--experimental-loader=/tmp/a.mjs',
    '--inspect',
    '--inspect-brk=0.0.0.0:9229',
    '--allow-child-process',
    '--no-permission',
    '--openssl-config=/tmp/a',
    '--tls-min-v1.0',
    '--env-file=/tmp/a',
    '--heapsnapshot-signal=SIGTERM',
    '--heapsnapshot-signal=SIGUSR2,',
    '--heapsnapshot-near-heap-limit=3',
    '--max-old-space-size=1e9',
    '--cpu-prof-dir=/tmp',
    '--cpu-prof-name=../a',
    '--cpu-prof-name=/tmp/a',
    '--cpu-profile',
    '"--max-old-space-size=1"',
    'a--cpu-prof',
    '--report-on-fatalerror',
  ]
  for (const option of dangerous) {
    const { passed, dropped } = nodeOptionsFor(option)
    assert.deepEqual(passed, [], option)
    assert.deepEqual(dropped, [option.split('=')[0]])
  }
  assert.deepEqual(nodeOptionsFor('-r /tmp/a.js').passed, [])
  assert.deepEqual(nodeOptionsFor('--require "/tmp/a --cpu-prof.js"').passed, [])
})

test('what is for diagnosis is passed, whatever stands beside it', () => {
  const options = [
    '--heapsnapshot-signal=SIGUSR2',
    '--max-old-space-size=4096',
    '--cpu-prof',
    '--cpu-prof-interval=500',
    '--cpu-prof-name=service.cpuprofile',
  ]
  assert.deepEqual(nodeOptionsFor(options.join(' ')), { passed: options, dropped: [] })
  const mixed = ` --import=/a\t--cpu-prof\n--inspect=1 `
  assert.deepEqual(nodeOptionsFor(mixed), {
    passed: ['--cpu-prof'],
    dropped: ['--import', '--inspect'],
  })
  for (const nothing of [undefined, '', ' ']) {
    assert.deepEqual(nodeOptionsFor(nothing), { passed: [], dropped: [] })
  }
})
