import { engineConformance } from '../../src/engines/conformance/index.ts';
import { processHarness } from './support/process-harness.ts';

const required = ['user', 'files', 'processes', 'network', 'memory', 'cpu', 'pids'];
engineConformance('process engine, isolation as the machine allows', () =>
  processHarness({ isolation: 'auto', required }),
);
