// Reads Jest's result and prints the closing line. A test that was skipped counts as a fault: everything that the
// tests need is installed by .ci/run, so nothing has a reason to be skipped here.
import { readFileSync } from 'node:fs';

const result = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const skipped = result.numPendingTests + result.numTodoTests;
const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
for (const suite of result.testResults) {
  for (const test of suite.assertionResults) {
    if (test.status !== 'passed')
      console.log(`${test.status}: ${suite.name.replace(`${process.cwd()}/`, '')} > ${test.fullName}`);
  }
}
console.log(`${result.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed + skipped > 0 || result.numPassedTests === 0 ? 1 : 0);
