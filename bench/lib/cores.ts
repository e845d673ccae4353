/** The core that the proxy under test has to itself. */
export const PROXY_CORE = 0;
/** Load generator, upstream and everything else. */
export const LOAD_CORE = 1;
