// test-timeout: 600
import { faultTrials } from '../support/fault-trials.ts';

faultTrials('the agent', (platform) => platform.pidOf('agent'));
