export { OrchestratorModule } from './orchestrator.module.js';
export { SliceDatabase } from './databases/slice-database.js';
export {
  type AppFigures,
  type DatabaseFigures,
  SliceDatabaseFigures,
  type SliceDatabaseUsage,
} from './databases/slice-database-figures.js';
export { InstallationId } from './installation.js';
export { DockerRuntime } from './runtimes/docker/docker-runtime.js';
export { hostAddress } from './runtimes/docker/host-address.js';
export { PortTakenError, RuntimeUnavailableError, StartFailedError } from './runtimes/errors.js';
export { ProcessRuntime } from './runtimes/process/process-runtime.js';
export {
  SliceRuntime,
  type SliceInstance,
  type SliceSpec,
  type SliceUsage,
} from './runtimes/slice-runtime.js';
export { SliceDirectory, type SliceLocation } from './slices/slice-directory.js';
export { ADDRESS_ERRORS, DESTRUCTION_ERRORS, START_ERRORS } from './http/errors.js';
export { forceQuery, sliceId } from './http/parameters.js';
export { SliceSupervision, type WatchedSlice } from './slices/slice-supervision.js';
export { SliceHolds } from './slices/slice-holds.js';
export { sliceResponse } from './http/responses.js';
export { orUnavailable } from './slices/runtime-unavailable.js';
export { SliceEvents } from './events/slice-events.js';
export { ExternalSlices, type Registration } from './slices/external-slices.js';
export { SliceService } from './slices/slice-service.js';
export { sliceView, type SliceView } from './slices/slice-view.js';
export { sliceName } from './slices/slice-request.js';
