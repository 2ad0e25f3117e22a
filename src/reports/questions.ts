import type { ReportName } from './report.ts'

export const questions: Readonly<Record<ReportName, string>> = {
  'object-access': 'Who came to this object, and which calls of KMS opened it?',
  'key-use': 'Who used this key, and who was refused?',
  'unused-keys': 'Which keys and grants did nobody use?',
  'allowed-but-never-used': 'Who may use this key, and never did?',
  rotation: 'How do keys rotate, and how old is their material?',
  'privileged-use': 'Who changed policies, trails or guardrails, acted as root or as operator?',
  'cross-account-use': 'Who of another account used a key?',
  grants: 'Which grants are there, how old are they, and are they used?',
  deletion: 'Which keys are disabled or about to be deleted, and who still needed them?',
  'encryption-coverage':
    'How are the objects in each bucket encrypted, under which keys, and which are not as the bucket says?',
  'log-integrity': 'Is the record whole and unaltered?',
}
