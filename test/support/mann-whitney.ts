/**
 * The Mann–Whitney U test: how likely two samples of one distribution differ as much as these two, two-sided, by the
 * normal approximation with its corrections for ties and continuity (good from some 20 values each).
 * @see Mann & Whitney, On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other (1947)
 */
export function mannWhitneyP(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, ofA: true })), ...b.map((value) => ({ value, ofA: false }))];
  all.sort((x, y) => x.value - y.value);
  const n = all.length;
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < n;) {
    let end = start;
    while (end < n && all[end]?.value === all[start]?.value) end++;
    const tied = end - start;
    const rank = (start + 1 + end) / 2;
    rankSum += rank * all.slice(start, end).filter(({ ofA }) => ofA).length;
    ties += tied ** 3 - tied;
    start = end;
  }
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const deviation = Math.sqrt(((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1))));
  if (deviation === 0) return 1;
  const z = Math.max(0, Math.abs(u - mean) - 0.5) / deviation;
  return 2 * (1 - normalCdf(z));
}

/** Abramowitz & Stegun 26.2.17; its error is below 7.5e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
