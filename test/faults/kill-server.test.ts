// test-timeout: 600
import { faultTrials } from '../support/fault-trials.ts';

faultTrials('the server', (platform) => platform.pidOf('server'));
