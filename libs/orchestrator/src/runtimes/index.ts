export { ForeignResourceError, PortTakenError, RuntimeUnavailableError, StartFailedError } from './errors.js';
export { ProcessRuntime, type ProcessRuntimeOptions } from './process/process-runtime.js';
export { SliceRuntime, type SliceInstance, type SliceSpec, type SliceUsage } from './slice-runtime.js';
export { DockerRuntime, type DockerRuntimeOptions } from './docker/docker-runtime.js';
export { hostAddress } from './docker/host-address.js';
