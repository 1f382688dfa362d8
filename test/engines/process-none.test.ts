import { engineConformance } from '../../src/engines/conformance/index.ts';
import { processHarness } from './support/process-harness.ts';

engineConformance('process engine, no isolation', () => processHarness({ isolation: 'none' }));
engineConformance('process engine, no isolation and no control groups', () =>
  processHarness({ isolation: 'none', cgroups: 'none' }),
);
