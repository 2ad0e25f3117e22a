import type { ReportName } from './report.ts'

/** Requirements that a report may serve as evidence for, by the framework that makes them. */
export type Evidence = {
  readonly labels: Readonly<Record<string, readonly string[]>>
  readonly note: string
}

const note =
  'The labels are an aid for finding what a report may serve for. They are no statement that a requirement is met.'

const keyManagement = {
  'PCI DSS 4.0': ['3.6', '3.7'],
  'SOC 2': ['CC6.1'],
  'ISO 27001:2022': ['A.8.24'],
  'NIST SP 800-53': ['SC-12'],
}
const access = {
  'PCI DSS 4.0': ['10.2'],
  'SOC 2': ['CC6.1', 'CC7.2'],
  'ISO 27001:2022': ['A.8.15'],
  HIPAA: ['164.312(b)'],
  'NIST SP 800-53': ['AU-2', 'AU-3', 'AU-12'],
}
const privilege = {
  'PCI DSS 4.0': ['7.2', '10.2'],
  'SOC 2': ['CC6.1', 'CC6.3', 'CC7.2'],
  'ISO 27001:2022': ['A.8.2', 'A.8.15'],
  'NIST SP 800-53': ['AC-6', 'AU-2', 'AU-12'],
}
const leastPrivilege = {
  'PCI DSS 4.0': ['7.2'],
  'SOC 2': ['CC6.3'],
  'ISO 27001:2022': ['A.5.18', 'A.8.2'],
  'NIST SP 800-53': ['AC-6'],
}

const labels: Readonly<Record<ReportName, Evidence['labels']>> = {
  'object-access': access,
  'key-use': access,
  'unused-keys': keyManagement,
  'allowed-but-never-used': leastPrivilege,
  rotation: keyManagement,
  'privileged-use': privilege,
  'cross-account-use': { ...access, 'SOC 2': ['CC6.1', 'CC6.6'] },
  grants: leastPrivilege,
  deletion: keyManagement,
  'encryption-coverage': {
    'PCI DSS 4.0': ['3.5', '3.6'],
    'SOC 2': ['CC6.1', 'CC6.7'],
    'ISO 27001:2022': ['A.8.24'],
    HIPAA: ['164.312(a)(2)(iv)'],
    'NIST SP 800-53': ['SC-12', 'SC-28'],
  },
  'log-integrity': {
    'PCI DSS 4.0': ['10.3', '10.5'],
    'SOC 2': ['CC7.2'],
    'ISO 27001:2022': ['A.8.15'],
    HIPAA: ['164.312(b)', '164.312(c)'],
    'NIST SP 800-53': ['AU-9', 'AU-10'],
  },
}

export function evidenceOf(report: ReportName): Evidence {
  return { labels: labels[report], note }
}
