export { OrchestratorModule } from './orchestrator.module.js';
export { SliceDatabase } from './databases/slice-database.js';
export { InstallationId } from './installation.js';
export { DockerRuntime } from './runtimes/docker/docker-runtime.js';
export { hostAddress } from './runtimes/docker/host-address.js';
export { PortTakenError, StartFailedError } from './runtimes/errors.js';
export { ProcessRuntime } from './runtimes/process/process-runtime.js';
export { SliceRuntime, type SliceInstance, type SliceSpec } from './runtimes/slice-runtime.js';
export { SliceDirectory, type SliceLocation } from './slices/slice-directory.js';
