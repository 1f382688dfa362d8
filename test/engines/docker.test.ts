// test-timeout: 600
import { engineConformance } from '../../src/engines/conformance/index.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { dockerHarness } from './support/docker-harness.ts';

engineConformance('docker engine', () => dockerHarness(), missingForDocker() ?? false);
