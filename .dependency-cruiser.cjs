// The order of the house (docs/adr/0001): a library may import only the ones after it.
const order = [
  'admin',
  'billing',
  'monitor',
  'proxy',
  'orchestrator',
  'auth',
  'mail',
  'database',
  'config',
  'common',
];
// Neither of two siblings may import the other.
const siblings = [new Set(['billing', 'monitor']), new Set(['auth', 'mail'])];
const areSiblings = (a, b) => a !== b && siblings.some((pair) => pair.has(a) && pair.has(b));

const oneWay = order.flatMap((lib, i) => {
  const above = order.filter((other, j) => j < i || areSiblings(lib, other));
  return above.length === 0
    ? []
    : [
        {
          name: `${lib}-imports-downwards-only`,
          severity: 'error',
          comment: 'Declare a port here and let the higher library provide it.',
          from: { path: `^libs/${lib}/` },
          to: { path: `^libs/(${above.join('|')})/` },
        },
      ];
});

module.exports = {
  forbidden: [
    ...oneWay,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'libs-do-not-import-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'public-surface-only',
      severity: 'error',
      comment: 'Another library is imported by its index.ts, as #name.',
      from: { path: '^(?:libs/([^/]+)|apps)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/$1/'] },
    },
    {
      name: 'product-does-not-import-what-tries-it',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|bench|tools)/' },
    },
    {
      name: 'the-tenant-app-knows-nothing-of-sluice',
      severity: 'error',
      from: { path: '^apps/notes/' },
      to: { path: '^(libs|apps/gateway|test)/' },
    },
    {
      name: 'swagger-on-demand',
      severity: 'error',
      comment: 'Its decorators are in #common, and cost no start anything.',
      from: { path: '^(libs|apps)/', pathNot: '^libs/common/src/documentation/' },
      to: { path: 'node_modules/@nestjs/swagger/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      // What these need, the first run of the benchmark installs.
      from: { pathNot: '^bench/peers/servers/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '\\.spec\\.ts$|^apps/notes/test/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
    },
  },
};
