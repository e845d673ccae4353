// Reads Jest's results and prints the closing line: node .ci/verdict.mjs FIRST [SECOND]
//
// A test that was skipped counts as a fault: everything that the tests need is installed by .ci/run, so nothing has a
// reason to be skipped here. The second result is of the files that failed at first, run once more by themselves: on a
// machine that others use as well a test can be starved. What passes then is named as unsteady, to be mended, and does
// not fail the run; what fails twice does.
import { existsSync, readFileSync } from 'node:fs';

const [first, second] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const again = second !== undefined && existsSync(second) ? read(second) : null;

const name = (suite) => suite.name.replace(`${process.cwd()}/`, '');
const rerun = new Map(again?.testResults.map((suite) => [suite.name, suite]));
const tests = read(first).testResults.flatMap((suite) => {
  const counted = rerun.get(suite.name) ?? suite;
  const then = new Map(suite.assertionResults.map(({ fullName, status }) => [fullName, status]));
  const broken =
    counted.status === 'failed' && counted.assertionResults.every(({ status }) => status === 'passed');
  const results = counted.assertionResults.map(({ fullName, status }) => ({
    title: `${name(suite)} > ${fullName}`,
    status: status === 'passed' && then.get(fullName) === 'failed' ? 'unsteady' : status,
  }));
  return broken ? [...results, { title: `${name(suite)} could not be run`, status: 'failed' }] : results;
});

const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;
for (const { status, title } of tests) if (status !== 'passed') console.log(`${status}: ${title}`);
const [passed, failed] = [count('passed', 'unsteady'), count('failed')];
const skipped = tests.length - passed - failed;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed + skipped > 0 || passed === 0 ? 1 : 0);
