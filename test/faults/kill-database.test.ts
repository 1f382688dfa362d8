// test-timeout: 600
import { faultTrials } from '../support/fault-trials.ts';

faultTrials('the database', (platform) => platform.pidOf('database'));
