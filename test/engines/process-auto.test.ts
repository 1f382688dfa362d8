import { engineConformance } from '../../src/engines/conformance/index.ts';
import { processHarness } from './support/process-harness.ts';

engineConformance('process engine, isolation as the machine allows', () => processHarness({ isolation: 'auto' }));
