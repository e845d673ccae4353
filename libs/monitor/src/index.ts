export { MonitorModule } from './monitor.module.js';
export type { ServerReading, ServerSeries, SliceReading, SliceSeries, Span } from './telemetry/readings.js';
export { TelemetryReader } from './telemetry/telemetry-reader.js';
export { TelemetryStore } from './telemetry/telemetry-store.js';
export { MonitorPass } from './watch/monitor-pass.js';
